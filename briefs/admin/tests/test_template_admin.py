"""The admin pages of the question's text: edit, preview, count, and use an earlier version."""

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from briefs.desk.tests.pages import messages, text
from briefs.models import QuestionTemplate, TemplateChoice
from briefs.research.questions import Asker, built_in
from briefs.tests.factories import make_persona, question_for
from personas.admin.tests.test_admin import form_of
from personas.models import Persona

pytestmark = pytest.mark.django_db

LIST = reverse("admin:briefs_questiontemplate_changelist")
ADD = reverse("admin:briefs_questiontemplate_add")
BUILT_IN = reverse("admin:briefs_questiontemplate_use_built_in")
OWN = "Who are {segment}? {facts}. They did: {signal}."


def own(words=OWN, **kw):
    return QuestionTemplate.objects.write(words, **kw)


def page(version, view="change"):
    return reverse(f"admin:briefs_questiontemplate_{view}", args=[version.pk])


def save(client, url=ADD, words=OWN, **kw):
    return client.post(url, {"text": words, "note": "Shorter.", "_save": "Save", **kw}, follow=True)


def look(client, url=ADD, words=OWN, **kw):
    return client.post(url, {"text": words, "note": "Mine", "_preview": "Preview", **kw})


def refusal(response):
    form = response.context["adminform"].form
    return " ".join(sentence for errors in form.errors.values() for sentence in errors)


def in_use():
    return Asker.load().wording


@pytest.fixture
def viewer(client, user):
    user.is_staff = True
    user.save()
    user.user_permissions.add(Permission.objects.get(codename="view_questiontemplate"))
    client.force_login(user)
    return client


# Versions


def test_first_version_starts_from_the_built_in_text(admin_client):
    assert admin_client.get(ADD).context["adminform"].form["text"].value() == built_in().text


def test_form_says_that_sharing_begins_anew_and_what_that_may_cost(admin_client, starter):
    words = " ".join(admin_client.get(ADD).content.decode().split())

    assert "answers to the earlier wording are no longer shared</b>; at most " in words
    assert " credits if every single one is asked." in words


def test_saving_makes_a_version_that_is_used_and_says_who_wrote_it(admin_client, admin_user):
    response = save(admin_client)

    version = QuestionTemplate.objects.get()
    assert (version.text, version.note, version.created_by) == (OWN, "Shorter.", admin_user)
    assert in_use() == version.wording
    assert f"Version {version.version} is saved" in " ".join(messages(response))


def test_edit_makes_another_version_and_leaves_the_first_as_it_was(admin_client):
    first = own(note="first")

    save(admin_client, page(first), f"{OWN} Why?\r\nTell me.")

    first.refresh_from_db()
    newest = QuestionTemplate.objects.first()
    assert (first.text, first.note) == (OWN, "first")
    assert newest.text == f"{OWN} Why?\nTell me."
    assert in_use() == newest.wording


def test_page_of_a_version_shows_its_text_and_asks_for_a_new_note(admin_client):
    form = admin_client.get(page(own(note="first"))).context["adminform"].form

    assert form["text"].value() == OWN
    assert not form["note"].value()


def test_earlier_version_is_used_again(admin_client, admin_user):
    first, second = own(), own(f"{OWN} Why?")

    response = admin_client.post(page(first, "use"), follow=True)

    assert in_use() == first.wording
    assert QuestionTemplate.objects.count() == 2
    assert TemplateChoice.objects.first().chosen_by == admin_user
    assert messages(response) == [f"{first} is in use: the next brief asks by it."]
    assert second.choices.count() == 1


def test_built_in_text_is_used_again(admin_client):
    own()

    admin_client.post(BUILT_IN)

    assert in_use() == built_in()


def test_using_what_is_in_use_changes_nothing(admin_client):
    version = own()

    response = admin_client.post(page(version, "use"), follow=True)

    assert messages(response) == ["It is in use already."]
    assert TemplateChoice.objects.count() == 1


