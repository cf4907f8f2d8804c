"""The settings under test: production's own, with a fixed environment in place of the machine's."""

import os

os.environ.update(
    DEBUG="0",
    SECRET_KEY="key-of-the-tests-which-nobody-else-has",
    SECRET_KEY_FALLBACKS="",
    PUBLIC_URL="",
    ALLOWED_HOSTS="localhost,127.0.0.1",
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL") or "sqlite:///:memory:",
    WEB_DATABASE_URL="",
    BROKER_URL="orm://",
    QUEUE_PREFIX="",
    PORT="8000",
    TRUSTED_PROXIES="",
    LOG_LEVEL="",
    LOG_FORMAT="",
    SENTRY_DSN="",
    METRICS_TOKEN="",
    METRICS_ADDRESSES="",
    OIDC_ISSUER="",
    OIDC_CLIENT_ID="",
    OIDC_CLIENT_SECRET="",
    OIDC_ROLES="",
    OIDC_GROUPS_CLAIM="",
    CIO_WEBHOOK_SECRET="signing-key-of-the-tests,second-key-of-the-tests",
    CIO_MAX_AGE_SECONDS="0",
    CIO_APP_KEY="",
    CIO_REGION="us",
    CIO_APP_BASE_URL="",
    CIO_TRACK_SITE_ID="",
    CIO_TRACK_KEY="",
    CIO_TRACK_BASE_URL="",
    CIO_PERSON_URL="",
    MAVERA_API_KEY="",
    MAVERA_BASE_URL="",
    MAVERA_WORKSPACE_ID="",
    EMAIL_URL="",
    DEFAULT_FROM_EMAIL="",
)

from config.settings import *  # noqa: F403 - the environment comes first

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast, for tests only
SEARCH_MILLISECONDS = 60_000  # a machine that is busy with something else cuts no search
SUSPICIONS = []  # the machine's environment is nothing to the tests
WHITENOISE_AUTOREFRESH = True  # a file is looked for when asked for, not by each new client
