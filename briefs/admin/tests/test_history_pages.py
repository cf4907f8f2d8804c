"""The history pages of every model in the admin: they show, and never write."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission

from briefs.models import (
    ClosingReason,
    Holiday,
    LinkTemplate,
    NotificationTarget,
    Offer,
    PriorityThreshold,
    ResearchPolicy,
    WorkingTime,
)
from briefs.tests.factories import make_threshold
from personas.admin.history import ReadOnlyHistoryAdmin
from personas.models import AttributeName, FirstStep, Persona, SignalRule
from webhooks.models import RetentionPolicy

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

WITH_HISTORY = [Persona, SignalRule, FirstStep, AttributeName, ResearchPolicy, NotificationTarget,
                LinkTemplate, WorkingTime, Holiday, ClosingReason, Offer,
                PriorityThreshold, RetentionPolicy]  # fmt: skip


@pytest.fixture
def address(db):
    def version_of(model) -> str:
        if model is ResearchPolicy:
            ResearchPolicy.current().save()
        if model is RetentionPolicy:
            RetentionPolicy.objects.create(pk=1)
        if model is WorkingTime:
            WorkingTime.objects.create(pk=1)
        if model is Holiday:
            Holiday.objects.create(day="2026-12-25")
        if model is LinkTemplate:
            LinkTemplate.objects.create(label="CRM", url="https://crm.example/{id}")
        if model is NotificationTarget:
            target = NotificationTarget(name="Team")
            target.address = "json://secret@127.0.0.1/x"
            target.save()
        if model is PriorityThreshold:
            make_threshold()
        row = model.objects.order_by("pk").first()
        row.save()
        label = f"{model._meta.app_label}/{model._meta.model_name}"
        return f"/admin/{label}/{row.pk}/history/{row.history.first().pk}/"

    return version_of


def test_every_page_with_a_history_derives_from_the_class_that_refuses():
    known = {
        model
        for model, page in admin.site._registry.items()
        if hasattr(model, "history") and hasattr(page, "history_form_view")
    }

    assert known == set(WITH_HISTORY)
    assert all(isinstance(admin.site.get_model_admin(m), ReadOnlyHistoryAdmin) for m in known)


@pytest.mark.parametrize("model", WITH_HISTORY)
def test_a_version_is_shown_without_a_form(admin_client, address, model):
    response = admin_client.get(address(model))

    page = response.content.decode().split('id="content-main"')[1]
    assert response.status_code == 200
    assert "<form" not in page
    assert 'type="submit"' not in page
    assert "secret" not in page


@pytest.mark.parametrize("model", WITH_HISTORY)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_version_takes_nothing_that_is_sent(admin_client, settings, address, model, method):
    settings.SIMPLE_HISTORY_REVERT_DISABLED = False
    path, versions = address(model), model.history.count()

    response = getattr(admin_client, method)(path, {"name": "changed", "playbook": "changed"})

    assert response.status_code == 405
    assert model.history.count() == versions


@pytest.mark.parametrize("model", WITH_HISTORY)
@pytest.mark.parametrize("act", ["view", "change"])
def test_nobody_brings_a_version_back(client, django_user_model, address, model, act):
    staff = django_user_model.objects.create_user("staff", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename=f"{act}_{model._meta.model_name}"))
    client.force_login(staff)
    path, versions = address(model), model.history.count()

    assert client.get(path).status_code == 200
    assert client.post(path, {"name": "changed"}).status_code == 405
    assert model.history.count() == versions


@pytest.mark.parametrize("version", ["999999", "x", "9" * 30])
def test_a_version_that_is_not_there_is_404(admin_client, version):
    row = Persona.objects.first()

    response = admin_client.get(f"/admin/personas/persona/{row.pk}/history/{version}/")

    assert response.status_code == 404


def test_a_version_asks_for_the_permission_to_view(client, django_user_model, address):
    client.force_login(django_user_model.objects.create_user("staff", is_staff=True))

    assert client.get(address(Persona)).status_code == 403
