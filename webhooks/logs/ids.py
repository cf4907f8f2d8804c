"""What the work of this moment is about, for the log: ids alone, never who somebody is."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_ids: ContextVar[Mapping[str, object]] = ContextVar("ids", default={})  # noqa: B039 - never changed


@contextmanager
def about(**ids: object) -> Iterator[None]:
    """Each line that is logged within carries these ids: request_id, events, research and so on."""
    known = {name: value for name, value in ids.items() if value is not None}
    token = _ids.set({**_ids.get(), **known})
    try:
        yield
    finally:
        _ids.reset(token)


def present() -> Mapping[str, object]:
    return _ids.get()
