"""The children of the suite: obedient ones, of which one that hangs lets go once it is given up, so that no thread is left."""

import threading

from tests.support.actors_for_tests import Servant


class Child(Servant):
    """A `Servant` that hangs no longer than it has to; one that `falls` does so when it is told to end, in its first life."""

    def __init__(self, lives=("ok",), notes=None, falls=None):
        super().__init__(lives, notes)
        self._falls = falls
        self._given_up = threading.Event()

    def on_start(self):
        if self._lives[min(self.context.incarnation, len(self._lives)) - 1] == "hang":
            self._given_up.wait()
        else:
            super().on_start()

    def on_stop(self):
        if self._falls is not None and self.context.incarnation == 1:
            getattr(self, f"do_{self._falls[0]}")(*self._falls[1:])
        super().on_stop()

    def on_kill(self):
        self._given_up.set()

    def do_hang(self):
        self.context.publish("servant.hung")
        self._given_up.wait()
