"""The queue's pages in the admin: by none of them can anybody run code."""

import pytest
from django.contrib import admin
from django_q.models import Failure, OrmQ, Schedule, Success, Task

pytestmark = pytest.mark.django_db

MODELS = [Schedule, Success, Failure, OrmQ]
EVIL = {"func": "os.system", "args": "'true'", "schedule_type": "O", "repeats": "1"}


def address(model, page: str) -> str:
    return f"/admin/django_q/{model._meta.model_name}/{page}"


def test_a_superuser_cannot_schedule_a_function(admin_client):
    response = admin_client.post(address(Schedule, "add/"), EVIL)

    assert response.status_code == 403
    assert not Schedule.objects.filter(func="os.system").exists()


@pytest.mark.parametrize("page", ["change/", "delete/"])
def test_a_superuser_cannot_change_the_sweep(admin_client, page):
    row = Schedule.objects.get(name="sweep")

    response = admin_client.post(address(Schedule, f"{row.pk}/{page}"), {**EVIL, "post": "yes"})

    assert response.status_code == 403
    assert Schedule.objects.get(pk=row.pk).func == "briefs.tasks.sweep"


@pytest.mark.parametrize("model", MODELS)
def test_the_lists_are_shown_without_any_action(admin_client, rf, admin_user, model):
    request = rf.get("/")
    request.user = admin_user

    assert admin_client.get(address(model, "")).status_code == 200
    assert not admin.site.get_model_admin(model).get_actions(request)


def test_arguments_and_results_are_not_shown(admin_client):
    Task.objects.create(
        id="a" * 32, name="told", func="briefs.tasks.sweep", args=("secret-1",), success=False,
        result="secret-2", started="2026-11-01T00:00Z", stopped="2026-11-01T00:00Z",
    )  # fmt: skip

    page = admin_client.get(address(Failure, f"{'a' * 32}/change/")).content.decode()

    assert "briefs.tasks.sweep" in page
    assert "secret" not in page
