"""The addresses of the REST API, below /api/."""

from django.urls import include, path
from rest_framework.renderers import JSONRenderer
from rest_framework.routers import SimpleRouter

from briefs.api import views
from briefs.api.bulk import BulkActViewSet
from briefs.api.dead_letters import DeadLetterViewSet
from briefs.api.incidents import IncidentViewSet
from briefs.api.reprocessing import ReprocessedBriefViewSet, ReprocessingJobViewSet
from briefs.api.rule_versions import RuleVersionViewSet
from briefs.api.rules import RulesViewSet
from briefs.api.texts import Yaml

app_name = "api"

router = SimpleRouter()
router.register("briefs", views.BriefViewSet, basename="brief")
router.register("events", views.EventViewSet, basename="event")
router.register("personas", views.PersonaViewSet, basename="persona")
router.register("customers", views.CustomerViewSet, basename="customer")
router.register("erasures", views.ErasureViewSet, basename="erasure")
router.register("bulk-acts", BulkActViewSet, basename="bulkact")
router.register("incidents", IncidentViewSet, basename="incident")
router.register("reprocessing-jobs", ReprocessingJobViewSet, basename="reprocessingjob")
router.register("reprocessed-briefs", ReprocessedBriefViewSet, basename="reprocessedbrief")
router.register("dead-letters", DeadLetterViewSet, basename="deadletter")
router.register("closing-reasons", views.ClosingReasonViewSet, basename="closingreason")
router.register("offers", views.OfferViewSet, basename="offer")
router.register("rule-versions", RuleVersionViewSet, basename="ruleversion")

urlpatterns = [
    path("v1/", include(router.urls)),
    path("v1/rules/", RulesViewSet.as_view({"get": "export"}), name="rules"),
    path(
        "v1/rules/yaml/",
        RulesViewSet.as_view({"get": "as_yaml"}, renderer_classes=(JSONRenderer, Yaml)),
        name="rules-yaml",
    ),
    path("v1/rules/import/", RulesViewSet.as_view({"post": "put_in_place"}), name="rules-import"),
    path("schema/", views.Schema.as_view(), name="schema"),
    path("docs/", views.Docs.as_view(), name="docs"),
]
