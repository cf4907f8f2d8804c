"""A browser for the tests of pages, signed in, on a desk or a phone."""

import pytest

WIDTHS = {"desk": (1280, 900), "small desk": (1024, 768), "phone": (390, 844)}


@pytest.fixture
def open_page(chromium, live_server, signed_in):
    """Open a page signed in; complaints of the browser's console are collected."""
    contexts = []
    session = {"name": "sessionid", "value": signed_in.cookies["sessionid"].value}

    def open_(path, *, size="desk", scheme="light", javascript=True, **options):
        width, height = WIDTHS[size]
        context = chromium.new_context(
            **options,
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            java_script_enabled=javascript,
        )
        contexts.append(context)
        context.add_cookies([{**session, "url": live_server.url}])
        page = context.new_page()
        page.complaints = []
        page.on("console", lambda message: _note(page.complaints, message))
        page.goto(f"{live_server.url}{path}")
        return page

    yield open_
    for context in contexts:
        context.close()


def _note(complaints, message):
    """Note what the console says, except that a slow page keeps the reader's focus."""
    if not message.text.startswith("Autofocus processing was blocked"):
        complaints.append(message.text)
