"""The addresses of the health page and of the checks for monitoring."""

from django.urls import path

from operations.views import health, metrics, probes

app_name = "operations"
urlpatterns = [
    path("webhook-health/", health.health, name="health"),
    path("webhook-health/retry/", health.retry, name="health_retry"),
    path("livez", probes.livez, name="livez"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
]
