"""Reads the settings in a process of its own, without the third of a second that packages take.

Each process is forked from one that has imported them already; it reads what is ours anew.
"""

import json
import os
import sys
import traceback
from multiprocessing import get_context
from typing import Any

_forking = get_context("forkserver")
_forking.set_forkserver_preload(["config.settings"])  # and the packages that it needs


def read(names: tuple[str, ...], environment: dict[str, str]) -> tuple[list[Any], str]:
    """The values of these settings in this environment, or the traceback."""
    receiving, sending = _forking.Pipe(duplex=False)
    process = _forking.Process(target=_read, args=(sending, names, environment))
    process.start()
    sending.close()  # a process that ends without a word must not be waited for
    values, words = receiving.recv()
    process.join()
    return json.loads(values), words


def _read(sending: Any, names: tuple[str, ...], environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    _forget_ours()
    try:
        import config.settings

        values, words = json.dumps([getattr(config.settings, name) for name in names]), ""
    except Exception:  # noqa: BLE001 - the test reads it
        values, words = "[]", traceback.format_exc()
    sending.send((values, words))


def _forget_ours() -> None:
    """Let the next import run all modules of `config` again."""
    for name in [name for name in sys.modules if name.startswith("config.")]:
        package, _, module = name.rpartition(".")
        vars(sys.modules[package]).pop(module, None)
    for name in [name for name in sys.modules if name.startswith("config.")]:
        del sys.modules[name]
