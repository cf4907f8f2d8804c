"""The web server's way in. Names its process first: a web request may wait less than a worker."""

import os

os.environ["SAVEDESK_PROCESS"] = "web"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
