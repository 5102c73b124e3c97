"""Places: which run directory a command means, and where state is kept; the same rule for every command, so that they meet.

The run directory is the first of: `--run-dir DIR`; the variable `SYMPHONY_RUN_DIR`; the workspace's; the user's. A workspace is
what `up --workspace DIR` names; without it, the nearest folder, from the current one upwards, that has a `symphony.toml` or that
`up --workspace` was used for. Nothing is made or changed here.
"""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from actors.runtime.errors import RunDirectoryError
from symphony.domain.errors import InvalidRequestError, NotFoundError
from symphony.settings import FILE_NAME

VARIABLE = "SYMPHONY_RUN_DIR"
SLUG_LENGTH = 12


class Places(NamedTuple):
    """Absolute paths. `workspace` is None where Symphony runs for the user."""

    run_dir: Path
    state_dir: Path
    workspace: Path | None


def choose_places(run_dir: str | None, workspace: str | None, environ: Mapping[str, str], cwd: Path | None) -> Places:
    """Choose from what was given on the command line, the environment and the current folder (None where that is gone).

    Raises `NotFoundError` or `InvalidRequestError` for a workspace that is no folder, `RunDirectoryError` without any place.
    """
    if run_dir == "":
        raise InvalidRequestError(
            "--run-dir is empty (a shell variable that is not set?): name a folder, or leave the option out"
        )
    base = _run_base(environ)
    chosen = _workspace_given(workspace) if workspace else next(_workspaces_around(cwd, base), None)
    name = _name_of(chosen)
    if explicit := run_dir or environ.get(VARIABLE):
        path = Path(os.path.abspath(explicit))  # noqa: PTH100  # resolve() would follow links, to a longer path perhaps
        return _checked(Places(path, path / "state", chosen))
    return _checked(Places(base / name, _state_base(environ) / name, chosen))


def _checked(places: Places) -> Places:
    """Give the places, if every process can be told of them: messages hold UTF-8 only."""
    for path in places:
        try:
            str(path or "").encode()
        except UnicodeEncodeError:
            raise InvalidRequestError(f"{str(path)!r} is a name that is not UTF-8: use another") from None
    return places


def _workspace_given(text: str) -> Path:
    path = Path(text).resolve()
    if not path.exists():
        raise NotFoundError(f"{text}: no such folder; --workspace names one that is there")
    if not path.is_dir():
        raise InvalidRequestError(f"{text}: is not a folder, and a workspace is one")
    return path


def _workspaces_around(cwd: Path | None, base: Path) -> Iterator[Path]:
    if cwd is not None:
        here = cwd.resolve()
        for folder in (here, *here.parents):
            if _exists(folder / FILE_NAME) or _exists(base / _name_of(folder)):
                yield folder


def _exists(path: Path) -> bool:
    """Tell whether it is there to be seen: a folder above may be one that must not be entered."""
    try:
        return path.exists()
    except OSError:
        return False


def _name_of(workspace: Path | None) -> str:
    if workspace is None:
        return "user"
    # Short, since the path of a unix socket may have 107 bytes; the slug is for people, the digest keeps two workspaces apart.
    slug = re.sub(r"[^a-z0-9]+", "-", workspace.name.lower()).strip("-")[:SLUG_LENGTH].strip("-")
    return f"{slug or 'folder'}-{hashlib.sha256(os.fsencode(workspace)).hexdigest()[:8]}"


def _run_base(environ: Mapping[str, str]) -> Path:
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    if runtime.startswith("/") and Path(runtime).is_dir():
        return Path(runtime) / "symphony"
    return _state_base(environ) / "run"


def _state_base(environ: Mapping[str, str]) -> Path:
    state = environ.get("XDG_STATE_HOME", "")
    if state.startswith("/"):
        return Path(state) / "symphony"
    try:
        return Path(environ.get("HOME") or Path.home()) / ".local" / "state" / "symphony"
    except RuntimeError as error:
        raise RunDirectoryError("you have no home folder to keep anything in: use --run-dir DIR") from error
