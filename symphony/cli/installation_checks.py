"""Checks of what is installed: Python, the packages, and that nobody else provides or shadows ours."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from importlib.util import find_spec
from pathlib import Path

from .finding import Finding

DISTRIBUTION = "symphony-aide"
PACKAGES = ("symphony", "actors", "adapters", "xi")
OLDEST = (3, 11)
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\(?([^;()]*)\)?)")
_BOUND = re.compile(r"(>=|<=|==|!=|~=|<|>)\s*([0-9]+(?:\.[0-9]+)*)")


def installation_findings() -> Iterator[Finding]:
    """Look at the interpreter and its packages; imports none of them."""
    yield _python()
    yield _packages()
    for package in PACKAGES:
        yield _owner(package)


def fits(installed: str, bounds: str) -> bool:
    """Tell whether a version is within bounds such as `>=4.5,<4.6`; only these two comparisons are known, others are let pass."""
    found = _numbers(installed)
    for comparison, bound in _BOUND.findall(bounds):
        wanted = _numbers(bound)
        if (comparison == ">=" and found < wanted) or (comparison == "<" and found >= wanted):
            return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("+")[0])[:3])


def _python() -> Finding:
    text = f"Python {'.'.join(map(str, sys.version_info[:3]))} at {sys.executable}"
    if sys.version_info < OLDEST:
        return Finding("python", text, f"use Python {OLDEST[0]}.{OLDEST[1]} or newer")
    if not sys.flags.safe_path:
        return Finding(
            "python", f"{text}, with the current folder on its search path", "start it as `symphony`, or with `python -P`"
        )
    return Finding("python", text)


def _packages() -> Finding:
    try:
        wanted = requires(DISTRIBUTION) or []
        own = version(DISTRIBUTION)
    except PackageNotFoundError:
        return Finding("packages", f"{DISTRIBUTION} is not installed here", "install it into this environment: `make setup`")
    problems = []
    for requirement in wanted:
        matched = _REQUIREMENT.match(requirement)
        if matched is None or "extra ==" in requirement:
            continue
        try:
            found = version(matched[1])
        except PackageNotFoundError:
            problems.append(f"{matched[1]} is missing")
        else:
            if not fits(found, matched[2]):
                problems.append(f"{matched[1]} {found} does not fit {matched[2]}")
    if problems:
        return Finding("packages", "; ".join(problems), "install the pinned versions: `make setup`")
    return Finding("packages", f"{DISTRIBUTION} {own} and the {len(wanted)} packages that it needs are installed")


def _owner(package: str) -> Finding:
    name = f"package {package}"
    owners = sorted(set(packages_distributions().get(package, [])))
    spec = find_spec(package)
    place = Path(spec.origin).parent.parent if spec is not None and spec.origin else None
    ours = Path(__file__).parents[2]
    if place is None:
        return Finding(name, "cannot be found", "install Symphony again: `make setup`")
    if place != ours:
        return Finding(name, f"comes from {place}, and the command line from {ours}", f"take {place} off PYTHONPATH")
    if len(owners) > 1:
        return Finding(name, f"belongs to {' and '.join(owners)}", "remove all but symphony-aide, then install it again")
    return Finding(name, f"comes from {place}")
