"""LeavesBadly: an actor in whose process something keeps the process from leaving."""

import os
import sys
import threading

from actors.runtime import Actor
from actors.runtime.node_process.system import NodeSystem


class LeavesBadly(Actor):
    """Does to its process what it is asked for, answers its pid, and fails on a message `fail`."""

    def on_receive(self, message):
        if message == "fail":
            raise RuntimeError("as asked")
        getattr(self, message)()
        return os.getpid()

    def be(self):
        """Do nothing."""

    def print_to_nobody(self):
        """Print into a pipe whose reader is gone, with a thread that a process would wait for at its end."""
        threading.Thread(target=threading.Event().wait, name="users-own").start()
        reader, writer = os.pipe()
        os.close(reader)
        self._print_into(writer)

    def print_to_a_reader_that_does_not_read(self):
        """Print into a pipe that is full."""
        _, writer = os.pipe()
        os.set_blocking(writer, False)
        try:
            while True:
                os.write(writer, b"x" * 4096)
        except BlockingIOError:
            os.set_blocking(writer, True)
        self._print_into(writer)

    def never_leave(self):
        """Have the last step of the process wait for ever."""
        os._exit = lambda _code: threading.Event().wait()

    def break_the_main_thread(self):
        """Have the next word that asks to stop raise on the process's main thread."""

        def begin_stop(_system):
            raise LookupError("a fault of the main thread")

        NodeSystem.begin_stop = begin_stop

    def _print_into(self, writer):
        sys.stdout = os.fdopen(writer, "w")
        sys.stdout.write("hello")
