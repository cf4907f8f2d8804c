"""The OpenAPI schema tells the truth: what may be null is, what it describes is what is sent."""

import json
import typing
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from django.db import models
from django.utils import timezone
from rest_framework import serializers as drf

from briefs.api import serializers
from briefs.dossier.dossier import Dossier, Value
from briefs.dossier.research import ResearchOfBrief
from briefs.models import Brief, Research
from briefs.models.priority import Reason
from briefs.reading import answer
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_persona,
    make_research,
    make_signal,
)
from personas.models import Customer, Effect, Persona, PersonaCondition, SignalKind
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db

LISTS = ["/api/v1/briefs/", "/api/v1/events/", "/api/v1/personas/", "/api/v1/customers/",
         "/api/v1/closing-reasons/"]  # fmt: skip
SERIALIZERS = [
    one
    for one in vars(serializers).values()
    if isinstance(one, type)
    and issubclass(one, drf.BaseSerializer)
    and one is not serializers.PersonalData
]
assert len(SERIALIZERS) > 12


def validate(schema, path: str, status: int, sent, method: str = "get") -> None:
    """Raises ValidationError if an answer is not what the schema says of this address."""
    [described] = schema["paths"][path][method]["responses"][str(status)]["content"].values()
    written = json.dumps(described["schema"])
    if written not in _validators:
        components = in_json_schema(schema["components"])
        whole = {**in_json_schema(described["schema"]), "components": components}
        kind = jsonschema.validators.validator_for(whole)
        kind.check_schema(whole)
        _validators[written] = kind(whole)
    _validators[written].validate(sent)


_validators = {}  # by what they describe: to read all of the schema anew takes a tenth of a second


def in_json_schema(described):
    """OpenAPI 3.0 in the words of JSON Schema: `nullable` is a type, and no other key may be."""
    if isinstance(described, list):
        return [in_json_schema(part) for part in described]
    if not isinstance(described, dict):
        return described
    told = {key: in_json_schema(value) for key, value in described.items() if key != "nullable"}
    if "properties" in told:
        told.setdefault("additionalProperties", False)
    if described.get("nullable") is True:
        return {"anyOf": [{"type": "null"}, told]}
    return told


@pytest.mark.on_sqlite  # make schema runs on it: the ranges of numbers are the database's
def test_committed_schema_is_that_of_the_code(schema):
    committed = json.loads((Path(__file__).parents[3] / "docs/openapi.json").read_text())

    assert committed == schema, "make schema writes it anew"


# What is sent


@pytest.fixture
def rows(user):
    """Briefs in every state, with and without all that may be missing, and what led to them."""
    now = timezone.now()
    done = {"status": "done", "answer": "Call [1].", "credits": 40, "finished_at": now}
    sourced = {"sources": [{"title": "A", "url": "https://a.example/", "domain": "a.example"}]}
    judged = {"validation": {"confidence_score": 0.8, "hallucination_risk": "Low",
                             "unsupported_claims": ["All."]}}  # fmt: skip
    make_brief()
    make_brief(is_waiting_for_profile=True, persona_why="")
    make_brief(state="in_progress", assignee=user)
    make_brief(state="snoozed", snoozed_until=now + timedelta(days=1))
    for outcome in Brief.Outcome.values:
        make_brief(state="closed", outcome=outcome, closed_at=now, closing_note="done")
    for status in Research.Status.values:
        make_brief(research=make_research(status=status))
    make_brief(research=make_research(**done, **sourced, **judged), basis="new", researched_at=now)
    make_brief(research=make_research(**{**done, "credits": None}), basis="shared", is_sharing=True)
    make_brief(research=make_research(**done), renewal=make_research(), basis="new")
    nobody = {"cio_id": None, "external_id": None, "email": "", "attributes": {}}
    make_brief(customer=make_customer(**nobody, fetched_at=None))
    known = {"attributes": {"plan": "pro", "teams": ["a"], "owner": {"name": "R"}, "old": None}}
    make_brief(customer=make_customer(**known, is_unsubscribed=True, is_deleted=True))
    for kind in SignalKind.values:
        make_brief(kind=kind, detail="SMS")
    for priority in (1, 2, 3, 4):
        make_brief(priority=priority)
    brief = make_brief(question_facts=["plan is pro"])
    first = make_signal(brief=brief, message={"subject": "Hello"}, detail="SMS")
    make_signal(brief=brief, event=None, same_act_as=first)
    brief.log("took it", user)
    brief.log("the profile arrived")
    for effect in Effect.values:
        make_signal(effect=effect)  # of no brief
    for status in WebhookEvent.Status.values:
        make_event(status=status)
    make_event(occurred_at=None, stated_time="yesterday", object_type="", metric="")
    make_event(body=b"no json", status="quarantined", identifiers={})
    conditions = make_persona(value="low", opens_brief=False, month_budget=5).conditions
    PersonaCondition.objects.create(persona=conditions.instance, field="plan", value="pro")


