"""One list of searches over ten briefs, the same on both databases."""

import random

import pytest
from django.core.cache import cache

from briefs.finding import search as searching
from briefs.finding.listing import listing
from briefs.finding.search import Search, search
from briefs.finding.words import indexing
from briefs.finding.words.documents import MOST_WORDS
from briefs.finding.words.matching import Statements, TooSlow
from briefs.models import Brief, Comment, ContactLog
from briefs.models.causes import message_key
from briefs.tests.factories import (
    make_brief,
    make_cause,
    make_customer,
    make_persona,
    make_reason,
    make_research,
    make_signal,
    make_step,
)
from personas.models import AttributeName, Customer, CustomerAlias

pytestmark = pytest.mark.django_db


@pytest.fixture
def briefs(user):
    """Ten briefs by the names that the list of searches has for them, the oldest first."""
    AttributeName.objects.create(role="industry", label="Industry", names="industry")
    bank = make_persona(name="Enterprise, active", playbook="Call the treasurer.")
    shop = make_persona(name="Small shop", playbook="Offer a discount.")
    make_step(kind="spam_complaint", text="Apologise within a day.")
    answer = make_research(answer="Cap the **newsletters** at two a week [1].")
    found = {
        "henrik": brief(
            bank, "Henrik Sand", "henrik@fjord.example", external_id="acme-1004", cio_id="0a1b2c",
            company="Fjord Shipping AS", industry="banking",
            of_brief={"kind": "spam_complaint", "research": answer},
        ),
        "zoe": brief(
            bank, "Zoë Müller-Lüdenscheid", "zoe.mueller@example.de", phone="+491701234567",
            of_brief={"persona_why": "industry is “insurance”"},
        ),
        "straße": brief(shop, "Jörg Groß", "joerg@strasse.example", company="Straßenbau & Söhne"),
        "tokyo": brief(
            shop, "東京 太郎", "taro@tokyo.example", company="東京商事",
            of_brief={"persona_why": "คุณสมชายใจดีมาก"},
        ),
        "anna": brief(shop, "Anna Lee", "anna@example.com", external_id="user-77"),
        "annabel": brief(shop, "Annabel Ito", "a.ito@example.com", external_id="user-777"),
        "closed": brief(
            shop, "Bo Yang", "bo@example.com",
            of_brief={
                "state": "closed", "outcome": "retained", "closed_at": "2026-11-23T12:00Z",
                "closing_note": "Moved to a digest.", "closing_reason": make_reason("Too many"),
            },
        ),
        "signal": brief(shop, "Cy Noor", "cy@example.com"),
        "talked": brief(shop, "Di Ohm", "di@example.com", of_brief={"research": answer}),
        "former": brief(shop, "Ed Park", "ed@example.com"),
    }  # fmt: skip
    make_signal(
        brief=found["signal"],
        message={
            "campaign_name": "Spring sale", "subject": "Ünlimited offers",
            "recipient": "old@cy.example",
        },
    )  # fmt: skip
    Comment.objects.create(
        brief=found["talked"], actor=user, text="The owner is on leave until Easter."
    )
    ContactLog.objects.create(
        brief=found["talked"],
        actor=user,
        channel="phone",
        is_reached=True,
        note="Wants fewer mails",
    )
    former = {"cio_id": "aa11", "id": "old-id-1", "email": "edward@before.example"}
    CustomerAlias.objects.remember(found["former"].customer.pk, former)
    indexing.run()
    return found


def brief(persona, name, email, *, of_brief=None, industry="", **kw):
    attributes = {"name": name, "industry": industry}
    customer = make_customer(email=email, attributes=attributes, **kw)
    return make_brief(customer=customer, persona=persona, **(of_brief or {}))


