"""The twelve personas a new workspace starts with, in the order they are tried.

The first persona whose conditions hold wins, so the order carries meaning: "Business, low
usage" needs no condition on usage, since high and medium were taken by the one before it.
Three choices to know before editing:

- Personas only state what a value *is*. A missing attribute therefore never makes a
  condition true by accident, and each paid plan ends in a persona that asks for the plan
  alone ("Enterprise, active", "Business, low usage", "Pro, low usage"). The first two also
  catch spellings nobody listed, such as "enterprise_2024"; add those to the lists above them.
- Each list holds the spellings seen most often. Only those words reach a research question,
  so a list is also the limit on how many questions a persona can cause. No item may contain
  a comma.
- A plan is stronger than a status: somebody trying out "pro" is matched as Pro, because
  losing a paying customer behind a stale "trialing" costs more than one brief too many.

The playbook of a persona is the file of its slug in `playbooks/`.
"""

from typing import Any

ENTERPRISE_PLANS = (
    "enterprise, enterprise plus, enterprise_plus, enterprise-plus, enterprise plan, "
    "enterprise annual, enterprise_annual, enterprise-annual, "
    "enterprise monthly, enterprise_monthly, enterprise-monthly, "
    "ent, ent plus, ent_plus, ent annual, ent_annual"
)

BUSINESS_PLANS = (
    "business, business plus, business_plus, business-plus, business plan, "
    "business annual, business_annual, business-annual, "
    "business monthly, business_monthly, business-monthly, "
    "biz, team, teams, growth, scale"
)

PRO_PLANS = (
    "pro, pro plus, pro_plus, pro-plus, pro plan, "
    "pro annual, pro_annual, pro-annual, pro monthly, pro_monthly, pro-monthly, "
    "professional, premium"
)

FREE_PLANS = (
    "free, free plan, free_plan, free-plan, free tier, free_tier, free forever, "
    "freemium, hobby, community"
)

TRIAL_PLANS = (
    "trial, free trial, free_trial, free-trial, trialing, trialling, "
    "pro trial, pro_trial, pro-trial, team trial, premium trial, "
    "evaluation, pilot, poc"
)

TRIAL_STATUSES = (
    "trial, trialing, trialling, free trial, free_trial, in trial, in_trial, "
    "on trial, on_trial, evaluation"
)

# Only words for "it is over": whoever is past due, paused or cancelling can still be kept.
ENDED_STATUSES = (
    "cancelled, canceled, churned, expired, incomplete_expired, ended, terminated, "
    "closed, lapsed, deactivated, deleted, lost, former, former customer, "
    "former_customer, ex-customer"
)

LOW_USAGE = (
    "low, very low, very_low, light, minimal, rare, declining, "
    "inactive, dormant, idle, none, no usage, zero"
)

HIGH_USAGE = (
    "high, very high, very_high, heavy, power, power user, power_user, "
    "very active, very_active, frequent, daily"
)

MEDIUM_USAGE = "medium, mid, moderate, regular, steady, normal, average, active, weekly"

# Industries in which rules or auditors have a say in what a supplier may offer or promise.
REGULATED_INDUSTRIES = (
    "healthcare, health care, health, hospital & health care, medical devices, "
    "pharmaceuticals, pharma, biotechnology, life sciences, "
    "banking, finance, financial services, fintech, investment management, insurance, "
    "government, government administration, public sector, defense, defence, "
    "legal, legal services, law practice, energy, utilities, telecommunications"
)

