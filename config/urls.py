"""Every address of Savedesk."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

from accounts.signing_in.login import SignIn

urlpatterns = [
    path("", include("webhooks.urls")),
    path("", include("briefs.desk.urls")),
    path("", include("operations.urls")),
    path("", include("accounts.urls")),
    path("login/", SignIn.as_view(), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("api/", include("briefs.api.urls")),
    path("admin/", admin.site.urls),
]
handler403 = "accounts.people.refusals.forbidden"
handler404 = "config.not_found.not_found"
