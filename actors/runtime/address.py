"""Actor paths: where an actor lives in the tree, the same for all its incarnations.

A path is `/` (the root) or `/name/name…`. It names one actor in the whole system, whichever process that runs in: the nodes share
one tree, and a node is the path at its top.
"""

import re
from typing import NewType

from .errors import InvalidPathError

ActorPath = NewType("ActorPath", str)

ROOT = ActorPath("/")
MAX_LENGTH = 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def parse_path(text: str) -> ActorPath:
    """Give `text` as a path. Raises `InvalidPathError`."""
    if text == "/":
        return ROOT
    if len(text) > MAX_LENGTH or not text.startswith("/") or not all(is_name(part) for part in text[1:].split("/")):
        raise InvalidPathError(f"{text[:80]!r} is no actor path: write `/` or `/name/name`, like `/engine/core`")
    return ActorPath(text)


def is_name(text: str) -> bool:
    """Tell whether `text` can be the last part of a path."""
    return _NAME.fullmatch(text) is not None


def child_path(parent: ActorPath, name: str) -> ActorPath:
    """Give the path of `parent`'s child. Raises `InvalidPathError` where `name` is no name."""
    if not is_name(name):
        raise InvalidPathError(
            f"{name[:80]!r} is no name: use letters, digits, `.`, `_` and `-`, and start with a letter or digit"
        )
    return ActorPath(f"/{name}" if parent == ROOT else f"{parent}/{name}")


def name_of(path: ActorPath) -> str:
    """Give the last part of a path; the root's is empty."""
    return path.rpartition("/")[2]


def parent_of(path: ActorPath) -> ActorPath:
    """Give the path above; that of the root is the root."""
    return ActorPath(path.rpartition("/")[0] or ROOT)


def is_within(path: str, ancestor: str) -> bool:
    """Tell whether `path` is `ancestor` or lies below it."""
    return ancestor in ("/", path) or path.startswith(f"{ancestor}/")


def closest(path: str, candidates: frozenset[ActorPath]) -> ActorPath | None:
    """Give the longest of `candidates` that `path` lies within, or None."""
    while True:
        if path in candidates:
            return ActorPath(path)
        if path == "/":
            return None
        path = path.rpartition("/")[0] or "/"
