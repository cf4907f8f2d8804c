"""All settings, read from the environment or from `.env`; .env.example names every variable."""

import os
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.http.request import validate_host

from config import (
    addresses,
    environment,
    keys,
    naming,
    proxies,
    public_url,
    single_sign_on,
    suspicions,
    values,
)
from config.brokers import broker_settings, queue_prefix
from webhooks.logs import lines

BASE_DIR = Path(__file__).resolve().parent.parent
env = environment.of_this_process(BASE_DIR / ".env")

# "web" in the web server (config/wsgi.py), "worker" elsewhere. A request has 3 seconds in all,
# a worker has time.
IS_WEB = os.environ.get("SAVEDESK_PROCESS") == "web"

# What monitoring and logs call this process.
VERSION = naming.version(BASE_DIR)
HOST_NAME = naming.host()
SERVICE = naming.service(os.environ, sys.argv)

# Security ---------------------------------------------------------------------------------------

DEBUG = env.read("DEBUG", values.flag, default="0")
SECRET_KEY = env.secret("SECRET_KEY") or ("only-for-development" if DEBUG else "")
# Former keys: what was signed or sealed by them is still accepted, and nothing new is.
SECRET_KEY_FALLBACKS = env.read("SECRET_KEY_FALLBACKS", values.words)
ALLOWED_HOSTS = env.read("ALLOWED_HOSTS", values.hosts, default="localhost,127.0.0.1,[::1]")
# A placeholder verifies nothing. It lets Savedesk start, because the address must answer before
# Customer.io shows the key; until then every webhook is refused, and page, doctor and log say why.
_secrets = env.read("CIO_WEBHOOK_SECRET", values.words)
CIO_WEBHOOK_SECRETS: list[str] = [
    secret for secret in _secrets if not keys.why_no_key(secret, keys.SHORTEST_SIGNING_KEY)
]
CIO_WEBHOOK_SECRETS_REFUSED: list[str] = keys.refused(_secrets, keys.SHORTEST_SIGNING_KEY)

if not DEBUG:
    for name, value, cure in (
        ("SECRET_KEY", SECRET_KEY, "Set it to a long random string and keep it."),
        (
            "CIO_WEBHOOK_SECRET",
            _secrets,
            "Copy the signing key from the Reporting Webhooks page of Customer.io.",
        ),
    ):
        if not value:
            raise ImproperlyConfigured(
                f"{name} is missing. {cure} (DEBUG=1 lifts this for development only.)"
            )
    # With a key that can be guessed anybody can sign in as anybody.
    if why := keys.why_no_key(SECRET_KEY, keys.SHORTEST_SECRET_KEY):
        raise ImproperlyConfigured(
            f"SECRET_KEY {why}. Set it to the output of: openssl rand -base64 48, and keep it."
        )
    if refused := keys.refused(SECRET_KEY_FALLBACKS, keys.SHORTEST_SECRET_KEY):
        raise ImproperlyConfigured(
            f"Of SECRET_KEY_FALLBACKS {refused[0]}. Remove it; what was sealed by it must be "
            "entered again."
        )

# Where people reach the desk. Empty: derived from ALLOWED_HOSTS and the request, as far as it goes.
PUBLIC_URL = env.read("PUBLIC_URL", public_url.read)
_is_https = PUBLIC_URL.startswith("https://") and not DEBUG
if PUBLIC_URL and not validate_host(public_url.host_of(PUBLIC_URL), ALLOWED_HOSTS):
    ALLOWED_HOSTS.append(public_url.host_of(PUBLIC_URL))

# Machines whose X-Forwarded-For and X-Forwarded-Proto are believed (config/proxies.py).
TRUSTED_PROXIES = env.read("TRUSTED_PROXIES", values.words, default="127.0.0.0/8,::1")
proxies.networks(TRUSTED_PROXIES)  # a bad name does not start

