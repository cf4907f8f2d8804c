"""docs/signals.md says what the code does."""

from pathlib import Path

from operations.tests.signals_document import document

SIGNALS = Path(__file__).parents[2] / "docs/signals.md"


def test_document_of_signals_is_what_the_code_says():
    assert SIGNALS.read_text(encoding="utf-8") == document(), (
        "write it anew: .venv/bin/python -m operations.tests.signals_document > docs/signals.md"
    )
