"""The addresses of signing in, of people and of tokens."""

from django.urls import include, path

app_name = "accounts"
urlpatterns = [
    path("", include("accounts.signing_in.urls")),
    path("", include("accounts.people.urls")),
    path("", include("accounts.tokens.urls")),
]
