"""Actors that hang in each way there is, for tests that watch a node be replaced for it."""

import ctypes
import os
import threading

from actors.runtime import Actor, ActorRef

A_MINUTE_S = 60


class HangingActor(Actor):
    """Does what it is told by name: hangs, or says who it is."""

    def on_receive(self, message):
        verb, *arguments = message
        return getattr(self, f"do_{verb}")(*arguments)

    def do_who(self):
        return [os.getpid(), self.context.incarnation]

    def do_loop(self):
        while True:
            pass

    def do_hold_the_gil(self):
        ctypes.PyDLL(None).sleep(A_MINUTE_S)

    def do_wait_for_a_lock(self):
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()

    def do_work_for(self, seconds):
        threading.Event().wait(seconds)
        return seconds

    def do_ask(self, ref: ActorRef, message):
        return ref.ask(message, timeout=A_MINUTE_S)


class PinnedHangingActor(HangingActor):
    dispatcher = "pinned"


class AsyncHangingActor(HangingActor):
    dispatcher = "async"

    async def on_receive(self, message):
        return super().on_receive(message)