# A public host is reached only over HTTPS, and its cookies are sent only over HTTPS.
IS_PUBLIC = any(host not in public_url.LOCAL_HOSTS for host in ALLOWED_HOSTS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _is_https if PUBLIC_URL else IS_PUBLIC and not DEBUG
# A browser names the port in Origin, and many a proxy does not in Host.
CSRF_TRUSTED_ORIGINS = [
    f"https://*{host}" if host.startswith(".") else f"https://{host}"
    for host in ALLOWED_HOSTS
    if host != "*"
]
if PUBLIC_URL and PUBLIC_URL not in CSRF_TRUSTED_ORIGINS:
    CSRF_TRUSTED_ORIGINS.append(PUBLIC_URL)
# Browsers remember it for the host with all its ports: other services may be on those.
_has_host_alone = _is_https and urlsplit(PUBLIC_URL).port is None
SECURE_HSTS_SECONDS = int(timedelta(days=30).total_seconds()) if _has_host_alone else 0
SILENCED_SYSTEM_CHECKS = [
    "security.W005",  # subdomains, and lists in browsers: not ours to decide for a whole domain
    "security.W021",
    "security.W008",  # config.https redirects; it leaves out probes and this machine's own names
    "models.W040",  # SQLite leaves out what covering indexes hold besides; lists are short there
]
if _is_https and not _has_host_alone:
    SILENCED_SYSTEM_CHECKS.append("security.W004")  # no HSTS, for the reason above
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = int(timedelta(days=14).total_seconds())
CSRF_COOKIE_HTTPONLY = True

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],  # the API page's logo
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# The limits themselves are in accounts/signing_in/lock_out.py.
AXES_HANDLER = "accounts.signing_in.lock_out.LockOut"
AXES_FAILURE_LIMIT = 1  # of the limits, one that is reached
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # which tries a right password forgets
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # trying on does not lock for longer
AXES_CLIENT_IP_CALLABLE = "accounts.signing_in.names.counted_address"
AXES_USERNAME_CALLABLE = "accounts.signing_in.names.counted_name"
AXES_LOCKOUT_CALLABLE = "accounts.signing_in.lock_out.locked_out"
AXES_VERBOSE = False
# Fields that are not kept with a wrong try: a recovery code is valid until it is used.
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "code"]

OTP_TOTP_ISSUER = "Savedesk"  # the name that an app shows beside the code
OTP_ADMIN_HIDE_SENSITIVE_DATA = True  # the admin shows nobody's secret

# Single sign-on ---------------------------------------------------------------------------------

OIDC_ISSUER = env.read("OIDC_ISSUER", addresses.web)
OIDC_RP_CLIENT_ID = env.text("OIDC_CLIENT_ID")
OIDC_RP_CLIENT_SECRET = env.text("OIDC_CLIENT_SECRET")
single_sign_on.check_provider(OIDC_ISSUER, OIDC_RP_CLIENT_ID, OIDC_RP_CLIENT_SECRET)
OIDC_ROLES = single_sign_on.roles_of_groups(env.read("OIDC_ROLES", values.words))
OIDC_GROUPS_CLAIM = env.text("OIDC_GROUPS_CLAIM", default="groups")
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid email profile"
OIDC_USE_PKCE = True
OIDC_TIMEOUT = (2, 3)  # s to connect, and between bytes: a thread of the web server waits
OIDC_AUTHENTICATION_CALLBACK_URL = "accounts:single_sign_on_callback"

# Monitoring -------------------------------------------------------------------------------------

# Who may read /metrics: whoever sends this token, and these addresses. Without a token that is
# this machine alone.
METRICS_TOKEN = env.read("METRICS_TOKEN", values.key)
if METRICS_TOKEN and (why := keys.why_no_key(METRICS_TOKEN, keys.SHORTEST_SECRET_KEY)):
    raise ImproperlyConfigured(
        f"METRICS_TOKEN {why}. Set it to the output of: openssl rand -hex 24, or empty it."
    )
METRICS_ADDRESSES = proxies.networks(
    env.read("METRICS_ADDRESSES", values.words, "" if METRICS_TOKEN else "127.0.0.0/8,::1"),
    "METRICS_ADDRESSES",
)

# Application ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "operations",
    "accounts",
    "briefs",
    "personas",
    "webhooks",
    "sandbox",
    "config.admin.SavedeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django_q",
    "rest_framework",
    "rest_framework.authtoken",  # its tokens were taken over; its empty table stays for now
    "knox",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "csp",
    "django_htmx",
    "simple_history",
    "axes",
]

