"""The web server's way in. Names its process first: a web request may wait less than a worker."""

import os
import sys

os.environ["SAVEDESK_PROCESS"] = "web"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

try:
    application = get_wsgi_application()
except ImproperlyConfigured as error:  # a setting to be mended, not a fault to be traced
    sys.exit(f"Savedesk cannot start: {error}")