def test_version_that_has_become_too_long_is_not_used_again(admin_client):
    first = own(f"{OWN}{{description}}")
    TemplateChoice.use_built_in()
    make_persona(name="Wordy", description="x" * 4_000)

    response = admin_client.post(page(first, "use"), follow=True)

    assert messages(response)[0].startswith("Not changed. For “Wordy”")
    assert in_use() == built_in()


def test_use_needs_post(admin_client):
    version = own()

    assert admin_client.get(page(version, "use")).status_code == 405
    assert admin_client.get(BUILT_IN).status_code == 405


def test_version_that_is_not_there_cannot_be_used(admin_client):
    url = reverse("admin:briefs_questiontemplate_use", args=[4711])

    assert admin_client.post(url).status_code == 404


def test_nobody_deletes_a_version(admin_client):
    assert admin_client.post(page(own(), "delete"), {"post": "yes"}).status_code == 403


# Refusals


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (f"{OWN} {{fact}}", "Did you mean {facts}?"),
        (f"{OWN} {{segment.__class__}}", "reaches into a variable"),
        (f"{OWN} zoe@quartz.example", "looks like an e-mail address"),
        ("{segment}", "{signal} must be in the text"),
        ("", "This field is required."),
        (built_in().text, "This text is in use already"),
    ],
)
def test_text_that_cannot_be_asked_is_not_saved(admin_client, words, sentence):
    response = save(admin_client, words=words)

    assert sentence in refusal(response)
    assert not QuestionTemplate.objects.exists()


def test_text_too_long_for_a_persona_is_refused_by_name(admin_client):
    make_persona(name="Wordy", description="x" * 3_990)

    response = save(admin_client, words=f"{OWN}{{description}}")

    assert "For “Wordy” and “Another address, not theirs”" in refusal(response)
    assert not QuestionTemplate.objects.exists()


def test_built_in_text_is_not_saved_as_the_teams_own(admin_client):
    version = own()

    assert "This is the built-in text." in refusal(save(admin_client, words=built_in().text))
    assert in_use() == version.wording


def test_text_of_an_earlier_version_is_not_saved_twice(admin_client):
    first = own()
    own(f"{OWN} Why?")

    assert f"{first} says exactly this." in refusal(save(admin_client))


def test_text_written_before_another_version_came_into_use_is_saved_only_when_confirmed(
    admin_client,
):
    other = own("{segment} {signal}")

    response = save(admin_client, based_on="1")

    assert f"Meanwhile version {other.version} came into use." in refusal(response)
    again = response.context["adminform"].form["based_on"].value()
    save(admin_client, based_on=again)
    assert in_use().text == OWN


# Preview


def test_preview_is_exactly_the_text_that_is_sent_and_saves_nothing(admin_client, starter):
    pro = Persona.objects.get(name="Pro, low usage")

    response = look(admin_client, words=built_in().text, persona=pro.pk, signal="bounced")

    sent = question_for(pro, "bounced", ["plan is pro"]).text
    assert response.context["preview"].text == sent
    assert sent in response.content.decode().replace("&#x27;", "'")
    assert not QuestionTemplate.objects.exists()


def test_preview_keeps_what_was_typed(admin_client, starter):
    trial = Persona.objects.get(name="Trial")

    form = look(admin_client, persona=trial.pk, signal="bounced").context["adminform"].form

    assert [form[name].value() for name in ("text", "note", "persona", "signal")] == [
        OWN, "Mine", str(trial.pk), "bounced"]  # fmt: skip
    assert not form.errors


def test_preview_of_an_edit_leaves_the_version_alone(admin_client, starter):
    version = own()

    look(admin_client, page(version), "{signal} {segment}")

    version.refresh_from_db()
    assert version.text == OWN
    assert QuestionTemplate.objects.count() == 1


def test_preview_of_a_text_with_mistakes_names_them(admin_client, starter):
    response = look(admin_client, words="{segment} {sginal}")

    assert "Did you mean {signal}?" in refusal(response)
    assert "Nothing to show: correct the text first." in text(response)


