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
        self._lost: list[AsyncDispatcher] = []
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

    def instead_of(self, hung: Dispatcher, actor: str, thread: int | None) -> Dispatcher:
        """Give a dispatcher that can go on for the actor whose handler hangs on `thread`, a thread of the dispatcher `hung`.

        A shared one finds another thread; the actor's own thread and a loop are replaced, the loop for all that are to come.
        """
        if isinstance(hung, SharedDispatcher):
            hung.lose(thread)
            return hung
        if isinstance(hung, AsyncDispatcher):
            with self._lock:
                if hung is self._async:
                    hung.lose()
                    self._lost.append(hung)
                    self._async = None
            return self.of_kind("async", actor)
        with self._lock:
            # Whoever closes the system does not wait for its thread.
            self._pinned = weakref.WeakSet(pinned for pinned in self._pinned if pinned is not hung)
        hung.close()
        return self.of_kind("pinned", actor)

    def close(self) -> None:
        """Close those that several actors share, and wait 2 s at most for the threads of the others, closed by their cells."""
        with self._lock:
            self._closed = True
            made = [dispatcher for dispatcher in (self._shared, self._async, *self._lost) if dispatcher is not None]
            self._shared = self._async = None
            self._lost = []
            pinned = list(self._pinned)
        for dispatcher in made:
            dispatcher.close()
        deadline = time.monotonic() + JOIN_S
        for one in pinned:
            one.join(max(0.0, deadline - time.monotonic()))
