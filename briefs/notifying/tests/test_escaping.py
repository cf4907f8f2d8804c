"""What a customer may be called, as each service is given it, over HTTP and SMTP."""

import contextlib
import email
import json
import re
from email import policy
from urllib.parse import urlsplit

import pytest
import requests

from briefs.notifying import addresses, escaping, messages, sending
from briefs.notifying.tests.listener import Listener, MailListener, may_be_this_machine
from briefs.tests.factories import make_brief, make_customer, make_persona, make_step

SERVICES = {
    "slack": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#channel",
    "slack blocks": "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#channel?blocks=yes",
    "workflows": "workflows://chat.example:443/643bba7dc8d84fd08fc48d6f2d5c6bb5/abcdefghijklmnop",
    "discord": "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    "gchat": "gchat://workspace/webhookkey/webhooktoken",
    "mmosts": "mmosts://chat.example/3ccdd113474722377935511fc85d3dd4?image=yes",
    "tgram": "tgram://123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/12315544/",
    "jsons": "jsons://chat.example/x",
}
DESK = "https://desk.example:8443"
NAMES = [
    "[Open the brief](https://evil.example)",
    "<https://evil.example|Open the brief>",
    "https://evil.example/x",
    "www.evil.example",
    "<!here> <!channel>",
    "*bold* _slanted_ ~struck~ `code`",
    "# head",
    '<a href="https://evil.example">Open</a><img src=x>',
    "Jo\r\nBcc: all@evil.example",
    "Jo\u202egnp.exe\u200b\u2066",
]
JOINER = "\u2060"


@pytest.fixture
def given(monkeypatch, settings):
    """Sends to one of SERVICES, and returns what that was given: the path of each, and the JSON."""
    may_be_this_machine(monkeypatch)
    settings.PUBLIC_URL = DESK
    monkeypatch.setattr(addresses, "resolve", lambda host: [])
    send = requests.adapters.HTTPAdapter.send

    def to_listener(self, request, **kw):
        parts = urlsplit(request.url)
        request.url = parts._replace(scheme="http", netloc=f"127.0.0.1:{listener.port}").geturl()
        return send(self, request, **kw)

    def given(service, subject, body):
        with contextlib.suppress(sending.NotDelivered):  # it answers none as the service does
            sending.deliver(SERVICES[service], subject, body)
        return listener.posts[-1]

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", to_listener)
    with Listener() as listener:
        yield given


def texts(payload):
    """Every text in the payload."""
    if isinstance(payload, dict):
        return [text for value in payload.values() for text in texts(value)]
    if isinstance(payload, list):
        return [text for value in payload for text in texts(value)]
    return [payload] if isinstance(payload, str) else []


def about(name, **kw):
    customer = make_customer(external_id="c_1", attributes={"name": name, "plan": name})
    return messages.about_brief(make_brief(customer=customer, **kw), {"plan": ["plan"]})


# What is quoted


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_no_customer_is_a_link_a_mention_or_a_line_of_its_own(name, settings):
    settings.PUBLIC_URL = DESK

    subject, body = about(name)

    links = re.findall(r"\w+://\S+|www\.\w+|[<>]|@\w+", subject + body)
    assert links == [f"{DESK}/briefs/{body.rstrip('/').rpartition('/')[2]}/"]
    assert len(body.splitlines()) <= 6
    assert not [
        sign for sign in body.replace(JOINER, "") if escaping._is_unseen(sign) and sign != "\n"
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Acme.io", f"Acme.{JOINER}io"),
        ("4.50 EUR", "4.50 EUR"),
        ("Ltd. Next", "Ltd. Next"),
        ("cust_1", "cust_1"),
        ("محمد", "محمد"),
    ],
)
def test_what_is_no_link_stays_as_it_is(text, shown):
    assert escaping.quiet(text) == shown


def test_commands_in_our_own_sentences_can_be_copied():
    words = "Run manage.py supervise; see https://evil.example and @all"

    assert escaping.prose(words) == (
        f"Run manage.py supervise; see https:{JOINER}//evil.example and @{JOINER}all"
    )


