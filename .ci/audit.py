"""Names pinned packages with known vulnerabilities, as pip-audit learns them from its service.

Where the service is not reached, or does not know our packages, it says so and ends with 0: a
machine without the internet may check everything else. One package is asked about first, so that
this takes seconds there.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ALL = Path("requirements-dev.txt")  # with those of requirements.txt
PROBE_SECONDS, SECONDS = 10, 60
FLAGS = ("--require-hashes", "--disable-pip", "--timeout=5", "--progress-spinner=off", "-fjson")


def audit(requirements: Path, seconds: int) -> list[dict[str, Any]]:
    """What the service says of each package that it knows; empty if it does not answer."""
    command = [sys.executable, "-m", "pip_audit", "-r", str(requirements), *FLAGS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603 - our own
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return []
    return [package for package in packages if "skip_reason" not in package]


def pins() -> list[str]:
    """Each package of the list with its hashes."""
    text = re.sub(r"^ *#.*\n", "", ALL.read_text(), flags=re.MULTILINE)
    return re.findall(r"^[^ ].*(?:\n .*)*", text, re.MULTILINE)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / "requirements.txt"
        probe.write_text(pins()[0])
        packages = audit(probe, PROBE_SECONDS) and audit(ALL, SECONDS)
    if not packages:
        print("Packages not audited: the service of pip-audit cannot be reached from here.")  # noqa: T201 - its output
        return
    found = [
        f"{package['name']} {package['version']}: {one['id']}, "
        f"fixed in {', '.join(one['fix_versions']) or 'no version yet'}"
        for package in packages
        for one in package["vulns"]
    ]
    if found:
        sys.exit("\n".join([*found, "Raise it in pyproject.toml, then: make requirements."]))
    print(f"{len(packages)} of {len(pins())} packages audited: no known vulnerability.")  # noqa: T201 - its output


main()
