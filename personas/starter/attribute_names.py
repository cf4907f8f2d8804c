"""Which Customer.io attributes play which role when a new workspace starts.

Every workspace names its attributes itself. For each role the names are tried in order and
the first one that holds a value is used, so the most specific spellings come first.
"""

from typing import Any

ATTRIBUTE_NAMES: list[dict[str, Any]] = [
    {
        "role": "plan",
        "label": "Plan",
        "names": [
            "plan",
            "plan_type",
            "plan_name",
            "plan_tier",
            "current_plan",
            "subscription_plan",
            "subscription_tier",
            "subscription_type",
            "account_plan",
            "pricing_plan",
            "planType",
            "planName",
            "subscriptionPlan",
            "tier",
        ],
        "help": "The plan the customer pays for, as a word such as enterprise, pro or free.",
    },
    {
        "role": "industry",
        "label": "Industry",
        "names": [
            "industry",
            "company_industry",
            "account_industry",
            "industry_name",
            "companyIndustry",
            "vertical",
            "sector",
        ],
        "help": "The line of business of the customer's company, such as healthcare or retail.",
    },
    {
        "role": "usage",
        "label": "Usage",
        "names": [
            "usage_tier",
            "usage_level",
            "usage",
            "usage_segment",
            "engagement_tier",
            "engagement_level",
            "engagement",
            "activity_level",
            "activity_tier",
            "product_usage",
            "usageTier",
            "usageLevel",
            "engagementLevel",
        ],
        "help": (
            "How much the customer uses the product, as a word such as low, medium or high; "
            "if yours is a number, give the personas conditions with “is more than” and “is less "
            "than” instead."
        ),
    },
    {
        "role": "value",
        "label": "Account value",
        "names": [
            "mrr",
            "arr",
            "acv",
            "contract_value",
            "account_value",
            "customer_value",
            "value_tier",
            "monthlyRevenue",
        ],
        "other_period_names": "arr\nacv",
        "help": (
            "What the account pays, as a number: priority and order go by it. A lifetime value is "
            "neither a month’s nor a year’s amount, so leave it out."
        ),
    },
    {
        "role": "status",
        "label": "Subscription status",
        "names": [
            "subscription_status",
            "subscriptionStatus",
            "plan_status",
            "billing_status",
            "account_status",
            "customer_status",
            "accountStatus",
            "status",
            "lifecycle_stage",
            "lifecycleStage",
        ],
        "help": "Where the subscription stands, such as active, trialing or cancelled.",
    },
    {
        "role": "internal",
        "label": "Internal or test",
        "names": [
            "is_internal",
            "internal",
            "internal_account",
            "internal_user",
            "is_internal_user",
            "is_test",
            "is_test_account",
            "is_test_user",
            "test_account",
            "test_user",
            "isInternal",
            "isTest",
        ],
        "help": "Marks the accounts of your own staff and of your tests, usually with true.",
    },
    {
        "role": "company",
        "label": "Company",
        "names": [
            "company",
            "company_name",
            "account_name",
            "organization",
            "organization_name",
            "organisation",
            "organisation_name",
            "org_name",
            "companyName",
            "business_name",
        ],
        "help": "The name of the customer's company; no starter persona asks for it.",
    },
]