SHOP = "straße tokyo anna annabel closed signal talked former"
ALL = f"henrik zoe {SHOP}"
# What is typed, which brief comes first, and all that are found (the same, if it is not said).
SEARCHES = [
    # Who it is
    ("henrik", "henrik", None),
    ("HENRIK sand", "henrik", None),
    ("sand henrik", "henrik", None),
    ("hen", "henrik", None),
    ("enrik", None, ""),
    ("henrik@fjord.example", "henrik", None),
    ("henrik@fjord", "henrik", None),
    ("fjord.example", "henrik", None),
    ("fjord", "henrik", None),
    ("acme-1004", "henrik", None),
    ("1004", "henrik", None),
    ("acme", "henrik", None),
    ("acme-9999", None, ""),
    ("0a1b2c", "henrik", None),
    ("0A1B2", "henrik", None),
    ("cio_0a1b2c", "henrik", None),
    ("shipping", "henrik", None),
    ("Fjord Shipping AS", "henrik", None),
    ("banking", "henrik", None),
    ("user-77", "anna", "anna annabel"),
    ("user-777", "annabel", None),
    ('"user-77"', "anna", None),
    ("anna", "anna", "anna annabel"),
    ('"anna"', "anna", None),
    ("anna -ito", "anna", None),
    ("example.com", "former", "anna annabel closed signal talked former"),
    # Other scripts and accents
    ("zoe", "zoe", None),
    ("Zoë", "zoe", None),
    ("ZOE MULLER", "zoe", None),
    ("müller-lüdenscheid", "zoe", None),
    ("ludenscheid", "zoe", None),
    ("strasse", "straße", None),
    ("STRASSENBAU", "straße", None),
    ("gross", "straße", None),
    ("東京", "tokyo", None),
    ("京", "tokyo", None),
    ("ใจดี", "tokyo", None),
    # Numbers
    ("+49 170 1234567", "zoe", None),
    ("+491701234567", "zoe", None),
    ("0170/1234567", "zoe", None),
    ("1234567", "zoe", None),
    ("{henrik}", "henrik", None),
    # What it is about
    ("spam complaint", "henrik", None),
    ("complaint", "henrik", None),
    ("enterprise,", "zoe", "henrik zoe"),
    ("treasurer", "zoe", "henrik zoe"),
    ("apologise", "henrik", None),
    ("small shop", "former", SHOP),
    ("spring sale", "signal", None),
    ('"sale spring"', None, ""),
    ("unlimited", "signal", None),
    ("old@cy.example", "signal", None),
    ("insurance", "zoe", None),
    # What people wrote
    ("digest", "closed", None),
    ("too many", "closed", None),
    ('"on leave until easter"', "talked", None),
    ('"leave easter"', None, ""),
    ("easter fewer", "talked", None),
    ('"easter fewer"', None, ""),
    # Research, and all of it together
    ("newsletters", "talked", "henrik talked"),
    ("newsletters -spam", "talked", None),
    ("sand complaint treasurer newsletters", "henrik", None),
    ("sand digest", None, ""),
    # Before
    ("edward@before", "former", None),
    ("old-id", "former", None),
    ("aa11", "former", None),
    # Signs
    ("100%", "henrik", None),  # the sign is none of its words
    ("_", None, ""),
    ("%", None, ""),
    ("-henrik -zoe", "former", SHOP),
    ('-"small shop"', "zoe", "henrik zoe"),
    ('"', None, ""),
]


def test_search_finds(briefs):
    """All of the list in one test: to write ten briefs takes longer than a search among them."""
    names = {one.pk: name for name, one in briefs.items()}
    wrong = {}
    for typed, first, others in SEARCHES:
        asked = Search(typed.replace("{henrik}", f"#{briefs['henrik'].pk}"))
        ranked = asked.ranked([one.pk for one in asked.narrow(Brief.objects.all())])
        found = [names[key] for key in ranked]
        expected = (first or "").split() if others is None else others.split()
        if set(found) != set(expected) or found[:1] != ([first] if first else []):
            wrong[typed] = found

    assert wrong == {}


@pytest.mark.parametrize("typed", ['"the anchor"', "the-anch", '"owner of the anchor"'])
def test_phrase_is_found_however_often_its_words_occur(briefs, user, typed):
    """PostgreSQL keeps 256 places of a word, and leaves out the last ones."""
    text = "the owner of " * 300 + "the anchor"
    Comment.objects.create(brief=briefs["talked"], actor=user, text=text)
    indexing.run()

    assert list(search(Brief.objects.all(), typed)) == [briefs["talked"]]


