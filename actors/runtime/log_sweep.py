"""LogSweep: removes the logs of nodes that are gone, the oldest first, once there are many.

A log has the name of its node, so names that come and go would fill the folder for ever. Which node goes on is read from the
recordings: they say whose process is there, whichever kernel has started it.
"""

import os
from contextlib import suppress
from pathlib import Path

from .flight.files import goes_on, lives_in, some_of
from .run_directory import RunDirectory

SUFFIX, OLD = ".jsonl", ".old"
MOST = 200
"""Nodes whose logs are kept, also when they are gone."""
EVERY = 20
"""How many new logs there are between one sweep and the next."""
LOOKS = 64
"""How many of the older ones a sweep looks at: more than there are new ones, so that they become fewer."""


class LogSweep:
    """Sweeps the logs of a run directory. One thread calls."""

    def __init__(self, run_dir: RunDirectory) -> None:
        self._run_dir = run_dir
        self._new = 0

    def on_new_log(self) -> None:
        """Hear that there is a log more; the first one, and each twentieth after it, begins a sweep."""
        if self._new % EVERY == 0:
            self._sweep(at=self._new // EVERY * LOOKS)
        self._new += 1

    def _sweep(self, at: int) -> None:
        youngest: dict[str, float] = {}
        with suppress(OSError), os.scandir(self._run_dir.logs) as entries:
            for entry in entries:
                if entry.name.endswith(SUFFIX):
                    stem = _stem_of(entry.name)
                    with suppress(OSError):
                        youngest[stem] = max(youngest.get(stem, 0.0), entry.stat().st_mtime)
        kernel = _stem_of(self._run_dir.log_of("kernel").name)
        stems = sorted((stem for stem in youngest if stem != kernel), key=lambda stem: youngest[stem], reverse=True)
        for stem in some_of(stems[MOST:], LOOKS, at):
            if not any(goes_on(life) for life in lives_in(self._run_dir.flight, stem)):
                for name in (f"{stem}{SUFFIX}", f"{stem}{OLD}{SUFFIX}"):
                    with suppress(OSError):
                        Path(self._run_dir.logs / name).unlink()


def _stem_of(name: str) -> str:
    return name.removesuffix(SUFFIX).removesuffix(OLD)
