"""Forms that tell of a change by somebody else lock their row, and PostgreSQL does not lock all.

It refuses where the order of the rows joins one that may be missing, as that of first steps does.
"""

import pytest
from django.apps import apps
from django.urls import reverse

from personas.admin.tests.test_admin import form_of
from personas.admin.versions import VERSION

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]


@pytest.mark.parametrize(
    "name",
    ["personas.persona", "personas.signalrule", "personas.firststep", "personas.attributename",
     "briefs.closingreason", "briefs.offer"],
)  # fmt: skip
def test_row_is_saved_as_its_form_came(admin_client, name):
    row = apps.get_model(name).objects.first()
    page = reverse(f"admin:{name.replace('.', '_')}_change", args=[row.pk])
    form = form_of(admin_client, page) | {VERSION: admin_client.get(page).context["version"]}

    assert admin_client.post(page, form).status_code == 302
