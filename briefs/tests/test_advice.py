"""Which sentences count as advice to use a closed channel: a wrong mark costs the trust in all."""

from pathlib import Path

import pytest

from briefs.reach import Closed
from briefs.reading import advice, answer
from sandbox.answers import load

EMAIL = Closed("email", "e-mail", "unsubscribed 22 Nov 2026", True, True)
ALL = [
    EMAIL,
    Closed("sms", "SMS", "the SMS channel is turned off", True),
    Closed("push", "push", "the push channel is turned off", True),
    Closed("in_app", "in-app messages", "the in-app channel is turned off", True),
]
SANDBOX = Path(__file__).parents[2] / "sandbox"

ADVICE = [
    ("email", "Send an e-mail within 24 hours."),
    ("email", "Email them a short apology."),
    ("email", "E-mail the customer and ask what went wrong."),
    ("email", "Have the account owner send a short, personal email."),
    ("email", "If they do not answer the phone, send an e-mail."),
    ("email", "Do not call; send an e-mail instead."),
    ("email", "Do not wait: send an email today."),
    ("email", "Don’t hesitate to email them."),
    ("email", "Follow up with an e-mail on day 3."),
    ("email", "Reach out via e-mail with one question."),
    ("email", "The account owner should email them personally."),
    ("email", "Consider sending a plain-text email from the founder."),
    ("email", "A short e-mail from the account owner, without a pitch."),
    ("email", "Apologise by e-mail, then offer a call."),
    ("email", "By e-mail under the kept craft topic:"),
    ("email", "Subject: We got it wrong"),
    ("email", "Just reply to this email and I will fix it."),
    ("email", "Add them to the newsletter for light users."),
    ("email", "Call them, and e-mail a summary afterwards."),
    ("email", "Call or e-mail the customer within a day."),
    ("email", "Use e-mail for the first contact."),
    ("email", "Ask the account owner to send a short e-mail."),
    ("email", "Instead of calling, send an e-mail."),
    ("email", "Enrol the contact in a re-engagement email sequence."),
    ("email", "The best first move is to send a personal e-mail."),
    ("email", "A follow-up e-mail can be sent after a week."),
    ("email", "I'll email you the figures tomorrow."),
    ("email", "**E-mail (day 3):** a short note."),
    ("email", "Launch a win-back email campaign."),
    ("email", "In a short e-mail, explain what has changed."),
    ("sms", "Text them a link to the status page."),
    ("sms", "Send a text message with a direct number."),
    ("sms", "Reach them by SMS."),
    ("sms", "Send an SMS if nobody answers."),
    ("sms", "Follow up by text message."),
    ("push", "Send a push notification when the feature is back."),
    ("push", "Nudge them with a push notification."),
    ("in_app", "Send an in-app message at the next sign-in."),
    ("in_app", "Trigger an in-app survey at the next login."),
    ("email", "Do not call them, e-mail them instead."),
    ("email", "Never forget to send an e-mail after the call."),
    ("email", "Within 24 hours, email the customer."),
    ("email", "Let the success manager send a brief e‑mail."),
    ("sms", "Then text them."),
    ("email", "1. Call once. 2. If there is no answer, e-mail them."),
    ("email", "Send a personalized check-in email from the CSM acknowledging their decision."),
    ("email", "Trigger a 3-email win-back sequence over 14 days."),
    ("sms", "Use SMS as a secondary channel for urgent updates."),
    ("email", "Have your CEO email the customer directly."),
    ("email", "**Day 1:** Email the customer with a sincere apology."),
    ("email", "Personal outreach via email from the account manager."),
    ("email", "Offer a 20 % discount via email."),
    ("email", "Deploy an email nurture campaign."),
    ("email", "Re-engage with targeted emails highlighting new features."),
    ("email", "Launch a targeted email campaign with case studies [1]."),
    ("sms", "You could also text the customer."),
    ("push", "Send them a push notification with a time-limited offer."),
    ("in_app", "Leverage push notifications and in-app messages to re-engage them."),
    ("email", "Segment them into a lower-frequency newsletter."),
    ("email", "Within 24 hours, the account owner writes a personal e-mail."),
    ("sms", "Contact them through a different channel, such as SMS."),
    ("email", "Email: short apology with an opt-down link."),
    ("email", "Draft an email to the customer explaining the changes."),
    ("email", "Implement a re-engagement email campaign."),
    ("email", "Create a personalised e-mail that addresses their concerns."),
    ("email", "Schedule a call or send a follow-up email."),
    ("email", "Reach out personally (phone or email) within 24 hours."),
    ("email", "Reach out by phone or e-mail."),
    ("push", "Include a push notification strategy."),
    ("email", "Invite them to a webinar by e-mail."),
    ("email", "We recommend a short e-mail with a survey link."),
    ("email", "It's worth sending one last email."),
    ("email", "Have customer success reach out with a brief, human email."),
    ("email", "Email a one-page summary of what they would lose."),
    ("email", "Ship a win-back newsletter in week two."),
    ("email", "Set up an automated email that fires on day 7."),
    ("email", "Get the CEO to send an email."),
    ("email", "Your next move: a plain e-mail from a named person."),
    ("email", "Pair the call with a short follow-up email."),
    ("sms", "Alternatively, SMS the contact with a link."),
    ("push", "A single push notification may be sent once the fix ships."),
    ("in_app", "Consider an in-app message at the next login."),
    ("email", "Send one final e-mail confirming the opt-out."),
    ("sms", "Offer help by text message."),
    ("sms", "Send them a text."),
    ("sms", "Text the owner once the fix is live."),
    ("sms", "Have support text them the direct number."),
    ("push", "Use push notifications sparingly."),
    ("in_app", "Follow up via in-app message."),
    ("email", "Start with a personal email from the CEO, then call."),
    ("email", "Write them a short e-mail and leave it at that."),
    ("email", "Share the report by email before the call."),
    ("email", "Invite the contact by e-mail to a 20-minute review."),
    ("email", "Confirm the opt-out by e-mail."),
]
NO_ADVICE = [
    "Do not send another e-mail.",
    "Avoid e-mail.",
    "Never e-mail them again.",
    "Don't text the customer.",
    "Call them instead of sending an e-mail.",
    "Use a channel other than e-mail.",
    "Look at the e-mail they reported.",
    "Find out which e-mails they received.",
    "The e-mail they complained about came from sales.",
    "Check whether e-mail consent was withdrawn.",
    "Stop every marketing e-mail to this contact.",
    "They send an e-mail to support when something breaks.",
    "Many competitors send an e-mail every week.",
    "E-mail the account manager at once.",
    "Notify your team by e-mail.",
    "Send the invoice by e-mail.",
    "If they opt in again, send an e-mail.",
    "Text them only if they agreed to SMS.",
    "Add the e-mail address to the suppression list.",
    "Their e-mail preferences are closed.",
    "E-mail volume is the usual reason [1].",
    "An e-mail is what drove them away.",
    "E-mail the new contact.",
    "Send an e-mail to the remaining administrator.",
    "Send a short e-mail to another contact in the account.",
    "Push for a decision before the renewal.",
    "Push the deadline back by a week.",
    "Read the text of the last message.",
    "Use the text about billing on the page.",
    "Replacing e-mail reminders by red banners.",
    "A farewell survey by e-mail would annoy them.",
    "Without e-mail, call the contact once.",
    "Instead of an e-mail, write a letter.",
    "Send nothing by e-mail.",
    "Do not call, text or e-mail them.",
    "Suppress the contact from all e-mail.",
    "Too many companies use e-mail here.",
    "Ask whether they want e-mail at all.",
    "It is tempting to send an e-mail now.",
    "Review the e-mail logs.",
    "Switch off e-mail for this contact.",
    "Tell them that no e-mail will follow.",
    "Sending e-mail now is unlawful.",
    "Use e-mail metrics to see when they stopped reading.",
    "Move the conversation from e-mail to the phone.",
    "Identify upcoming changes and assign them a route other than e-mail.",
    "Thank them for the e-mail they wrote.",
    "You will get no more e-mail from us.",
    "Send a letter, not an e-mail.",
    "Rather than e-mail them, call.",
    "What to avoid: send an e-mail.",
    "Verify that the e-mail was delivered.",
    "Respond to the e-mail they sent in March.",
    "Do not send an e-mail or a text message.",
    "The customer can reply by e-mail at any time.",
    "Customers use e-mail less every year [2].",
    "Ask the account manager which e-mails went out.",
    "Texting habits differ between countries.",
    "Pause the push notifications for a week.",
    "E-mail remains closed, so call.",
    "The customer has opted out of email, so use the phone.",
    "Respect the opt-out: no email, no newsletter.",
    "Research shows that e-mail fatigue drives 40 % of opt-outs [1].",
    "Audit your email frequency over the last 90 days.",
    "Since email is closed, reach out by phone.",
    "Because they unsubscribed from email, use an in-person meeting.",
    "Make sure that the CRM stops sending emails to this contact.",
    "Confirm the unsubscribe was honoured across all email tools.",
    "Set up a preference centre where they can choose email topics.",
    "Ask for feedback on why they left the email list.",
    "Offer an email preference centre with fewer topics.",
    "They may have unsubscribed because the emails were irrelevant.",
    "Document the emails that were sent before the complaint.",
    "Send a handwritten letter, since e-mail is closed.",
    "Use a phone call or LinkedIn instead of email.",
    "Switch from email to phone.",
    "Email is no longer an option.",
    "Email fatigue is likely.",
    "Any email sent now may breach the law.",
    "Remove them from every email campaign.",
    "Compare e-mail engagement with product usage.",
    "Ask the customer's new contact whether they want the newsletter.",
    "Review what the last newsletter said.",
    "Call the customer; mention that the emails have stopped.",
    "Tell them the newsletter has been stopped.",
    "Explain that they will not receive further emails.",
    "Offer to turn off email for the whole team.",
    "Exclude this segment from the next email campaign.",
    "Set the contact's email status to suppressed.",
    "Push the renewal conversation to next quarter.",
    "Send an internal e-mail to the account team.",
    "Alert the account manager via e-mail.",
    "Ask IT to check the email gateway.",
    "Ask whether a newer e-mail address exists.",
    "Look for a second e-mail address on file.",
    "Start by checking the email history.",
    "Use their last e-mail to find the reason.",
    "Open the email that triggered the complaint and read it as they did.",
    "Try to find out which newsletter they read last.",
    "Use the unsubscribe email to learn the reason.",
    "Prepare a summary of all emails sent in the last month.",
    "Write down which SMS they received.",
    "Customers who unsubscribe from email are twice as likely to churn [1].",
    "In this segment, email open rates fell in 2023 [2].",
    "Their team still receives product emails.",
    "Find out who else in the account reads the emails.",
    "An email complaint is a strong signal.",
    "Treat the email opt-out as final.",
    "Make clear that no further emails will be sent.",
    "Schedule an internal review of the email programme.",
    "Send the contact's details to the person who runs email.",
    "Start from the assumption that email is lost.",
    "Try the phone before anything else; email is closed.",
    "Offer a lower email frequency to the rest of the account.",
    "Use the words of the e-mail complaint in the ticket.",
    "Follow up on the e-mail bounce with IT.",
    "Use other channels, for instance the phone, now that e-mail is off.",
    "Plan for a world in which they never read an email.",
    "Open a ticket with the email provider.",
    "Run a deliverability test on the email domain.",
    "Prepare the account manager for questions about the email.",
    "Check SMS consent before anything else.",
    "Tell support to expect an e-mail from them.",
    "Replace the weekly email with a dashboard.",
    "Prepare a reply in case they email you.",
    "Ask how they would like to be contacted now that email is closed.",
    "Share the analysis with the team that sends email.",
    "Do not push.",
    "Push the fix to production first.",
    "The text of the banner should be short.",
    "Change the text on the cancellation page.",
    "Write the text for the call beforehand.",
    "Prepare a text for the call.",
    "Draft the text of the offer.",
    "Send the contract text to legal.",
    "In-app usage has fallen by half.",
    "Check in-app activity of the last 30 days.",
    "Show a notice in the product.",
    "Place the message inside the product instead of the mailbox.",
    "Test whether push still works on their device.",
    "A push from sales would do more harm than good.",
    "Ask which channel they prefer: phone, SMS or none.",
    "Let them choose between phone and e-mail.",
    "Offer a choice of channels, e-mail included, on the preference page.",
    "Keep a record of the e-mail that confirmed the opt-out.",
    "Prepare the e-mail history for the call.",
    "Send the account executive an e-mail.",
    "Log each e-mail the contact received in 90 days.",
    "If they e-mail support, answer within an hour.",
    "When they write an e-mail, reply by phone.",
    "Make sure no automated e-mail goes out.",
    "Forward the complaint e-mail to the deliverability team.",
    "Ask the team to write fewer e-mails.",
    "Write to the address the contract names for notices, not to the e-mail on file.",
    "Ring the buyer before the newsletter question comes up.",
    "Include the e-mail that was bounced in the ticket.",
    "Create a suppression rule so that no e-mail leaves the system.",
    "Build a dashboard of e-mail complaints.",
    "Design an on-page notice that replaces the e-mail.",
    "Develop a policy for e-mail frequency.",
    "Automate the suppression of e-mail for this segment.",
    "Use the call to learn whether e-mail was ever welcome.",
    "Start with usage data, not with e-mail.",
    "Begin with a call rather than an e-mail.",
    "Tell the customer you have stopped all e-mail.",
    "Answer their e-mail, if there is one, by phone.",
    "Ask who in the team still wants the newsletter.",
    "Remind sales not to use e-mail.",
    "Offer them a choice between an e-mail digest and silence.",
    "Share a link to the preference centre in the product.",
    "Set expectations: there will be no e-mail.",
    "Reach the contact by phone because e-mail bounced.",
    "Approach the contact in the product; e-mail is closed.",
    "Explain in the call why the e-mails came.",
    "Apologise for the e-mail in person.",
    "Thank them for telling you about the e-mail.",
    "Contact the deliverability team about the e-mail.",
    "Continue by phone what the e-mail began.",
    "Open the account and read the latest e-mail exchange.",
]


