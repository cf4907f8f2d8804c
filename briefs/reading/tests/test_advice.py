"""Which words name a channel, and which headings forbid the text below them."""

import pytest

from briefs.reading import advice

KEYS = ("email", "sms", "push", "in_app")


def named(text, keys=KEYS):
    return [(found.lastgroup, found[0]) for found in advice.named(text, keys)]


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("email", "Send an <e-mail> within 24 hours."),
        ("email", "<Emails> from a person are read."),
        ("email", "I'd have Priya <email> first thing on Monday."),
        ("email", "What works is <emailing> a short video."),
        ("email", "They should be <e-mailed> by the owner."),
        ("email", "Do not send another <E-MAIL>."),
        ("email", "Medium: <e‑mail>."),
        ("email", "An <e–mail> is best."),
        ("email", "An <e mail> is best."),
        ("email", "<Email>/phone."),
        ("email", "Their <e-mail> preferences are closed."),
        ("email", "Done by <email>.Then call."),
        ("email", "Keep the <newsletter> light."),
        ("email", "An <e-newsletter> keeps the door open."),
        ("email", "Two <newsletters> a month."),
        ("sms", "Reach them by <SMS>."),
        ("sms", "Two <SMSes> are enough."),
        ("sms", "Use <text messaging> sparingly."),
        ("sms", "Follow up by <text message>."),
        ("sms", "Send <text-messages>."),
        ("sms", "<Text> them a link."),
        ("sms", "<Text> Maria the link."),
        ("sms", "<Text> or call within a day."),
        ("sms", "If unanswered, a quick <text> does it."),
        ("sms", "Two <texts> a month are the ceiling."),
        ("sms", "Try <texting> before the call."),
        ("sms", "They were <texted> twice."),
        ("push", "Send a <push notification> today."),
        ("push", "Two <push reminders>, then a call."),
        ("push", "<Push-notify> them."),
        ("push", "Layer in web <push>."),
        ("push", "Use <push> to remind them."),
        ("push", "Use mobile <push> for the offer."),
        ("push", "<Push>: “Your report is ready”"),
        ("push", "A mix of calls, <push>, and letters"),
        ("push", "Calls and <push>"),
        ("push", "<push>"),
        ("in_app", "Offer the pause <in-app>."),
        ("in_app", "Trigger an <in-app survey> at the next login."),
        ("in_app", "Show <in‑app banners>."),
        ("in_app", "The <in-app> route is open."),
    ],
)
def test_a_word_that_names_a_channel_is_found_in_every_sentence(key, sentence):
    word = sentence[sentence.index("<") + 1 : sentence.index(">")]

    assert named(sentence.replace("<", "").replace(">", "")) == [(key, word)]


@pytest.mark.parametrize(
    "sentence",
    [
        "Call them within 24 hours.",
        "Write them a letter, or mail it.",
        "Read the text of the last message.",
        "A plain text is enough, in plain-text form.",
        "Prepare a text for the call.",
        "The contexts and textbooks differ.",
        "Push for a decision before the renewal.",
        "Push the renewal to the next quarter.",
        "Do not push. Don't push, and do not try to push.",
        "Use push-button onboarding.",
        "They pushed back.",
        "In-app usage has fallen by half.",
        "Look at in-app analytics.",
        "See https://journal.example/email/sms-and-push for more.",
        "Ask at email.example, or sms@journal.example.",
        "The fields are called send_email and email_template.",
        "",
    ],
)
def test_a_word_that_means_something_else_is_not_found(sentence):
    assert named(sentence) == []


def test_several_channels_are_found_in_their_order():
    found = named("A sequence (email/push/SMS), then in-app; then email.")

    assert [key for key, _ in found] == ["email", "push", "sms", "in_app", "email"]


def test_only_the_channels_asked_for_are_found():
    assert named("An e-mail or an SMS.", ["sms"]) == [("sms", "SMS")]
    assert named("An e-mail or an SMS.", []) == []


@pytest.mark.parametrize(
    "heading",
    [
        "What to avoid",
        "Do not",
        "What not to do",
        "Don’ts",
        "Common mistakes",
        "Avoid",
        "Avoid:",
        "Don'ts",
        "Mistakes to avoid",
        "Never:",
        "5. What to avoid",
        "What to avoid in the first 24 hours",
        "Avoid in the first week",
        "Things you should never do",
        "Channels to avoid",
        "Email (do not use)",
        "For the next week, do not:",
        "Do not contact them by:",
        "What we would avoid",
        "What backfires",
        "Red lines",
        "Closed channels",
        "Stop doing",
        "Avoid these mistakes:",
        "Avoid sending:",
        "Never do any of this:",
        "Common pitfalls",
        "❌ Avoid",
        "What to avoid: the first week",
        "They are angry. Avoid:",
        "What you must not do",
        "What to avoid (and why)",
        "Please avoid the following:",
        "Avoid / Don't",
    ],
)
def test_headings_may_forbid(heading):
    assert advice.forbids(heading)


@pytest.mark.parametrize(
    "heading",
    [
        "First 24 hours",
        "What to say",
        "Do not wait",
        "How to avoid losing them",
        "Avoid churn: first 24 hours",
        "To avoid further loss, take these steps:",
        "Never wait longer than a day:",
        "Retention strategies (never generic)",
        "Mistakes we made and how to repair them",
        "Do not wait: act today",
        "Avoid delay. Do the following:",
        "Steps to avoid churn",
        "Dos and don'ts",
        "Avoiding churn",
        "A common mistake is to wait.",
        "Do not hesitate to:",
        "Learn from mistakes: steps",
        "Stop the bleeding",
        "To avoid this, take these steps:",
        "Why they never came back",
        "Never lose them again:",
        "Do not lose time:",
    ],
)
def test_other_headings_do_not(heading):
    assert not advice.forbids(heading)
