"""Files: where the recordings of one run directory are, and how long they are kept.

Each life of a node has files of its own, so that the next life does not overwrite the evidence of the last one. The name says
whose they are, when that life began and its number: `engine.1767225600000.4.flight`. Numbers begin again after an orderly end,
times do not, so it is the time that orders.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from . import ring

FLIGHT, CRASH = ".flight", ".crash"
KEPT = 3
"""Earlier lives of a node whose files are kept beside those of its present one."""
MOST = 200
"""Lives, of all nodes, whose files are kept; older ones go when their processes have."""
LOOKS = 8
"""How many of the older ones a life that begins looks at: more than one, so that they become fewer."""


class LifeFiles(NamedTuple):
    """The files of one life: `began_ms` since the epoch; `stem` is the node's name as its log has it."""

    folder: Path
    stem: str
    began_ms: int
    incarnation: int

    @property
    def flight(self) -> Path:
        """The recording."""
        return self._with(FLIGHT)

    @property
    def crash(self) -> Path:
        """What the interpreter said of a fault of its own, such as a segmentation fault; empty where there was none."""
        return self._with(CRASH)

    @property
    def text(self) -> str:
        """The path of both files without what they end with, as `life_files` reads it."""
        return str(self.folder / f"{self.stem}.{self.began_ms}.{self.incarnation}")

    def _with(self, suffix: str) -> Path:
        return Path(self.text + suffix)


def name_life(folder: Path, stem: str, began: float, incarnation: int) -> str:
    """Give the `LifeFiles.text` of a life that begins at `began`, in seconds since the epoch."""
    return LifeFiles(folder, stem, int(began * 1000), incarnation).text


def life_files(text: str) -> LifeFiles | None:
    """Give the files that `LifeFiles.text` names; None where it names none."""
    path = Path(text)
    parts = path.name.rsplit(".", 2)
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() for part in parts[1:]):
        return None
    return LifeFiles(path.parent, parts[0], int(parts[1]), int(parts[2]))


def lives_in(folder: Path, stem: str | None = None) -> list[LifeFiles]:
    """Give the lives that have files in `folder`, the newest first; those of one node, or of all."""
    found = set(_lives_in(folder))
    wanted = [life for life in found if stem is None or life.stem == stem]
    return sorted(wanted, key=lambda life: (life.began_ms, life.incarnation), reverse=True)


def prune(folder: Path, stem: str, *, present: LifeFiles) -> None:
    """Remove the files of all but the last lives of a node before the present one, and some of the oldest of too many."""
    texts = sorted(_texts_in(folder), key=_age, reverse=True)
    mine = f"{stem}."
    own = [life for text in texts if text.startswith(mine) and (life := life_files(str(folder / text))) is not None]
    earlier = [life for life in own if life.stem == stem and life != present]
    # Names may come and go for ever; a life that is old may well go on, so these are looked at: a few each time, for there
    # may be many that go on.
    for text in some_of(texts[MOST:], LOOKS, present.began_ms):
        life = life_files(str(folder / text))
        if life is not None and life.stem != stem and not goes_on(life):
            _remove(life)
    for life in earlier[KEPT:]:
        _remove(life)


def some_of(everything: Sequence[str], count: int, at: int) -> list[str]:
    """Give `count` of these at most, beginning with the one at `at`, counted round and round: other ones each time."""
    total = len(everything)
    return [everything[(at + number) % total] for number in range(min(count, total))]


def goes_on(life: LifeFiles) -> bool:
    """Tell whether the process of a life is there, or another that has its number by now."""
    try:
        with life.flight.open("rb") as stream:
            recording = ring.decode(stream.read(ring.HEADER_SIZE))
    except OSError:
        return False
    return recording is not None and Path(f"/proc/{recording.header.pid}").exists()


def _remove(life: LifeFiles) -> None:
    for file in (life.flight, life.crash):
        with suppress(OSError):
            file.unlink()


def _age(text: str) -> tuple[int, int]:
    """Give what orders lives by their time; what is no life's name is taken for the youngest, and stays."""
    parts = text.rsplit(".", 2)
    try:
        return int(parts[1]), int(parts[2])
    except (IndexError, ValueError):
        return sys.maxsize, 0


def _lives_in(folder: Path) -> Iterator[LifeFiles]:
    for text in _texts_in(folder):
        if (life := life_files(str(folder / text))) is not None:
            yield life


def _texts_in(folder: Path) -> set[str]:
    """Give the names of lives that have files there. Names only: there may be hundreds, and each node's start reads them."""
    with suppress(OSError), os.scandir(folder) as entries:
        return {entry.name.rpartition(".")[0] for entry in entries if entry.name.endswith((FLIGHT, CRASH))}
    return set()
