"""What this repository consists of, as its rules see it: the files that are in it or would be committed to it."""

import ast
import os
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("symphony", "actors", "adapters", "xi")


@cache
def files() -> tuple[Path, ...]:
    """Return every file but those that .gitignore names; works without git, in an unpacked archive as well."""
    ignored = [".git", *(line.rstrip("/") for line in (ROOT / ".gitignore").read_text().split())]

    def walk(folder: Path) -> Iterator[Path]:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            if any(fnmatch(entry.name, pattern) for pattern in ignored) or (Path(entry.path) / "pyvenv.cfg").exists():
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from walk(Path(entry.path))
            else:
                yield Path(entry.path)

    return tuple(walk(ROOT))


def python_files(*folders: str) -> list[Path]:
    """Return the Python files below these folders of the root; below the root itself when none is named."""
    return [p for p in files() if p.suffix == ".py" and (not folders or p.relative_to(ROOT).parts[0] in folders)]


@cache
def syntax_tree(path: Path) -> ast.Module:
    """Parse a file once, for all the rules that look at it."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def name(path: Path) -> str:
    """Return the path as a reader of the repository says it: from the root, with slashes."""
    return path.relative_to(ROOT).as_posix()
