"""Actors that do, on request, what no actor should, in processes of their own."""

import ctypes
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from actors.runtime import Actor, ChildSpec
from actors.runtime.errors import StartError
from actors.runtime.node.mark import NODE_MARK
from tests.support.actors_for_tests import Servant

ROOM = 256 * 1024 * 1024
FOR_EVER = "import signal; signal.pause()"
DAEMON = """
import os, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        print(os.getpid(), flush=True)
        os.close(1)
        signal.pause()
"""


class Villain(Servant):
    """Obeys `[verb, argument]`, as a servant does, and knows worse verbs."""

    def do_append(self, file, number):
        """Have an effect that outlives the process."""
        with Path(file).open("a") as effects:
            effects.write(f"{number}\n")

    def do_hog(self):
        """Take more memory than there is."""
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (used + ROOM, hard))
        bytearray(2 * ROOM)

    def do_deafen(self):
        """Let the process ignore SIGTERM from now on, behind Python's back."""
        libc = ctypes.CDLL(None)
        libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
        libc.signal(signal.SIGTERM, ctypes.c_void_p(1))
        return os.getpid()

    def do_seize(self, mark):
        """Make the file `mark`, then never give the interpreter back: no Python runs in this process any more."""
        Path(mark).touch()
        ctypes.PyDLL(None).sleep(60)

    def do_breed(self):
        """Start a child and a daemon that has left its session and its parents; give the pids."""
        child = subprocess.Popen([sys.executable, "-I", "-S", "-c", FOR_EVER], stdin=subprocess.DEVNULL)
        command = [sys.executable, "-I", "-S", "-c", DAEMON]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as started:
            daemon = int(started.stdout.readline())
        return [child.pid, daemon]

    def do_daemon(self, is_marked):
        """Start a daemon that has left its session and its parents, with the node's mark or without; give its pid."""
        environ = {name: value for name, value in os.environ.items() if is_marked or name != NODE_MARK}
        command = [sys.executable, "-I", "-S", "-c", DAEMON]
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, env=environ) as started:
            return int(started.stdout.readline())

    def do_fork(self):
        """Have a child with copies of all that this process has open; give its pid."""
        child = os.fork()
        while child == 0:
            signal.pause()
        return child


class Crasher(Actor):
    """Fails when it is told anything, and from then on as soon as it is ready, in each of its lives."""

    def on_start(self):
        if self.context.incarnation > 1:
            self.context.ref.tell("crash")

    def on_receive(self, message):
        raise ValueError(message)


class Quitter(Crasher):
    """Takes its process along instead."""

    def on_receive(self, message):
        os._exit(3)


class LateParent(Actor):
    """Asks its supervisor for another child while it stops, and says what became of it."""

    def on_stop(self):
        added = self.context.supervisor.add(ChildSpec("late", Servant))
        try:
            added.get(5)
        except StartError as error:
            self.context.publish("late_parent.refused", error=str(error))


class BreaksAtStop(Servant):
    """Fails in `on_stop`."""

    def on_stop(self):
        super().on_stop()
        raise OSError("cannot stop today")