@pytest.mark.parametrize(
    "typed",
    [
        "12345678-1234-4abc-a716-446655440000",  # begins as a phone number does
        "12345678-1234-4abc",
        "+49 (0)170 / 123 45 67",
        "\u202a+49 170 123 45 67\u202c",  # as an address book gives it
        "4,900",
        '"4,900"',
        "4900",
        "soren YILDIZ",
        "Søren yıldız",
        "news\u200bletter",
        "O'Brien",
    ],
)
def test_what_pages_print_is_found_as_people_copy_and_type_it(typed):
    AttributeName.objects.create(role="seats", label="Seats", names="seats")
    customer = make_customer(
        external_id="12345678-1234-4abc-a716-446655440000",
        phone="+491701234567",
        attributes={"name": "Søren Yıldız", "seats": "4900"},
        company="O\u02bcBrien",
    )
    one = make_brief(customer=customer, research=make_research(answer="Cap the news\u00adletter."))
    make_brief(customer=make_customer(external_id="12345678-1234-9", phone="+4917012345"))
    indexing.run()

    assert list(search(Brief.objects.all(), typed)) == [one]


# Of what a page prints of a brief, and programs read of it: one piece in each line.
MESSAGES = {
    "a campaign": {"campaign_name": "Spring sale", "campaign_id": "42", "action_id": "977"},
    "a campaign without a name": {"campaign_id": 42, "action_id": "977"},
    "a broadcast": {"broadcast_name": "Spring sale", "broadcast_id": "42", "action_id": "977"},
    "a newsletter": {"newsletter_name": "Spring sale", "newsletter_id": "42"},
    "a transactional message": {"transactional_message_id": "42", "channel": "sms"},
}
IDS = ("delivery_id", "content_id", "template_id", "journey_id", "trigger_id", "parent_action_id")


@pytest.mark.parametrize("typed", ["42", "(no. 42)", "no. 42", "No.42", "message 42", '"42"'])
@pytest.mark.parametrize("message", MESSAGES)
def test_number_of_a_message_is_found(message, typed):
    one, _ = _with_messages(MESSAGES[message], {"campaign_id": "43", "action_id": "978"})

    assert list(search(Brief.objects.all(), typed)) == [one]


@pytest.mark.parametrize("message", MESSAGES)
def test_message_is_found_as_its_incident_is_called_where_nothing_names_it(message):
    ids = {name: value for name, value in MESSAGES[message].items() if name.endswith("id")}
    one, _ = _with_messages(MESSAGES[message], {"newsletter_id": "43"})
    called = make_cause(message=message_key(ids), described=ids).name

    assert list(search(Brief.objects.all(), called)) == [one]


@pytest.mark.parametrize("name", IDS)
def test_ids_of_customer_io_that_programs_read_are_found(name):
    one, _ = _with_messages({name: "dgT-77_x="}, {name: "dgT-78"})

    assert list(search(Brief.objects.all(), "dgT-77_x=")) == [one]


def _with_messages(*messages):
    briefs = without_numbers(len(messages))
    for one, message in zip(briefs, messages, strict=True):
        make_signal(brief=one, event=None, message=message)
    indexing.run()
    return briefs


def without_numbers(count, **of_customer):
    """Briefs that say no number. Those of their own are higher than all that the tests look for."""
    persona = make_persona(name="Somebody")
    return [
        make_brief(
            id=900_000_000 + place,
            persona=persona,
            customer=make_customer(
                external_id="x" * (place + 1), cio_id=None, email="", attributes={}, **of_customer
            ),
        )
        for place in range(count)
    ]


def test_value_is_found_as_pages_print_it_and_without_commas():
    value = {
        "value_amount": 15_000, "value_currency": "USD", "value_period": "year",
        "value_month": 1_250, "value_level": "person",
    }  # fmt: skip
    without_numbers(1)
    customer = make_customer(attributes={}, **value)
    one = make_brief(customer=customer, **value)
    indexing.run()

    for typed in ("15,000", "15000", "1,250", "1250", "USD 15,000 a year", '"USD 1,250 a month"'):
        assert list(search(Brief.objects.all(), typed)) == [one], typed
        assert Search(typed).customers(5) == [customer], typed


