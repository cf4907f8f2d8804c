"""Headless Chromium, started once in each of pytest's workers, by its first test in a browser.

To start it takes one and a half seconds of a core. It ends before the next test that needs
none: playwright runs a loop of asyncio in the thread of the tests.
"""

import os
import shutil
from contextlib import ExitStack, contextmanager

import pytest

from config.tests import sharing

COMMAND = shutil.which("chromium") or shutil.which("chromium-browser")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PATIENCE = 120_000  # milliseconds for whatever is waited for, on a busy machine


class Browser:
    """A plugin of pytest."""

    def __init__(self):
        self._opened = ExitStack()
        self._chromium = None

    def chromium(self):
        if not COMMAND:
            pytest.skip("Chromium is not installed")
        if self._chromium is None:
            with sharing.same_connections():
                self._chromium = self._opened.enter_context(_launched())
        return self._chromium

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, nextitem):
        try:
            return (yield)
        finally:
            if nextitem is None or not nextitem.get_closest_marker("browser"):
                self._end()

    def pytest_sessionfinish(self):
        self._end()

    def _end(self):
        self._chromium = None
        self._opened.close()


@contextmanager
def _launched():
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE)
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Django sees the loop, and refuses else
    try:
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(
                executable_path=COMMAND, args=OPTIONS, timeout=PATIENCE
            )
            new_context = chromium.new_context

            def patient(**options):
                context = new_context(**options)
                context.set_default_timeout(PATIENCE)
                return context

            chromium.new_context = patient
            yield chromium
            chromium.close()
    finally:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