PERSONAS: list[dict[str, Any]] = [
    {
        "slug": "internal",
        "name": "Internal and test accounts",
        "description": (
            "Our own colleagues and the accounts we test with. Nobody here can leave us, so "
            "their clicks must not take time away from customers."
        ),
        "value": "low",
        "opens_brief": False,
        "research_focus": "",
        "reuse_hours": 168,
        "is_default": False,
        "is_unknown": False,
        "match": "any",
        "conditions": [
            ("internal", "in", "true, yes, 1, t, y, internal, test, employee, staff"),
            ("plan", "in", "internal, internal use, test, testing, qa"),
            ("status", "in", "internal, test, testing"),
        ],
    },
    {
        "slug": "cancelled",
        "name": "Already cancelled",
        "description": (
            "Former customers whose subscription has ended; leaving our mailing lists is part "
            "of leaving. Words such as cancelling, past due, paused or inactive do not count, "
            "because those customers can still be kept."
        ),
        "value": "low",
        "opens_brief": False,
        "research_focus": "",
        "reuse_hours": 168,
        "is_default": False,
        "is_unknown": False,
        "match": "any",
        "conditions": [
            ("status", "in", ENDED_STATUSES),
            ("plan", "in", "cancelled, canceled, churned, expired, former"),
        ],
    },
    {
        "slug": "enterprise-regulated",
        "name": "Enterprise, regulated industry",
        "description": (
            "Large contracts in health, finance, law, the public sector and other supervised "
            "fields. They leave slowly and rarely come back, and a careless message or offer "
            "can do more harm than the signal itself."
        ),
        "value": "high",
        "opens_brief": True,
        "research_focus": (
            "Research why large customers in supervised industries withdraw from a software "
            "supplier: audits, vendor risk reviews, data protection, changed procurement rules. "
            "Find out what reassures their security, compliance and business owners, and which "
            "contacts, credits or gifts rules in the named industry restrict. Prefer steps an "
            "account owner can take within a week without changing the contract."
        ),
        "reuse_hours": 168,
        "is_default": False,
        "is_unknown": False,
        "match": "all",
        "conditions": [
            ("plan", "in", ENTERPRISE_PLANS),
            ("industry", "in", REGULATED_INDUSTRIES),
        ],
    },
    {
        "slug": "enterprise-low",
        "name": "Enterprise, low usage",
        "description": (
            "Large contracts that few people use. The renewal is at risk long before anybody "
            "says so, and a stalled rollout or a sponsor who left is often behind it."
        ),
        "value": "high",
        "opens_brief": True,
        "research_focus": (
            "Research how suppliers of business software revive a stalled rollout at a large "
            "customer: finding a new sponsor, choosing one team to start with, agreeing on a "
            "dated adoption plan. Compare training, smaller seat counts and executive contact as "
            "responses, and say when each tends to fail. Name early signs within the first "
            "month that the account is recovering."
        ),
        "reuse_hours": 168,
        "is_default": False,
        "is_unknown": False,
        "match": "all",
        "conditions": [
            ("plan", "in", ENTERPRISE_PLANS),
            ("usage", "in", LOW_USAGE),
        ],
    },
    {
        "slug": "enterprise-active",
        "name": "Enterprise, active",
        "description": (
            "Every other enterprise account: in use, or with usage we have no word for. They "
            "depend on us and we on them, so we want to hear about a sudden opt-out from the "
            "person, not from the renewal date."
        ),
        "value": "high",
        "opens_brief": True,
        "research_focus": (
            "Research why engaged contacts at large customers stop marketing messages or "
            "complain about them although the product is in use, and how to tell message "
            "fatigue from a change of supplier. Find ways for an account owner to ask about it "
            "without pressure, and what to do about message volume, service failures and a "
            "change of contact. Do not assume that price is the reason."
        ),
        "reuse_hours": 168,
        "is_default": False,
        "is_unknown": False,
        "match": "any",
        "conditions": [
            ("plan", "contains", "enterprise"),
            ("plan", "in", ENTERPRISE_PLANS),
        ],
    },
    {
        "slug": "growth-high",
        "name": "Business or Pro, high usage",
        "description": (
            "Business and Pro customers who work with the product regularly: high and medium "
            "usage both belong here. They are our next large accounts, and most of what drives "
            "them away is friction we can remove."
        ),
        "value": "high",
        "opens_brief": True,
        "research_focus": (
            "Research what makes regular users on mid-priced software plans look elsewhere: "
            "limits, billing surprises, missing integrations, unanswered support, too many "
            "messages. Find the retention steps that work without a discount and the questions "
            "that bring out the real reason. Say when a move to yearly billing helps and when "
            "it looks like pressure."
        ),
        "reuse_hours": 168,
        "is_default": False,
        "is_unknown": False,
        "match": "all",
        "conditions": [
            ("plan", "in", f"{BUSINESS_PLANS}, {PRO_PLANS}"),
            ("usage", "in", f"{HIGH_USAGE}, {MEDIUM_USAGE}"),
        ],
    },
    {
        "slug": "business-low",
        "name": "Business, low usage",
        "description": (
            "Every Business customer without recorded medium or high usage: low, missing, or a "
            "word we do not know. We treat silence as a risk here, because a team that pays and "
            "does not work with the product will question the invoice."
        ),
        "value": "high",
        "opens_brief": True,
        "research_focus": (
            "Research how to win back small and mid-sized teams that pay for a shared tool but "
            "use it little or leave no trace of use. Look at set-up help, a single restarted "
            "workflow, a smaller plan and a pause, and at the order in which to propose them. "
            "Include how to open the conversation without making anybody feel watched."
        ),
        "reuse_hours": 168,
        "is_default": False,
        "is_unknown": False,
        "match": "any",
        "conditions": [
            ("plan", "contains", "business"),
            ("plan", "in", BUSINESS_PLANS),
        ],
    },
    {
        "slug": "pro-low",
        "name": "Pro, low usage",
        "description": (
            "Every Pro customer without recorded medium or high usage: low, missing, or a word "
            "we do not know. Often one person pays and decides, so a quick and honest answer "
            "matters more than a programme."
        ),
        "value": "high",
        "opens_brief": True,
        "research_focus": (
            "Research what keeps individual professionals and very small teams on a paid plan "
            "they hardly use: a first finished task, a pause, a temporary lower price. Find out "
            "how short personal messages and in-product help compare after an opt-out from "
            "marketing e-mail. Say when letting the customer go well is the better choice."
        ),
        "reuse_hours": 168,
        "is_default": False,
        "is_unknown": False,
        "match": "all",
        "conditions": [("plan", "in", PRO_PLANS)],
    },
    {
        "slug": "trial",
        "name": "Trial",
        "description": (
            "People who are still trying the product and have no listed paid plan on their "
            "profile. One helpful answer is worth giving; they wait behind customers who pay."
        ),
        "value": "low",
        "opens_brief": True,
        "research_focus": (
            "Research why people trying a software product turn off its messages before the "
            "trial ends, and how much of it is caused by the trial messages themselves. Find "
            "modest forms of help that respect the opt-out and take a person a few minutes."
        ),
        "reuse_hours": 336,
        "is_default": False,
        "is_unknown": False,
        "match": "any",
        "conditions": [
            ("plan", "in", TRIAL_PLANS),
            ("status", "in", TRIAL_STATUSES),
        ],
    },
    {
        "slug": "free-heavy",
        "name": "Free, heavy use",
        "description": (
            "People who work a lot with the free plan. They show that the product is useful; "
            "leaving a mailing list is not leaving us, so their signal stays on the timeline."
        ),
        "value": "low",
        "opens_brief": False,
        "research_focus": "",
        "reuse_hours": 168,
        "is_default": False,
        "is_unknown": False,
        "match": "all",
        "conditions": [
            ("plan", "in", FREE_PLANS),
            ("usage", "in", HIGH_USAGE),
        ],
    },
    {
        "slug": "default",
        "name": "Everyone else",
        "description": (
            "Customers we know something about but whom no persona above describes, such as a "
            "free plan with little use. If a plan you sell keeps turning up here, add its name "
            "to the persona it belongs to."
        ),
        "value": "standard",
        "opens_brief": False,
        "research_focus": "",
        "reuse_hours": 168,
        "is_default": True,
        "is_unknown": False,
        "match": "all",
        "conditions": [],
    },
    {
        "slug": "unknown",
        "name": "Profile unknown",
        "description": (
            "We could not look the person up, or the profile says nothing about plan, usage or "
            "industry. It may be our largest customer, so somebody finds out before we decide."
        ),
        "value": "standard",
        "opens_brief": True,
        "research_focus": "",
        "reuse_hours": 168,
        "is_default": False,
        "is_unknown": True,
        "match": "all",
        "conditions": [],
    },
]
