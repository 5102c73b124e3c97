"""Actors that other processes can import, and that do what a test tells them by plain data."""

import os
import signal
import threading
from pathlib import Path

import structlog

from actors.runtime import Actor, ActorRef, Message, Request
from actors.runtime.errors import DeliveryError


class Counter(Actor):
    """Adds up what it is sent."""

    def __init__(self, start=0):
        self.total = start

    def on_receive(self, message):
        self.total += message
        return self.total

    def read(self):
        return self.total


class Greeter(Actor):
    """Tells the actor at `path` one thing as soon as it starts."""

    def __init__(self, path):
        self._path = path

    def on_start(self):
        ActorRef(self.context.ref._delivery, self._path).tell(1)  # there is no other way to a ref from a path here


class Servant(Actor):
    """Obeys `[verb, argument]`. How its lives begin is told by `lives`: "ok", "raise" or "hang", the last one for all others.

    `notes` is a file to which it adds a line for each start and stop.
    """

    dispatcher = "pinned"
    mailbox_capacity = 10_000
    expected_errors = (LookupError, DeliveryError)

    def __init__(self, lives=("ok",), notes=None):
        self._lives = lives
        self._notes = notes
        self.heard = []

    def on_start(self):
        life = self._lives[min(self.context.incarnation, len(self._lives)) - 1]
        if life == "raise":
            raise OSError("cannot start today")
        if life == "hang":
            threading.Event().wait()
        self._note("started")

    def on_stop(self):
        self._note("stopped")

    def on_receive(self, message):
        verb, *arguments = message
        return getattr(self, f"do_{verb}")(*arguments)

    def do_note(self, what):
        self.heard.append(what)
        return list(self.heard)

    def do_who(self):
        return {"pid": os.getpid(), "path": self.context.path, "incarnation": self.context.incarnation}

    def do_raise(self, kind, text):
        raise {"LookupError": LookupError, "ValueError": ValueError, "SystemExit": SystemExit}[kind](text)

    def do_return(self, what):
        return what

    def do_return_object(self):
        return object()

    def do_stop(self):
        self.stop()

    def do_signal(self, name):
        os.kill(os.getpid(), signal.Signals[name])
        threading.Event().wait()

    def do_exit(self, code):
        os._exit(code)

    def do_hang(self):
        self.context.publish("servant.hung")
        threading.Event().wait()

    def do_tell(self, ref: ActorRef, message):
        ref.tell(message)
        return repr(ref)

    def do_ask(self, ref: ActorRef, message):
        return ref.ask(message)

    def do_own_ref(self):
        return self.context.ref

    def do_publish(self, type_, text):
        self.context.publish(type_, text=text)

    def do_log(self, event, count):
        log = structlog.get_logger("tests")
        for number in range(count):
            log.info(event, number=number)
        return count

    def _note(self, what):
        if self._notes is not None:
            with Path(self._notes).open("a", encoding="utf-8") as file:
                file.write(f"{what} {self.context.path} {self.context.incarnation}\n")


class Total(Message):
    """What an account holds: a reply, and part of a question."""

    amount: int
    currency: str = "EUR"


class GetTotal(Request[Total]):
    """Ask what the account holds, and `extra` on top of it."""

    extra: int = 0


class Deposit(Message):
    """Pay in."""

    total: Total
    by: ActorRef | None = None


class Unheard(Request[int]):
    """A message that no account knows."""


class Account(Actor):
    """Understands typed messages only."""

    messages = (GetTotal, Deposit)

    def __init__(self):
        self.amount = 0

    def on_receive(self, message):
        match message:
            case GetTotal(extra):
                return Total(self.amount + extra)
            case Deposit(total, by):
                self.amount += total.amount
                if by is not None:
                    by.tell("thanks")
                return None
        return super().on_receive(message)


class DiesAtStart(Actor):
    """Takes its process along before it is ready."""

    def on_start(self):
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()