@pytest.mark.django_db
def test_name_of_a_persona_is_quoted_and_the_teams_own_link_stays():
    persona = make_persona(name="[x](https://evil.example) @here")
    make_step(text="See https://wiki.example/calls today.", is_wait=True)

    subject, body = messages.about_brief(make_brief(persona=persona), {})

    assert "https://evil" not in subject + body
    assert "@here" not in subject + body
    assert "First step: See https://wiki.example/calls today." in body


# What each service is given


@pytest.mark.django_db
@pytest.mark.parametrize("service", SERVICES)
def test_payload_names_no_address_but_ours(given, service):
    payload = given(service, *about(NAMES[0]))

    schema = {"http://adaptivecards.io/schemas/adaptive-card.json"}  # a name, which nobody opens
    found = re.findall(r"https?:[\\/]+[^\s\"\])]+", " ".join({*texts(payload)} - schema))
    assert {urlsplit(url.replace("\\", "")).netloc for url in found} == {"desk.example:8443"}


# As the service formats it: "\" before a sign makes it plain.
LITERAL = rf"\\\[Open the brief\\\]\\\(https:{JOINER}//evil\.{JOINER}example\\\)"


@pytest.mark.django_db
@pytest.mark.parametrize("service", ["discord", "mmosts", "workflows"])
def test_markdown_is_escaped_where_the_service_formats_it(given, service):
    subject, body = about(NAMES[0])

    said = "\n".join(texts(given(service, f"{subject} *x*", body)))

    assert re.search(LITERAL, said)
    assert r"\*x\*" in said
    assert r"c\_1" in said


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("# head", r"\# head"),
        ("- one\n1. two\n+ three", "\\- one\n1\\. two\n\\+ three"),
        ("*a* _b_ `c` ~~d~~ ||e|| > f", r"\*a\* \_b\_ \`c\` \~\~d\~\~ \|\|e\|\| \> f"),
        ("x https://desk.example/a_b/ *y*", r"x https://desk.example/a_b/ \*y\*"),
        ("&lt;b&gt; \\*", r"\&lt;b\&gt; \\\*"),
    ],
)
def test_signs_of_markdown_are_escaped_and_links_are_not(text, escaped):
    assert escaping.as_text("discord", text) == escaped
    assert escaping.as_text("slack", text) == text


@pytest.mark.django_db
def test_link_to_the_brief_is_one_in_teams(given):
    said = "\n".join(texts(given("workflows", *about("Jo"))))

    assert re.search(r"\[(https://desk\.example:8443/briefs/\d+/)\]\(\1\)", said)


@pytest.mark.django_db
def test_telegram_and_slack_are_given_signs_of_html_as_text(given):
    subject, body = about("Jo & <b>Co</b>")

    assert "Jo &amp; b Co /b" in json.dumps(given("tgram", subject, body))
    assert "Jo &amp; b Co /b" in json.dumps(given("slack", subject, body))


@pytest.mark.django_db
@pytest.mark.parametrize("name", NAMES)
def test_mail_is_plain_text_with_our_subject_and_our_receiver_only(name, monkeypatch):
    may_be_this_machine(monkeypatch)
    with MailListener() as listener:
        sending.deliver(listener.address, *about(name))

    mail = email.message_from_string(listener.mails[0], policy=policy.default)
    assert mail.get_content_type() == "text/plain"
    assert (mail["To"], mail["Bcc"]) == ("team@example.com", None)
    assert "evil.example" not in mail["Subject"]


@pytest.mark.django_db
def test_subject_cannot_add_a_header(monkeypatch):
    may_be_this_machine(monkeypatch)
    with MailListener() as listener, contextlib.suppress(sending.NotDelivered):
        sending.deliver(listener.address, "Jo\r\nBcc: all@evil.example", "Body")

    assert not [m for m in listener.mails if re.search(r"^Bcc:", m, re.MULTILINE)]