def test_preview_says_how_many_questions_the_typed_text_can_ask(admin_client, starter):
    assert "at most 16,716 different questions" in text(look(admin_client))
    assert "at most 84 different questions" in text(look(admin_client, words="{segment} {signal}"))


def test_preview_without_a_persona_that_buys_says_so(admin_client):
    assert "no persona opens a brief and buys research" in text(look(admin_client))


def test_unknown_persona_and_signal_are_named_as_mistakes(admin_client, starter):
    response = look(admin_client, persona="4711", signal="rain")

    assert "Select a valid choice" in refusal(response)


# Lists and permissions


def test_list_marks_the_version_in_use_and_keeps_who_used_what(admin_client, admin_user):
    first, second = own(by=admin_user), own(f"{OWN} Why?")
    first.use(admin_user)

    response = admin_client.get(LIST)

    shown = {row.pk: row.chosen == row.pk for row in response.context["cl"].result_list}
    assert shown == {first.pk: True, second.pk: False}
    assert f"In use: version {first.version}." in text(response)
    assert "by admin" in text(response)


def test_list_says_what_the_rules_can_ask_and_what_it_costs(admin_client, starter):
    words = text(admin_client.get(LIST))

    assert "In use: the built-in text." in words
    assert "at most 16,716 different questions : 167,160 to 1,253,700 credits" in words
    assert "Trial 12 164 1,968 147,600" in words


def test_list_warns_of_a_persona_that_has_become_too_long(admin_client):
    make_persona(name="Wordy", description="x" * 4_000)

    assert "For “Wordy” and" in text(admin_client.get(LIST))


def test_list_needs_no_query_per_row(admin_client, django_assert_max_num_queries):
    for number in range(20):
        own(f"{OWN} {number}")

    with django_assert_max_num_queries(16):
        assert admin_client.get(LIST).context["cl"].result_count == 20


def test_viewer_sees_text_preview_and_count_and_changes_nothing(viewer, starter):
    version = own()

    shown = viewer.get(f"{page(version)}?signal=bounced")
    statuses = [
        save(viewer, page(version)).status_code, save(viewer).status_code,
        look(viewer, page(version)).status_code, viewer.post(page(version, "use")).status_code,
        viewer.post(BUILT_IN).status_code,
    ]  # fmt: skip

    assert OWN in shown.content.decode()
    assert "They did: Bounced, cause unclear." in shown.context["preview"].text
    assert '<textarea name="text"' not in shown.content.decode()
    assert "Use the built-in text" not in text(viewer.get(LIST))
    assert statuses == [403] * 5


# The persona's own page


def test_persona_page_says_how_many_questions_it_can_ask(admin_client, starter):
    trial = Persona.objects.get(name="Trial")

    words = text(admin_client.get(reverse("admin:personas_persona_change", args=[trial.pk])))

    assert "at most 1,968 (12 signals × 164 combinations of facts), for 19,680 to 147,600" in words


def test_persona_that_opens_no_brief_asks_nothing(admin_client, starter):
    free = Persona.objects.get(name="Free, heavy use")

    words = text(admin_client.get(reverse("admin:personas_persona_change", args=[free.pk])))

    assert "none, because no research is bought for this persona" in words


def test_trying_a_persona_says_how_many_questions_the_change_would_ask(admin_client, starter):
    url = reverse("admin:personas_persona_change", args=[Persona.objects.get(name="Trial").pk])
    data = form_of(admin_client, url) | {"conditions-0-value": "trial", "_try": "Try"}

    words = " ".join(messages(admin_client.post(url, data)))

    assert "Different questions: at most 252 (12 signals × 21 combinations of facts)" in words


def test_pages_obey_the_content_security_policy(admin_client, starter):
    for url in (LIST, ADD, page(own())):
        html = admin_client.get(url).content.decode()
        assert " style=" not in html
        assert "onclick=" not in html
