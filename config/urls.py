"""Every address of Savedesk."""

from django.contrib import admin
from django.contrib.auth import views as auth
from django.urls import include, path

urlpatterns = [
    path("", include("webhooks.urls")),
    path("", include("briefs.desk.urls")),
    path("", include("operations.urls")),
    path("", include("accounts.urls")),
    path("login/", auth.LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", auth.LogoutView.as_view(), name="logout"),
    path("api/", include("briefs.api.urls")),
    path("admin/", admin.site.urls),
]
handler403 = "accounts.people.refusals.forbidden"
