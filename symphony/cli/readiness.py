"""Readiness: the one line that a detached tree says through an inherited pipe to whoever started it."""

import os
from typing import Protocol

import msgspec
from msgspec import Struct

from .error_report import ErrorReport


class Word(Struct, frozen=True):
    """That the tree is up, and after how many milliseconds; or what prevented it. And what is odd about the tree."""

    ready_ms: float | None = None
    warnings: tuple[str, ...] = ()
    problem: ErrorReport | None = None


class Listener(Protocol):
    """Whoever is told how a start went, on the warden's thread: what is odd, then once how it went. No method raises."""

    def on_warnings(self, warnings: tuple[str, ...]) -> None:
        """Take note of what is odd about the tree."""
        ...

    def on_ready(self, seconds: float) -> None:
        """Take note that the tree is up."""
        ...

    def on_problem(self, problem: ErrorReport) -> None:
        """Take note that it will not be."""
        ...


class PipeListener:
    """Tells a waiting process. It owns the descriptor, which no process below may inherit."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        self._descriptor = descriptor
        self._warnings: tuple[str, ...] = ()

    def on_warnings(self, warnings: tuple[str, ...]) -> None:
        """Keep them for the one word."""
        self._warnings = warnings

    def on_ready(self, seconds: float) -> None:
        """Say so, and close the pipe."""
        self._say(Word(ready_ms=seconds * 1000, warnings=self._warnings))

    def on_problem(self, problem: ErrorReport) -> None:
        """Say so, and close the pipe."""
        self._say(Word(problem=problem, warnings=self._warnings))

    def _say(self, word: Word) -> None:
        if self._descriptor < 0:
            return
        descriptor, self._descriptor = self._descriptor, -1
        try:
            os.write(descriptor, msgspec.json.encode(word) + b"\n")
        except OSError:
            pass  # whoever waited has given up: the tree lives on without it
        finally:
            os.close(descriptor)