def test_customer_without_a_name_is_found_as_pages_call_them():
    customer = make_customer(external_id=None, cio_id=None, email="", attributes={})
    indexing.run()

    assert Search(str(customer)).customers(5) == [customer]


@pytest.mark.parametrize("typed", ["Brief {}", "brief #{}", "BRIEF  {}"])
def test_brief_is_found_by_what_pages_call_it(briefs, typed):
    found = Search(typed.format(briefs["zoe"].pk))

    assert list(found.narrow(Brief.objects.all())) == [briefs["zoe"]]


# What may be two words as well as a phone number: by name, what a comment says.
BOTH = {
    "phone": "",
    "apart": "Plans of 2024 differ from those of 2025.",
    "together": "Plans of 2024 2025.",
    "one": "Plans of 2024.",
}


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("2024 2025", "apart phone together"),
        ("plans 2024 2025", "apart together"),
        ("2024 2025 -plans", "phone"),
        ("2024 -2025", "one phone together"),
        ("-2024 2025", ""),  # no phone number begins so
        ("2024 2026", ""),
        ("20242025", "phone"),
        ("+20242025", "phone"),
        ("020242025", "phone"),
        ("0020242025", "phone"),
        ("020 242 025", "phone"),
        ('"0202 42025"', "phone"),
        ('"2024 2025"', "phone together"),
        ("-0202 42025", "apart one together"),
        ("-+2024 2025", "apart one"),
        ("2024 2025 2024", "apart together"),
        ("(0)(0)(0)(0)(0)(0)0", ""),  # nothing but what is dialled before a number
        ('"(0)(0)(0)(0)(0)(0)00"', ""),
    ],
)
def test_numbers_in_a_row_are_words_and_a_phone_number(user, typed, found):
    briefs = dict(zip(BOTH, without_numbers(len(BOTH)), strict=True))
    for name, one in briefs.items():
        Comment.objects.create(brief=one, actor=user, text=BOTH[name])
    Customer.objects.filter(pk=briefs["phone"].customer_id).update(phone="+20242025")
    indexing.run()

    names = {one.pk: name for name, one in briefs.items()}
    shown = [names[one.pk] for one in search(Brief.objects.all(), typed)]
    assert sorted(shown) == found.split()


def test_what_answers_and_personas_say_counts_in_numbers_in_a_row(user):
    persona = make_persona(playbook="Prices of 2025.")
    one = make_brief(persona=persona, research=make_research(answer="Prices of 2024."))
    indexing.run()

    assert one in search(Brief.objects.all(), "2024 2025")


def test_numbers_in_a_row_count_as_the_words_they_are(user):
    """Nearest first: the number itself, then both words of a comment, then of an answer."""
    answer = make_research(answer="2024, and 2025.")
    phone, comment, research = without_numbers(3)
    Customer.objects.filter(pk=phone.customer_id).update(phone="+20242025")
    Comment.objects.create(brief=comment, actor=user, text="2024, or perhaps 2025.")
    Brief.objects.filter(pk=research.pk).update(research=answer)
    indexing.run()

    asked = Search("2024 2025")
    assert asked.ranked([research.pk, comment.pk, phone.pk]) == [
        phone.pk, comment.pk, research.pk,
    ]  # fmt: skip


def test_number_alone_finds_the_brief_of_this_number_too(briefs):
    found = search(Brief.objects.all(), str(briefs["zoe"].pk))

    assert briefs["zoe"] in found


def test_no_words_find_everything(briefs):
    assert search(Brief.objects.all(), "  ").count() == len(briefs)


def test_words_find_customers_with_and_without_a_brief(briefs):
    alone = make_customer(attributes={"name": "Anna without a brief"})
    indexing.run()

    assert Search("anna -lee").customers(5) == [alone, briefs["annabel"].customer]
    assert Search(f"#{briefs['anna'].pk}").customers(5) == []
    assert set(Search("anna").customers(5)) == {
        alone, briefs["anna"].customer, briefs["annabel"].customer,
    }  # fmt: skip


