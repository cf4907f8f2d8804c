"""Links into other tools: values are quoted, and nothing but https is ever linked."""

import pytest
from django.core.exceptions import ValidationError

from briefs.models import LinkTemplate
from personas.models import Customer


def address(url, **fields):
    return LinkTemplate(label="CRM", url=url).address_of(Customer(**fields))


def test_values_are_filled_in_and_quoted():
    found = address(
        "https://crm.example/{id}/?q={email}&plan={plan}#x",
        external_id="a/b c", email="x+y@example.com", attributes={"plan": "R&D ?"},
    )  # fmt: skip

    assert found == "https://crm.example/a%2Fb%20c/?q=x%2By%40example.com&plan=R%26D%20%3F#x"


@pytest.mark.parametrize("url", ["https://crm.example/{email}", "https://crm.example/{account}"])
def test_without_a_value_there_is_no_link(url):
    assert address(url, external_id="a") == ""


@pytest.mark.parametrize(
    "url",
    ["http://crm.example/", "javascript:alert(1)", "//crm.example/", "https://", "crm.example",
     "https://{company}.crm.example/", "https://me:secret@crm.example/", "https://crm.example/ x",
     "https://crm.example/{}", "https://crm.example/{email", "https://crm.example/}{",
     "https://crm.example\\@evil.example/", "https://[crm/"],
)  # fmt: skip
def test_address_that_is_not_plain_https_is_refused(url):
    template = LinkTemplate(label="CRM", url=url)

    with pytest.raises(ValidationError):
        template.clean()
    assert address(url, email="a@example.com") == ""


def test_good_address_is_accepted():
    LinkTemplate(label="CRM", url="https://crm.example:8443/search?q={email}").clean()
