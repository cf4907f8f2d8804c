"""The addresses of the REST API, below /api/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from briefs import api

app_name = "api"

router = SimpleRouter()
router.register("briefs", api.BriefViewSet, basename="brief")
router.register("events", api.EventViewSet, basename="event")
router.register("personas", api.PersonaViewSet, basename="persona")
router.register("customers", api.CustomerViewSet, basename="customer")

urlpatterns = [
    path("v1/", include(router.urls)),
    path("schema/", api.Schema.as_view(), name="schema"),
    path("docs/", api.Docs.as_view(), name="docs"),
]
