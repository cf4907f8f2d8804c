"""Says what nothing in the product uses: vulture's findings, less what is used by its name alone.

vulture reads Python. It does not see that a template, the name of a keyword (`gets_alarms=True`) or
a string (`"brief__state"`, an option of the admin) uses something. `[tool.vulture]` in
pyproject.toml lists what frameworks look for. Tests are left out: what only they use is unused.
"""

import ast
import re
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from vulture.config import make_config
from vulture.core import Vulture


def names_in_python(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.keyword) and node.arg:
            yield from node.arg.split("__")
        elif isinstance(node, ast.Constant) and re.fullmatch(r"[\w.:-]+", str(node.value)):
            yield from re.split(r"__|\W", str(node.value))


def main() -> None:
    config = make_config([])
    found = Vulture(
        ignore_names=config["ignore_names"], ignore_decorators=config["ignore_decorators"]
    )
    found.scavenge(config["paths"], exclude=config["exclude"])
    used: set[str] = set()
    for path in config["paths"]:
        for file in Path(path).rglob("*.py"):
            if not any(fnmatch(str(file), pattern) for pattern in config["exclude"]):
                used.update(names_in_python(file))
    for template in Path("templates").rglob("*.*"):
        used.update(re.findall(r"\w+", template.read_text()))
    reports = [
        item.get_report()
        for item in found.get_unused_code()
        if item.name not in used and not item.filename.match("config/settings*.py")
    ]
    if reports:
        sys.exit("\n".join([*reports, "Remove it, or name it under [tool.vulture] with a reason."]))


main()
