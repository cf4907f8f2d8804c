"""The addresses of accounts: one's own, and those of the team."""

from django.urls import include, path

app_name = "accounts"
urlpatterns = [
    path("", include("accounts.people.urls")),
]
