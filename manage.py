#!/usr/bin/env python
"""Runs Savedesk's management commands."""

import os
import sys

# They serve or start stand-ins, so they work before anything is configured.
NEED_NO_SECRETS = ("demo", "sandbox")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if sys.argv[1:2] and sys.argv[1] in NEED_NO_SECRETS:
        os.environ.setdefault("DEBUG", "1")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:  # a setting to be mended, not a fault to be traced
        sys.exit(f"Savedesk cannot start: {error}")


if __name__ == "__main__":
    main()
