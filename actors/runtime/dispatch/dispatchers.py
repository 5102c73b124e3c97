"""Dispatchers: those of one system, made when they are first asked for."""

import threading
import time
import weakref

from ..errors import UsageError
from .asynchronous import AsyncDispatcher
from .dispatcher import JOIN_S, Dispatcher, DispatcherKind
from .pinned import PinnedDispatcher
from .shared import SharedDispatcher, Starved


class Dispatchers:
    """The dispatchers of one system. Any thread may call. `on_starved` hears when shared threads are short."""

    def __init__(self, name: str, on_starved: Starved) -> None:
        self._name = name
        self._on_starved = on_starved
        self._lock = threading.Lock()
        self._closed = False
        self._shared: SharedDispatcher | None = None
        self._async: AsyncDispatcher | None = None
        # Weak: one that has ended is of no interest, and its own thread keeps it until then.
        self._pinned: weakref.WeakSet[PinnedDispatcher] = weakref.WeakSet()

    def of_kind(self, kind: DispatcherKind, actor: str) -> Dispatcher:
        """Give the dispatcher for an actor named `actor`; a pinned one is new each time, and its cell closes it.

        Raises `UsageError` once the system is closed: nobody would end the threads.
        """
        if self._closed:
            raise UsageError("the system has been closed: it runs no more actors")
        if kind == "shared" and self._shared is not None:
            return self._shared
        if kind == "pinned":
            pinned = PinnedDispatcher(actor)
            with self._lock:
                self._pinned.add(pinned)
            return pinned
        with self._lock:
            if kind == "shared":
                self._shared = self._shared or SharedDispatcher(self._name, self._on_starved)
                return self._shared
            self._async = self._async or AsyncDispatcher(self._name)
            return self._async

    def close(self) -> None:
        """Close those that several actors share, and wait 2 s at most for the threads of the others, closed by their cells."""
        with self._lock:
            self._closed = True
            made = [dispatcher for dispatcher in (self._shared, self._async) if dispatcher is not None]
            self._shared = self._async = None
            pinned = list(self._pinned)
        for dispatcher in made:
            dispatcher.close()
        deadline = time.monotonic() + JOIN_S
        for one in pinned:
            one.join(max(0.0, deadline - time.monotonic()))