@pytest.mark.parametrize("path", LISTS)
def test_what_is_sent_is_what_the_schema_says(signed_in, schema, rows, path):
    page = signed_in.get(path, {"page_size": 200}).json()

    validate(schema, path, 200, page)
    assert page["results"]
    for item in page["results"]:
        one = signed_in.get(f"{path}{item['id']}/")
        assert one.status_code == 200
        validate(schema, f"{path}{{id}}/", 200, one.json())


def test_first_and_last_page_are_as_the_schema_says(signed_in, schema):
    for _ in range(3):
        make_persona()

    first = signed_in.get("/api/v1/personas/", {"page_size": 2}).json()
    last = signed_in.get(first["next"]).json()

    for page in (first, last):
        validate(schema, "/api/v1/personas/", 200, page)


@pytest.mark.parametrize("path", LISTS)
def test_refusals_have_the_body_that_the_schema_says(client, signed_in, schema, path):
    make_signal(brief=make_brief())
    one = f"{path}{signed_in.get(path).json()['results'][0]['id']}/"

    refused = {
        (path, 400): signed_in.get(path, {"nonsense": "1"}),
        (f"{path}{{id}}/", 400): signed_in.get(one, {"nonsense": "1"}),
        (f"{path}{{id}}/", 404): signed_in.get(f"{path}999999/"),
    }
    client.logout()
    refused |= {(path, 401): client.get(path), (f"{path}{{id}}/", 401): client.get(one)}

    for (address, status), response in refused.items():
        assert response.status_code == status
        validate(schema, address, status, response.json())


def test_every_parameter_that_is_taken_is_described(signed_in, schema):
    for path in LISTS:
        described = {one["name"] for one in schema["paths"][path]["get"]["parameters"]}
        [words] = signed_in.get(path, {"nonsense": "1"}).json()["nonsense"]
        assert set(words.partition("Known: ")[2].rstrip(".").split(", ")) == described


def test_values_that_the_schema_names_are_taken(signed_in, schema, rows):
    tried = 0
    for path in LISTS:
        for parameter in schema["paths"][path]["get"]["parameters"]:
            described = parameter["schema"]
            for value in described.get("enum", described.get("items", {}).get("enum", [])):
                response = signed_in.get(path, {parameter["name"]: value, "page_size": 1})
                assert response.status_code == 200, (path, parameter["name"], value)
                tried += 1
    assert tried > 60


# What may be null


@pytest.mark.parametrize("serializer", SERIALIZERS)
def test_schema_says_null_where_the_rows_do_and_nowhere_else(schema, serializer):
    described = schema["components"]["schemas"][serializer.__name__]["properties"]

    says = {name: one.get("nullable", False) for name, one in described.items()}

    fields = serializer().fields.items()
    assert says == {name: may_be_null(serializer, field) for name, field in fields}


def may_be_null(serializer, field) -> bool:
    """Follow the field's source from the row that the serializer is given."""
    if field.field_name in getattr(serializer, "personal", ()):
        return True
    if isinstance(field, drf.SerializerMethodField):
        return hinted(getattr(serializer, field.method_name))[1]
    if field.source == "*":
        return True  # research: null where the brief has none
    owner = GIVEN.get(serializer) or serializer.Meta.model
    path = field.source.split(".")
    if path[:2] == ["brief", "research"]:  # it is shown only where there is one
        owner, path = Research, path[2:]
    return any_null(owner, path)


def any_null(owner: type, path: list[str]) -> bool:
    for name in path:
        owner, is_null = step(owner, name)
        if is_null:
            return True
    return False


GIVEN = {
    serializers.BriefItem: Dossier,
    serializers.BriefInFull: Dossier,
    serializers.ResearchBriefly: Dossier,
    serializers.ResearchInFull: Dossier,
    serializers.ReadingOfAnswer: answer.Reading,
    serializers.SourceOfReading: answer.ListedSource,
    serializers.ValueOfBrief: Value,
    serializers.ReasonOfPriority: Reason,
}
SET_IN_INIT = {
    "brief": Brief,
    "customer": Customer,
    "persona": Persona,
    "research": ResearchOfBrief,
}


def step(owner: type, name: str) -> tuple[type, bool]:
    """What type the attribute has, and whether it may be None: by its column, or by its hint."""
    if owner is Dossier and name in SET_IN_INIT:
        return SET_IN_INIT[name], False
    columns = (
        {column.name: column for column in owner._meta.get_fields()} if is_model(owner) else {}
    )
    if column := columns.get(name):
        return column.related_model, column.one_to_one or (column.concrete and column.null)
    if name == "pk" or name.startswith("get_"):  # a key, or the label of a choice
        return str, False
    return hinted(getattr(owner, name, None), typing.get_type_hints(owner).get(name))


def is_model(owner: type) -> bool:
    return issubclass(owner, models.Model)


def hinted(attribute, hint=None) -> tuple[type, bool]:
    function = getattr(attribute, "fget", None) or getattr(attribute, "func", None) or attribute
    hint = hint or typing.get_type_hints(function)["return"]
    arguments = typing.get_args(hint)
    kinds = [one for one in arguments if one is not type(None)]
    return (kinds[0] if type(None) in arguments else hint), type(None) in arguments