MIDDLEWARE = [
    "config.request_ids.RequestIdMiddleware",  # around all: what any of them logs has the id
    "webhooks.middleware.ReceiverMiddleware",  # nothing below may stall Customer.io
    "config.https.RedirectMiddleware",  # before anything drops what an untrusted proxy says
    "config.proxies.ProxyMiddleware",  # before all that asks for an address or for HTTPS
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.unfit.UnfitMiddleware",  # before the session, whose key may hold anything
    "briefs.desk.live.UnchangedMiddleware",  # before the session: 50 open pages ask all the time
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.signing_in.middleware.SecondFactorMiddleware",
    "accounts.people.zones.ZoneMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "accounts.tokens.warning.ExpiryMiddleware",
    "axes.middleware.AxesMiddleware",  # last, as its documentation asks
]

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "accounts.signing_in.names.NameOrMail",
    "accounts.signing_in.single_sign_on.SingleSignOn",
    "django.contrib.auth.backends.ModelBackend",  # of sessions from before; it tries no password
]
PASSWORD_HASHERS = ["accounts.signing_in.hashing.PBKDF2"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "briefs:inbox"
LOGOUT_REDIRECT_URL = "login"

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

FORM_RENDERER = "config.widgets.Renderer"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True
FORMAT_MODULE_PATH = "config"  # en/formats.py: how the admin writes times
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# WhiteNoise serves the packages' and our own files as they are: no build step to forget.
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

# Of the web server that the supervisor starts.
PORT = env.read("PORT", values.number(least=1, most=65535), default="8000")

# Database ---------------------------------------------------------------------------------------

_sqlite = f"sqlite:///{quote(str(BASE_DIR / 'db.sqlite3'))}"
DATABASES = {"default": env.read("DATABASE_URL", addresses.database, default=_sqlite)}
# The same database, as a role with the short time-outs of a web server: only behind a pooler.
WEB_DATABASE_URL = env.text("WEB_DATABASE_URL")
if IS_WEB and WEB_DATABASE_URL:
    DATABASES["default"] = env.read("WEB_DATABASE_URL", addresses.database)
DATABASES["default"].update(CONN_MAX_AGE=600, CONN_HEALTH_CHECKS=True)
IS_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if IS_SQLITE:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 2 if IS_WEB else 20,  # seconds to wait for another writer
        # FULL: an event that was answered with 200 must survive a power cut.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        connect_timeout=2 if IS_WEB else 10,
        tcp_user_timeout=5000,  # ms; a server that vanished is noticed, not waited for
        keepalives_idle=30,  # s; some networks forget a connection that is silent for minutes
        keepalives_interval=5,
        keepalives_count=2,
    )
    # Seen in pg_stat_activity; one that DATABASE_URL names is kept.
    DATABASES["default"]["OPTIONS"].setdefault(
        "application_name", naming.application(SERVICE, HOST_NAME)
    )
    # A cursor that outlives its transaction is lost behind a pooler (PgBouncer).
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
# Each new connection to PostgreSQL is told this (webhooks/connections.py). A process that is paused
# inside a transaction (its machine sleeps) must not block others, and a page that waits for a lock
# must not keep its thread from the receiver.
DATABASE_SESSION = {"idle_in_transaction_session_timeout": "60s"}
WEB_DATABASE_SESSION = {**DATABASE_SESSION, "statement_timeout": "2500ms", "lock_timeout": "1s"}
if IS_WEB:
    DATABASE_SESSION = WEB_DATABASE_SESSION

# Searching ----------------------------------------------------------------------------------------

SEARCH_MILLISECONDS = 250  # of the database: PostgreSQL gives up what takes longer

# Queue: the rows are the queue of record, django-q2 only wakes the workers ------------------------

DRAIN_TIMEOUT_SECONDS = 60
RESEARCH_TIMEOUT_SECONDS = 210
BROKER_URL = env.read("BROKER_URL", addresses.broker, default="orm://")
BROKER_SECONDS = 0.5 if IS_WEB else 2.5  # the longest wait for an answer of Redis or SQS
# What the queues' names begin with in a Redis or an AWS account that others use too.
QUEUE_PREFIX = queue_prefix(env.text("QUEUE_PREFIX", default="savedesk"), BROKER_URL)

Q_CLUSTER = {
    # Must be "default": a schedule without a cluster runs only in the cluster of that name.
    "name": "default",
    "label": "Queue",
    # The broker of BROKER_URL, with the supervisor's additions.
    "broker_class": "operations.supervising.brokers.broker",
    # SQLite has one writer at a time, and the receiver must find it free.
    "workers": 1 if IS_SQLITE else 2,
    "timeout": DRAIN_TIMEOUT_SECONDS,
    "retry": 240,  # counted from the dequeue: longer than two tasks one after the other
    "queue_limit": 2,
    "bulk": 1,
    "poll": 0.1,
    "ack_failures": True,  # django-q2 never retries: the rows do
    "max_attempts": 1,
    "save_limit": -1,
    "catch_up": False,
    "ALT_CLUSTERS": {
        "research": {
            "workers": 5,
            "timeout": RESEARCH_TIMEOUT_SECONDS,
            "retry": 2 * RESEARCH_TIMEOUT_SECONDS + 60,
            "queue_limit": 1,
            "scheduler": False,  # the sweep is the other cluster's: no connection to look for it
        },
    },
    **broker_settings(BROKER_URL, timeout_seconds=BROKER_SECONDS),
}
# After an event is stored the receiver queues this task; it imports nothing of the pipeline.
WEBHOOKS_WAKE_TASK = "briefs.tasks.drain"

