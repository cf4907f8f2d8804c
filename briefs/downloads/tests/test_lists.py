"""Lists as CSV: the rows of the list in its order, in cells that spreadsheets show as they are."""

import csv
import io
from decimal import Decimal

import pytest
from django.db import DatabaseError

from briefs.downloads import lists
from briefs.downloads.cells import text
from briefs.tests.factories import make_brief, make_customer, make_persona
from conftest import make_user

pytestmark = pytest.mark.django_db
ADDRESSES = ("/briefs.csv", "/api/v1/briefs/csv/")


def rows_of(answer):
    assert answer.status_code == 200
    content = answer.getvalue().decode()
    assert content.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"), newline="")))


def keys(answer):
    return [int(row["Brief"]) for row in rows_of(answer)]


@pytest.fixture
def in_small_parts(monkeypatch):
    monkeypatch.setattr(lists, "KEYS", 2)
    monkeypatch.setattr(lists, "ROWS", 1)


@pytest.mark.parametrize("address", ADDRESSES)
def test_list_is_downloaded_as_it_is_filtered_and_sorted(signed_in, in_small_parts, address):
    pro = [make_brief(plan="pro", value_sort=value) for value in (1, 5, 3)]
    make_brief(plan="free")
    make_brief(plan="pro").close("retained")

    answer = signed_in.get(address, {"plan": "pro", "state": "open", "ordering": "-value"})

    assert keys(answer) == [pro[1].pk, pro[2].pk, pro[0].pk]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer["Content-Disposition"]


def test_row_says_what_the_list_shows(signed_in, user):
    brief = make_brief(
        customer=make_customer(email="kim@acme.example", attributes={"name": "Kim"}),
        persona=make_persona(name="=HYPERLINK(“x”)"),
        assignee=user,
        value_amount=Decimal("-4200.50"),
        value_month=Decimal("350"),
        detail="+SMS\n=1",
    )
    brief.close("churned", "@SUM(1)")

    [row] = rows_of(signed_in.get("/briefs.csv?state=closed"))

    assert row["Link"] == f"http://testserver/briefs/{brief.pk}/"
    assert (row["Customer"], row["E-mail"], row["Assignee"]) == ("Kim", "kim@acme.example", "robin")
    assert (row["Value"], row["Value a month"]) == ("-4200.50", "350.00")  # numbers stay numbers
    assert (row["Persona"], row["What exactly"]) == ("'=HYPERLINK(“x”)", "'+SMS\n'=1")
    assert (row["Outcome"], row["Note at closing"]) == ("Churned", "'@SUM(1)")


@pytest.mark.parametrize(
    ("words", "safe"),
    [
        *((words, f"'{words}") for words in ("=1", "+1", "-1", "@x", " =1", "＝1", "\r1", "\ta")),
        *((words, f"'{words}") for words in ("\u200b=1", "\ufeff +1", "\0@x", "﹣1", '\u00ad"=1')),
        ("\t=1", "'\t'=1"),
        ("\n@x", "'\n'@x"),
        ("a;=1", "a;'=1"),
        ("a\t@x;y", "a\t'@x;y"),
        ("a; \u00a0＋1", "a;' \u00a0＋1"),
        ('a;"=1', "a;'\"=1"),  # the quotes that it gets are read away: a;""=1
        ("So:\n- one, two\r\n- three", "So:\n'- one, two\r\n'- three"),
        (";\t\n=1;=1", ";\t\n'=1;'=1"),
    ],
)
def test_no_text_becomes_a_formula(words, safe):
    assert text(words) == safe


@pytest.mark.parametrize("words", ["", "a=1", "1-2", "Ann", "a; b", "1;2", "a;b-c", "a\tb\nc", ";"])
def test_other_texts_are_as_they_are(words):
    assert text(words) == words


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_no_cell_is_a_formula_whatever_separates_cells_for_a_spreadsheet(signed_in, separator):
    for before in (";", "\t", "\n", "\r\n", "; ", ';"', ';""', "a,b;", 'a"b\n', ';"x";'):
        make_brief(plan=f"x{before}=1;y", company=f"{before}@x", detail=f"+1,{before}-1").close(
            "churned", f"so, {before}={before}+1"
        )

    content = signed_in.get("/briefs.csv?state=closed").getvalue().decode().removeprefix("\ufeff")

    rows = csv.reader(io.StringIO(content, newline=""), delimiter=separator)
    assert [cell for row in rows for cell in row if cell.strip().startswith(tuple("=+-@"))] == []


@pytest.mark.parametrize("address", ADDRESSES)
def test_viewer_gets_no_list_of_who_the_customers_are(client, django_user_model, address):
    make_brief(customer=make_customer(email="zanzibar@acme.example"), detail="zanzibar")
    client.force_login(make_user(django_user_model, "kim", "Viewer"))

    [row] = rows_of(client.get(address))

    assert "zanzibar" not in str(row)
    assert row["Signal"]


def test_viewers_list_is_not_in_the_order_of_names_either(client, django_user_model):
    zoe, ann = (
        make_brief(customer=make_customer(attributes={"name": name}), priority=priority)
        for name, priority in (("Zoe", 4), ("Ann", 1))
    )
    client.force_login(make_user(django_user_model, "kim", "Viewer"))

    assert keys(client.get("/briefs.csv?ordering=customer")) == [zoe.pk, ann.pk]


def test_list_that_breaks_off_says_so_at_its_end(signed_in, in_small_parts, monkeypatch):
    make_brief(), make_brief()
    read = lists.dossiers

    def fails_later(briefs, situation):
        monkeypatch.setattr(lists, "dossiers", fails)
        return read(briefs, situation)

    def fails(*_):
        raise DatabaseError("the server is gone")

    monkeypatch.setattr(lists, "dossiers", fails_later)
    parts = iter(signed_in.get("/briefs.csv"))

    received = []
    with pytest.raises(DatabaseError):
        received.extend(parts)

    *_, row, last = received
    assert b"testserver" in row
    assert last.decode().strip() == lists.BROKE_OFF


def test_program_is_told_which_filters_there_are(signed_in):
    for asked in ({"nonsense": "1"}, {"page_size": "5"}, {"state": "x"}, {"ordering": "x"}):
        answer = signed_in.get("/api/v1/briefs/csv/", asked)

        assert answer.status_code == 400
        assert list(answer.json()["errors"]) == list(asked)


def test_program_that_wants_csv_alone_is_told_of_a_refusal_in_json(signed_in):
    answer = signed_in.get("/api/v1/briefs/csv/?x=1", headers={"Accept": "text/csv"})

    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["errors"]["x"]
