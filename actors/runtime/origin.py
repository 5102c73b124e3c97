"""Origins: which files our packages are loaded from.

Generic names such as `actors` are easily shadowed by a folder of the same name. Each process says in its hello where it got
them from, and one that got another copy than its parent is refused.
"""

import importlib.util
from collections.abc import Iterable
from pathlib import Path


def origins_of(packages: Iterable[str]) -> dict[str, str]:
    """Give the file that each top-level package comes from in this process; empty text for one that there is not."""
    return {name: _origin(name) for name in packages}


def foreign(own: dict[str, str], theirs: dict[str, str]) -> list[str]:
    """Give one sentence for each package that the other process has from elsewhere."""
    return [
        f"{name} was loaded from {theirs.get(name) or 'nowhere'}, not from {origin}"
        for name, origin in sorted(own.items())
        if theirs.get(name) != origin
    ]


def _origin(name: str) -> str:
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return ""
    return str(Path(found.origin).resolve()) if found is not None and found.origin else ""