# Customer.io and Mavera -------------------------------------------------------------------------

# 0: the age is not checked
CIO_MAX_AGE_SECONDS = env.read("CIO_MAX_AGE_SECONDS", values.number(least=0, most=10**9), "0")
CIO_APP_KEY = env.read("CIO_APP_KEY", values.key)
CIO_REGION = env.read("CIO_REGION", values.one_of("us", "eu"), default="us")
CIO_APP_BASE_URL = (
    env.read("CIO_APP_BASE_URL", addresses.web)
    or {
        "us": "https://api.customer.io/v1",
        "eu": "https://api-eu.customer.io/v1",
    }[CIO_REGION]
)
# Only for the segment of everybody with an open brief: the App API cannot fill it.
CIO_TRACK_SITE_ID = env.read("CIO_TRACK_SITE_ID", values.key)
CIO_TRACK_KEY = env.read("CIO_TRACK_KEY", values.key)
CIO_TRACK_BASE_URL = (
    env.read("CIO_TRACK_BASE_URL", addresses.web)
    or {
        "us": "https://track.customer.io/api/v1",
        "eu": "https://track-eu.customer.io/api/v1",
    }[CIO_REGION]
)
# Where a brief links to, with {cio_id} in the place of the person, e.g.
# https://fly.customer.io/workspaces/12345/journeys/people/{cio_id}
CIO_PERSON_URL = env.read("CIO_PERSON_URL", addresses.page_of_person)

MAVERA_API_KEY = env.read("MAVERA_API_KEY", values.key)
MAVERA_BASE_URL = env.read("MAVERA_BASE_URL", addresses.web, "https://app.mavera.io/api/v1")
MAVERA_WORKSPACE_ID = env.read("MAVERA_WORKSPACE_ID", values.key)

# REST API ---------------------------------------------------------------------------------------

KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105 - a model
# Its migrations make a table for the model that ours replaces, which Django then never empties
# before the table of users.
MIGRATION_MODULES = {"knox": None}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.tokens.authentication.TokenOrBearer",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.tokens.throttling.PerToken"],
    "DEFAULT_THROTTLE_RATES": {"token": "600/min"},  # of each web process
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Savedesk",
    "DESCRIPTION": "Churn signals of a Customer.io workspace and the briefs they led to.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,  # what is sent is described apart from what is answered
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "briefs.api.description.require_all",
    ],
    "ENUM_NAME_OVERRIDES": {
        "OutcomeEnum": "briefs.models.Brief.Outcome",
        "OutcomeByHandEnum": "briefs.api.entries.OUTCOMES",
        "EventStatusEnum": "webhooks.models.WebhookEvent.Status",
        "ResearchStatusEnum": "briefs.models.Research.Status",
        "KindEnum": "personas.models.SignalKind",
        "StateEnum": "briefs.models.Brief.State",
        "JobKindEnum": "briefs.models.ReprocessingJob.Kind",
        "OrderedKindEnum": "briefs.api.reprocessing.KINDS",
        "JobStateEnum": "briefs.models.ReprocessingJob.State",
        "DeadLetterKindEnum": "briefs.dead_letters.letters.Kind",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# Mail: invitations and new passwords --------------------------------------------------------------

# smtp+tls://user:password@host:587; where it is empty, a lead passes the links on.
_mail = env.read("EMAIL_URL", addresses.mail)
EMAIL_IS_CONFIGURED = bool(_mail)
globals().update(_mail)
EMAIL_TIMEOUT = 5  # seconds; a page waits for the mail server
DEFAULT_FROM_EMAIL = env.read("DEFAULT_FROM_EMAIL", values.sender, "savedesk@localhost")

# Logging: one line each to stderr, ids only, never a payload, a key or an address ---------------

LOG_LEVEL = env.read("LOG_LEVEL", values.one_of(*lines.LEVELS), default="info")
LOG_FORMAT = env.read("LOG_FORMAT", values.one_of(*lines.FORMATS), default="text")
# Errors are sent to Sentry as well; without who and what they are about (config/reporting.py).
SENTRY_DSN = env.read("SENTRY_DSN", addresses.sentry)
LOGGING = lines.configuration(
    LOG_LEVEL,
    LOG_FORMAT,
    service=SERVICE,
    host=HOST_NAME,
    sentry={"dsn": SENTRY_DSN, "release": VERSION, "service": SERVICE, "host": HOST_NAME}
    if SENTRY_DSN
    else None,
)

# What is set and does nothing, in words. Last: by now all variables have been read.
SUSPICIONS = suspicions.found(env)