def test_of_a_common_word_the_newest_of_the_list_are_found(briefs, monkeypatch):
    monkeypatch.setattr(searching, "FEW", 3)
    monkeypatch.setattr(searching, "MOST", 2)
    monkeypatch.setattr(searching, "ENOUGH", 2)
    monkeypatch.setattr(searching, "LOOKED_AT", (3, 7))
    found = Search("shop")

    assert set(found.narrow(Brief.objects.all())) == {briefs["talked"], briefs["former"]}
    assert found.is_cut
    of_few = Search("shop")
    assert set(of_few.narrow(Brief.objects.filter(state="closed"))) == {briefs["closed"]}
    assert not of_few.is_cut
    old = Search("enterprise").narrow(Brief.objects.all())
    assert set(old) == {briefs["henrik"], briefs["zoe"]}  # these are few


@pytest.mark.parametrize(
    ("rows", "found", "is_cut"),
    [
        ("S", "0", False),
        ("SS", "0 1", False),
        ("SSS", "0 1", True),  # two are enough, and there is another row
        ("S--", "0", False),
        ("S-S", "0 2", False),  # one is not enough: more are looked at
        ("---S-", "3", False),
        ("S---SS", "0 4", True),
        ("-----S", "", True),  # never looked at
        ("SSSSSS", "0 1", True),
    ],
)
def test_more_rows_are_looked_at_where_few_are_found(monkeypatch, user, rows, found, is_cut):
    """From the newest on; S: a brief whose comment says the word, or one without."""
    monkeypatch.setattr(searching, "FEW", 0)
    monkeypatch.setattr(searching, "ENOUGH", 2)
    monkeypatch.setattr(searching, "LOOKED_AT", (2, 5))
    briefs = [(make_brief(), sign) for sign in reversed(rows)][::-1]
    for brief, sign in briefs:
        if sign == "S":
            Comment.objects.create(brief=brief, actor=user, text="Said so.")
    indexing.run()

    asked = Search("said")
    asked.narrow(Brief.objects.filter(pk__in=[brief.pk for brief, _ in briefs]))

    assert asked.newest == [briefs[int(place)][0].pk for place in found.split()]
    assert asked.is_cut == is_cut


def test_the_newest_of_a_list_are_looked_for_once(briefs, user, rf, monkeypatch):
    """Whether they are of the list was asked when they were found, and is not asked again."""
    monkeypatch.setattr(searching, "FEW", 3)
    request = rf.get("/")
    request.user = user
    shown = listing({"q": "shop", "assignee": "nobody"}, request)
    found = {brief.pk for brief in shown.found.qs}
    Brief.objects.update(assignee=user)

    assert found
    assert set(shown.keys) == found


def test_that_a_word_is_common_is_known_for_a_minute(briefs, monkeypatch):
    """So further pages and other tabs do not read it again. Of another word nothing is known."""
    monkeypatch.setattr(searching, "FEW", 3)
    assert Search("shop").hits is None
    Brief.objects.exclude(pk=briefs["talked"].pk).delete()

    assert Search("shop").hits is None
    assert Search("shop ohm").hits == [briefs["talked"].pk]
    cache.clear()  # as after a minute
    assert Search("shop").hits == [briefs["talked"].pk]


@pytest.mark.parametrize(
    ("typed", "expected"), [("newsletters ohm", "talked"), ("ohm -newsletters", "")]
)
def test_of_a_word_that_very_many_answers_say_none_is_passed_over(
    briefs, monkeypatch, typed, expected
):
    """The first answers that the index has may be those of other briefs."""
    monkeypatch.setattr(searching, "MOST_ANSWERS", 1)
    talked = briefs["talked"]
    for _ in range(2):
        talked.research = make_research(answer="Cap the newsletters.")
        talked.save()
    indexing.run()

    found = Search(typed)

    assert [one.pk for one in found.narrow(Brief.objects.all())] == [talked.pk] * bool(expected)
    assert found.is_complete


