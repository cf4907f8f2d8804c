"""Only so that the address can be reversed: the middleware answers before any URL is resolved."""

from django.urls import path

from webhooks.views import RECEIVER_PATH, receive

app_name = "webhooks"
urlpatterns = [path(RECEIVER_PATH.lstrip("/"), receive, name="receive")]
