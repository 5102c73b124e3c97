"""FlightRecorder: writes what a process does into a file that is mapped into memory.

What is written there is the kernel's at once: it is still there when the process is killed, and nothing is ever flushed. (A
power cut loses it; so it does most logs.) The file is given its space before it is mapped: a page of a file with holes has to be
found at the first write to it, and where the disk is full by then, that write ends the process.

A turn is two stores into a slot that only its own actor has, and takes no lock: the message path runs here. Slots are taken and
given back by atomic steps of a deque. Notes are rare and share one lock, of this process alone.
"""

import mmap
import os
import threading
from collections import deque
from contextlib import suppress

import msgspec

from ..clock import Clock
from ..event import Event, Field
from ..log import Log
from . import ring
from .files import LifeFiles, life_files, prune

NO_SLOT = -1
TO_SHARE = 64
"""Slots that nobody keeps, for the turns of those who have none of their own."""

_log = Log()


class FlightRecorder:
    """A life's recording. Any thread may call; nothing blocks or is raised. Once it is closed, what is written is lost."""

    def __init__(self, memory: mmap.mmap, clock: Clock) -> None:
        self.memory = memory
        self.times: memoryview[float] = memoryview(memory).cast("d")
        self.now = clock.monotonic
        self._wall = clock.wall
        self._free: deque[int] = deque(range(ring.TURN_SLOTS))
        # Reentrant, as a signal's handler may log.
        self._lock = threading.RLock()
        self._noted = 0

    def seat(self, path: str) -> "Seat":
        """Give a seat for the turns of one life of the actor at `path`."""
        return Seat(self, path, self._take_slot_to_keep())

    def _take_slot_to_keep(self) -> int:
        return self.take_slot() if len(self._free) > TO_SHARE else NO_SLOT

    def take_slot(self) -> int:
        """Give a slot that nobody has, the one that was given back first; -1 where all are taken."""
        try:
            return self._free.popleft()
        except IndexError:
            return NO_SLOT

    def give_back(self, slot: int) -> None:
        """Let others use a slot."""
        self._free.append(slot)

    def on_event(self, event: Event) -> None:
        """Record an event: a listener of the event log."""
        self._note("event", event.at, event.type, event.path, event.fields)

    def on_log(self, line: bytes) -> None:
        """Record a log line, so that the last of them are there also when nobody has written them to a file."""
        with suppress(msgspec.MsgspecError):
            said = msgspec.json.decode(line, type=dict[str, object])
            head: dict[str, Field] = {"level": str(said.get("level")), "exception": _last_line(said.get("exception"))}
            self._note("log", self._wall(), str(said.get("event", "")), str(said.get("path", "")), head)

    def on_state(self, path: str, incarnation: int, state: str, error: str | None = None) -> None:
        """Record that an actor's life has come to a state, because of `error` if there was one."""
        self._note("state", self._wall(), state, path, {"incarnation": incarnation, "error": error})

    def close(self) -> None:
        """Let go of the file, which stays."""
        with self._lock:
            self.times.release()
            self.memory.close()

    def _note(self, kind: ring.NoteKind, at: float, type_: str, path: str, fields: dict[str, Field]) -> None:
        with self._lock, suppress(ValueError):  # closed
            self._noted += 1
            record = ring.encode_note(ring.Note(self._noted, at, kind, type_, path, fields))
            start = ring.note_at(self._noted)
            self.memory[start : start + len(record)] = record