def test_search_that_the_database_gives_up_says_so(briefs, monkeypatch):
    def slow(*args, **kw):
        raise searching.TooSlow

    monkeypatch.setattr(searching.Statements, "rows", slow)
    found = Search("shop")

    assert not found.narrow(Brief.objects.all()).exists()
    assert found.is_slow
    assert found.customers(5) == []


@pytest.mark.on_postgresql
def test_settings_of_a_search_end_with_it(briefs):
    from django.db import connection

    search(Brief.objects.all(), "shop")

    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_seqscan")
        assert cursor.fetchone() == ("on",)
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() != ("1min",)  # of the tests


@pytest.mark.on_postgresql
def test_search_ends_in_its_time(briefs, settings):
    settings.SEARCH_MILLISECONDS = 50
    database = Statements()

    with pytest.raises(TooSlow):
        database.rows("SELECT pg_sleep(60)", [])
    settings.SEARCH_MILLISECONDS = 60_000
    assert database.rows("SELECT 1", []) == [(1,)]


@pytest.mark.on_postgresql
@pytest.mark.django_db(transaction=True)
def test_search_in_no_transaction_ends_in_its_time_and_leaves_no_setting(settings):
    from django.db import connection

    settings.SEARCH_MILLISECONDS = 50
    database = Statements()

    with pytest.raises(TooSlow):
        database.rows("SELECT pg_sleep(60)", [])
    settings.SEARCH_MILLISECONDS = 60_000
    assert database.rows("SELECT current_setting('enable_seqscan'), 1", []) == [("off", 1)]
    with connection.cursor() as cursor:
        cursor.execute("SHOW enable_seqscan")
        assert cursor.fetchone() == ("on",)


SIGNS = "abcé漢字0123456789 \"'“”-#+*&|!():<>\\%_@./\0\n\t\ud800\u0301ß½🙂اहि"
OF_NUMBERS = ("0", "0", "1", "23", "(0)", "(", ")", " ", " ", "+", "-", ".", "/", '"', "#", ",")


def any_text(dice):
    signs = dice.choice((SIGNS, OF_NUMBERS))
    return "".join(dice.choice(signs) for _ in range(dice.randrange(1, 40)))


@pytest.mark.parametrize(
    "count", [pytest.param(200, id="some"), pytest.param(10_000, id="many", marks=pytest.mark.long)]
)
def test_any_input_is_safe(count):
    """What the text asks for is found; no text is an error, whatever the database reads into it."""
    make_brief(persona_why="abc")
    indexing.run()
    dice = random.Random(14)

    for _ in range(count):
        found = Search(any_text(dice))
        found.ranked([one.pk for one in found.narrow(Brief.objects.all())])
        found.customers(3)


@pytest.mark.parametrize(
    "text", ["x" * 1_000_000, "word " * 100_000, "-" * 50_000, '"' * 50_000, "\0", "#" + "9" * 400]
)
def test_huge_input_is_cut(text):
    assert not search(Brief.objects.all(), text).exists()
    assert len(Search(text).terms) <= 10


@pytest.mark.parametrize("name", ["\ud800", "NUL", "🙂", "a" * 5_000, "'quoted' \\ back:slash*"])
def test_any_text_can_be_written_into_a_document(name):
    one = make_brief(persona_why=name.encode("utf-8", "ignore").decode() + " needle")
    Customer.objects.filter(pk=one.customer_id).update(company=name[:100].replace("\ud800", ""))

    indexing.run()

    assert list(search(Brief.objects.all(), "needle")) == [one]


def test_document_of_the_longest_words_and_widest_letters_can_be_written(briefs, user):
    """PostgreSQL takes a megabyte. If it refused one document, none would be written any more."""
    widest = str.maketrans({str(digit): chr(0x10428 + digit) for digit in range(10)})
    words = [f"{number:04}".ljust(80, "0").translate(widest) for number in range(MOST_WORDS)]
    Comment.objects.bulk_create(
        Comment(brief=briefs["talked"], actor=user, text=" ".join(words[start : start + 200]))
        for start in range(0, MOST_WORDS, 200)
    )
    indexing.run()

    assert list(search(Brief.objects.all(), words[4_000])) == [briefs["talked"]]
