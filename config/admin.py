"""The admin site: its groups of pages, one sign-in page, no page that shows secrets."""

from typing import Any

from django.contrib.admin import AdminSite, site
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse

from config.admin_groups import grouped


class SavedeskAdmin(AdminSite):
    index_title = "Admin"

    def get_urls(self) -> list[Any]:
        from briefs.admin import trying  # only once the apps are there

        return [path("try/", self.admin_view(trying.page), name="try_rules"), *super().get_urls()]

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """In groups; the page of one app, which nothing links to, lists the models of that app."""
        apps = super().get_app_list(request, app_label)
        return apps if app_label else grouped(request, apps)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one sign-in page. Whoever is signed in and may not enter is told so."""
        from django.contrib.auth.views import redirect_to_login  # only once the apps are there

        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def password_change(  # type: ignore[override]  # a redirect is no page
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one page on which a password is changed; it counts wrong ones."""
        return redirect("accounts:change_password")


class SavedeskAdminConfig(AdminConfig):
    default_site = "config.admin.SavedeskAdmin"

    def ready(self) -> None:
        super().ready()
        from django_otp.plugins.otp_static.models import StaticDevice
        from django_otp.plugins.otp_totp.models import TOTPDevice
        from rest_framework.authtoken.models import TokenProxy

        # Their pages show secrets. The tokens are those of before, which are no longer accepted.
        site.unregister([StaticDevice, TOTPDevice, TokenProxy])
