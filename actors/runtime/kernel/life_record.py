"""LifeRecord: the last incarnation of each path on disk, so that the numbers go on over a kernel's death.

A file to which changes are appended, a JSON line for each batch, and which is written anew once most of it is outdated: so that
ten thousand starts cost ten thousand lines, and not as many whole files. Where the disk takes nothing any more, the file is
renamed, which needs no room: the next kernel then knows that the numbers in it are behind, and skips some.
"""

import contextlib
import os
from collections.abc import Mapping

import msgspec

from ..run_directory import RunDirectory

SPARE_ENTRIES = 1000
"""How many outdated entries the file may have, besides as many as there are paths."""
SKIPPED = 1000
"""How many numbers are skipped where an unknown number of lives could not be recorded."""


class LifeRecord:
    """Writes the record of `run_dir`; for one thread. `lives` are all of them, which others go on changing."""

    def __init__(self, run_dir: RunDirectory, lives: Mapping[str, int]) -> None:
        self._file = run_dir.lives
        self._behind = run_dir.lives_behind
        self._lives = lives
        self._written: dict[str, int] = {}
        self._entries = 0
        self._is_whole = False

    def write(self) -> None:
        """Write what has changed since. Raises `OSError`; then the next call writes all."""
        now = dict(self._lives)
        changed = {path: life for path, life in now.items() if self._written.get(path) != life}
        if not changed:
            return
        try:
            if self._is_whole and self._entries + len(changed) <= 2 * len(now) + SPARE_ENTRIES:
                with self._file.open("ab") as file:
                    file.write(_line(changed))
                self._entries += len(changed)
            else:
                self._write_anew(now)
        except OSError:
            self._is_whole = False
            with contextlib.suppress(OSError):
                self._file.rename(self._behind)
            raise
        self._written = now

    def _write_anew(self, lives: Mapping[str, int]) -> None:
        new = self._file.with_suffix(".new")
        try:
            new.write_bytes(_line(lives))
            new.replace(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                new.unlink()
            raise
        self._behind.unlink(missing_ok=True)
        self._entries, self._is_whole = len(lives), True


def read_lives(run_dir: RunDirectory) -> dict[str, int]:
    """Give the last incarnation of each path that an earlier kernel has recorded; none where there is no such record."""
    lives: dict[str, int] = {}
    for file, skipped in ((run_dir.lives_behind, SKIPPED), (run_dir.lives, 0)):
        for line in _lines(file):
            # A line that was cut off costs what is in it.
            with contextlib.suppress(msgspec.MsgspecError):
                for path, life in msgspec.json.decode(line, type=dict[str, int]).items():
                    lives[path] = max(lives.get(path, 0), life + skipped)
    return lives


def _lines(file: "os.PathLike[str]") -> list[bytes]:
    try:
        with open(file, "rb") as stream:  # noqa: PTH123  # any path-like
            return stream.read().splitlines()
    except OSError:
        return []


def _line(lives: Mapping[str, int]) -> bytes:
    return msgspec.json.encode(lives) + b"\n"