class Seat:
    """Where the turns of one life are recorded, one at a time.

    It keeps its slot from one turn to the next, which makes a turn three times as quick to record: only its times are new, as
    long as it begins with a message of the same kind. Where too many have kept one, it takes another slot for each turn.
    """

    __slots__ = ("_held", "_index", "_is_kept", "_is_open", "_is_over", "_kind", "_path", "_recorder", "_slot")

    def __init__(self, recorder: FlightRecorder, path: str, slot: int) -> None:
        self._recorder = recorder
        self._path = path
        self._slot = slot
        self._held = [] if slot == NO_SLOT else [slot]
        self._index = _index_of(slot)
        self._is_kept = slot != NO_SLOT
        self._is_open = False
        self._is_over = False
        self._kind: object = None

    def beside(self) -> "Seat":
        """Give another seat for the same actor, for one turn: that of a handler which runs beside others."""
        return Seat(self._recorder, self._path, NO_SLOT)

    def begin(self, kind: object, began: float) -> None:
        """Record that a turn begins with a message of the class `kind`, or a hook of that name, at the monotonic time `began`.

        That is negated where more messages wait behind that one.
        """
        self._is_open = True
        try:
            if kind is self._kind:
                self._recorder.times[self._index] = began
            else:
                self._write(kind, began)
        except ValueError:  # the recording is closed
            return

    def begin_hook(self, hook: str) -> None:
        """Record that a hook begins to run."""
        self.begin(hook, self._recorder.now())

    def end(self) -> None:
        """Record that the turn has ended."""
        self._is_open = False
        if self._slot == NO_SLOT:
            return
        recorder = self._recorder
        try:
            recorder.times[self._index + 1] = recorder.now()
        except ValueError:  # the recording is closed
            return
        if not self._is_kept or self._is_over:
            self._leave()

    def leave(self) -> None:
        """Let others have the slot, once a turn that goes on has ended: a life may be over before its handler is."""
        self._is_over = True
        if not self._is_open:
            self._leave()

    def _write(self, kind: object, began: float) -> None:
        if self._slot == NO_SLOT:
            self._slot = self._recorder.take_slot()
            if self._slot == NO_SLOT:  # more turns than slots at a time: this one is not recorded
                return
            self._held.append(self._slot)
            self._index = _index_of(self._slot)
        record = ring.encode_turn(self._path, kind.__name__ if isinstance(kind, type) else str(kind), began)
        at = ring.turn_at(self._slot)
        self._recorder.memory[at : at + len(record)] = record
        self._kind = kind if self._is_kept else None

    def _leave(self) -> None:
        self._slot = NO_SLOT
        self._kind, self._is_kept = None, False
        # Taken out in one step: a life that was given up may be over on one thread while its turn ends on another.
        with suppress(IndexError):
            self._recorder.give_back(self._held.pop())


class Recorded:
    """Records that an actor's hook runs while the block lasts: a context manager, for one use."""

    __slots__ = ("_hook", "_seat")

    def __init__(self, seat: Seat | None, hook: str) -> None:
        self._seat = seat
        self._hook = hook

    def __enter__(self) -> None:
        if self._seat is not None:
            self._seat.begin_hook(self._hook)

    def __exit__(self, *_: object) -> None:
        if self._seat is not None:
            self._seat.end()


def _index_of(slot: int) -> int:
    """Give the place of a turn's beginning among the file's numbers of eight bytes."""
    return (ring.turn_at(slot) + ring.TIMES_OFFSET) // 8


def open_recorder(files: str, node: str, clock: Clock) -> FlightRecorder | None:
    """Begin the recording of the life that `files` names, and remove this node's oldest.

    None, and a log line, where there is no room for it.
    """
    life = life_files(files)
    try:
        if life is None:
            raise ValueError(f"{files!r} names no life")  # noqa: TRY301  # told as every other reason is
        life.folder.mkdir(mode=0o700, exist_ok=True)
        prune(life.folder, life.stem, present=life)
        memory = _mapped(life)
        memory[: ring.HEADER_SIZE] = ring.encode_header(
            ring.Header(node, life.incarnation, os.getpid(), clock.wall(), clock.monotonic())
        )
    except (OSError, ValueError) as error:
        _log.warning("flight.unavailable", node=node, reason=str(error))
        return None
    return FlightRecorder(memory, clock)


def _mapped(life: LifeFiles) -> mmap.mmap:
    descriptor = os.open(life.flight, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, ring.FILE_SIZE)
        return mmap.mmap(descriptor, ring.FILE_SIZE, mmap.MAP_SHARED)
    except OSError:
        # An empty file is no evidence, and takes the name.
        with suppress(OSError):
            life.flight.unlink()
        raise
    finally:
        os.close(descriptor)


def _last_line(text: object) -> str | None:
    return str(text).rstrip().rpartition("\n")[2] if text else None