def keys(text, **kw):
    return [channel.key for channel in advice.advised(text, ALL, **kw)]


@pytest.mark.parametrize(("channel", "sentence"), ADVICE)
def test_advice_to_use_a_closed_channel_is_seen(channel, sentence):
    assert channel in keys(sentence)


@pytest.mark.parametrize("sentence", NO_ADVICE)
def test_mentions_warnings_and_other_people_are_no_such_advice(sentence):
    assert keys(sentence) == []


def test_open_channels_are_never_marked():
    assert advice.advised("Send an e-mail.", []) == []


def test_each_closed_channel_of_a_sentence_is_named():
    assert keys("Send an e-mail or a text message.") == ["email", "sms"]


@pytest.mark.parametrize(
    "heading", ["What to avoid", "Do not", "What not to do", "Don’ts", "Common mistakes"]
)
def test_headings_may_forbid(heading):
    assert advice.forbids(heading)


@pytest.mark.parametrize("heading", ["First 24 hours", "What to say", "Do not wait"])
def test_other_headings_do_not(heading):
    assert not advice.forbids(heading)


def test_an_invoice_may_be_sent_while_only_marketing_is_closed():
    dead = Closed("email", "e-mail", "the address is gone", False)

    assert advice.advised("Send the invoice by e-mail.", [EMAIL]) == []
    assert advice.advised("Send the invoice by e-mail.", [dead]) == [dead]


def test_answers_written_with_closed_channels_in_mind_are_marked_where_they_name_one():
    """Each of these begins with “By e-mail under a topic the contact has kept”, or the like."""
    marked = {}
    for path in sorted((SANDBOX / "research").rglob("*.md")):
        text = load(path)
        if marks := answer.read(text.content, [], ALL).closed_marks:
            marked[f"{path.parent.name}/{path.stem}"] = [channel.key for channel in marks]

    assert marked == {
        f"{segment}/topic-opt-out": ["email"]
        for segment in ("business-low", "enterprise-regulated", "pro-low", "trial")
    }
