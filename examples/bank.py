"""A small bank: the actor runtime in one file, to be read from top to bottom. Run it: `python examples/bank.py`.

Everybody here is an actor. Each handles one message at a time and shares nothing, so nothing takes a lock:

    /  ├─ accounts   ada  bob  cleo     keep the money
       ├─ tellers    max  mia           move it; a router picks one by the account that pays
       ├─ auditor                       is told when a teller dies
       └─ printer                       has a short queue, and no paper

A teller may die at any moment, and no money may be lost by it. So a transfer has a number, and three steps that may each be asked
for again but are done once: the payer sets money aside, the payee gets it, and what was set aside is released.

One teller does die. The traceback that you see then is the runtime's own log, on standard error.
"""
# ruff: noqa: D102, T201  # hooks are documented where `Actor` declares them; and it tells its story by printing

import asyncio
import sys
from typing import Any, Literal

from actors.runtime import (
    Actor,
    ActorRef,
    ActorSystem,
    ChildSpec,
    ConsistentHash,
    Future,
    Request,
    Router,
    SupervisorSpec,
    Terminated,
)
from actors.runtime.errors import ActorFailedError, AskTimeoutError

OPENING = {"ada": 500, "bob": 300, "cleo": 200}


# Messages are immutable values. A `Request[X]` is answered by an X, and a type checker knows it.
class GetBalance(Request[tuple[int, int]], frozen=True):
    """Ask an account what it has: free to spend, and set aside for transfers that are under way."""


class Step(Request[None], frozen=True):
    """Ask an account for one step of a transfer."""

    what: Literal["set aside", "pay in", "release"]
    transfer: int
    amount: int


class Transfer(Request[str], frozen=True):
    """Ask a teller for all three steps; the answer is a receipt. Refs are values too, and can be sent."""

    number: int
    payer: ActorRef
    payee: ActorRef
    amount: int


class InsufficientFundsError(Exception):
    """The payer has less than the transfer takes."""


class Account(Actor):
    """Keeps money: in memory only. A real one would write each step down, and read it back in `on_start`."""

    # An expected error is an answer: the asker is raised it and the account lives on. Any other exception fails the actor.
    expected_errors = (InsufficientFundsError,)
    # So short a handler may run on the thread of whoever asks, while the account is idle: no other thread has to wake up for it.
    inline = True

    def __init__(self, amount: int) -> None:
        self._free, self._aside = amount, 0
        self._done: set[Step] = set()

    def on_receive(self, message: Any) -> tuple[int, int] | None:
        match message:
            case GetBalance():
                return self._free, self._aside
            case Step() if message in self._done:
                return None  # asked for again because a teller has died since
            case Step("set aside", amount=amount) if not 0 < amount <= self._free:
                raise InsufficientFundsError(f"{self.context.path} has {self._free} and cannot pay {amount}")
            case Step("set aside", amount=amount):
                self._free -= amount
                self._aside += amount
            case Step("pay in", amount=amount):
                self._free += amount
            case Step("release", amount=amount):
                self._aside -= amount
            case _:
                return super().on_receive(message)  # type: ignore[no-any-return]  # it raises: whoever asks is refused
        self._done.add(message)
        return None


class Teller(Actor):
    """Carries transfers out, and keeps nothing that matters: how far an earlier attempt came, the accounts know."""

    dispatcher = "pinned"  # it waits for others all the time, so it has a thread of its own; most actors share a few
    expected_errors = (InsufficientFundsError,)

    def __init__(self) -> None:
        self._pad = ["{} pays {} to {}"] * 3

    def on_receive(self, order: Transfer) -> str:
        order.payer.ask(Step("set aside", order.number, order.amount), timeout=1.0)
        # The bug: the pad has forms for three receipts, and the fourth order dies here, its money set aside and not paid in.
        # The next life has a new pad. Many bugs are like that, which is why starting afresh helps.
        form = self._pad.pop()
        order.payee.ask(Step("pay in", order.number, order.amount), timeout=1.0)
        order.payer.ask(Step("release", order.number, order.amount), timeout=1.0)
        return form.format(order.payer.path, order.amount, order.payee.path)


class Auditor(Actor):
    """Watches the tellers, and hears of every life that ends; `death` resolves with the first."""

    def __init__(self, tellers: tuple[ActorRef, ...], death: Future[Terminated]) -> None:
        self._tellers, self._death = tellers, death

    def on_start(self) -> None:
        for teller in self._tellers:
            self.context.watch(teller)

    def on_receive(self, message: Terminated) -> None:
        self._death.set_result(message)


class Printer(Actor):
    """Prints a letter to whomever a message names, as soon as there is paper."""

    dispatcher = "async"  # its handlers are coroutines, which wait without a thread
    # A queue without a bound hides that somebody is too slow, until the memory is gone. Here, the fourth who has to wait is told
    # so. Instead, `block` lets the sender wait; `drop_oldest` and `drop_newest` make dead letters, which are counted.
    mailbox_capacity = 3
    overflow = "reject"

    def __init__(self, paper: Future[None]) -> None:
        self._paper = paper

    async def on_receive(self, name: str) -> str:
        await asyncio.wait_for(self._paper, timeout=10.0)
        return f"a letter to {name}"


# The tree is data: who is there, who is started again when it fails, and how often before its supervisor gives up.
BANK = SupervisorSpec(
    "bank",
    [
        SupervisorSpec("accounts", [ChildSpec(name, Account, args=(amount,)) for name, amount in OPENING.items()]),
        SupervisorSpec("tellers", [ChildSpec("max", Teller), ChildSpec("mia", Teller)], intensity=3, period=5.0),
    ],
)


def pay(tellers: Router, order: Transfer) -> str:
    """Have `order` carried out, once more if a teller dies of it; where the next one does too, `ActorFailedError` is raised."""
    try:
        return tellers.ask(order, timeout=5.0)
    except ActorFailedError:
        # How far it came cannot be told from here. The number is the same, so what has been done is not done again.
        return tellers.ask(order, timeout=5.0)


def books(system: ActorSystem) -> tuple[int, int]:
    """Give how much there is on all accounts together: free, and set aside."""
    balances = [account.ask(GetBalance()) for account in system.find("/accounts/*")]
    return sum(free for free, _ in balances), sum(aside for _, aside in balances)


def main() -> int:
    """Spend a day at the bank; 0 if all money is there at its end."""
    death, paper = Future[Terminated](), Future[None]()
    with ActorSystem("bank", BANK) as system:
        ada, bob, cleo = system.find("/accounts/*")
        # By the payer: the orders of one account all meet the same teller, one after the other.
        tellers = Router(system.find("/tellers/*"), ConsistentHash(lambda order: order.payer.path))
        system.spawn(Auditor, name="auditor", args=(tellers.routees, death))

        print("Five orders, one of which nobody can pay:")
        orders = [(ada, bob, 100), (bob, cleo, 50), (cleo, ada, 999), (ada, cleo, 40), (cleo, bob, 5)]
        for number, (payer, payee, amount) in enumerate(orders):
            try:
                print(f"  {number}: {pay(tellers, Transfer(number, payer, payee, amount))}")
            except InsufficientFundsError as error:
                print(f"  {number}: {error}")

        print("A teller dies half way:")
        order = Transfer(5, ada, cleo, 60)
        try:
            tellers.ask(order)
        except ActorFailedError as error:
            print(f"  the customer is told: {error}")
        end = death.get(5.0)
        print(f"  the auditor is told: life {end.incarnation} of {end.path} has {end.reason}")
        print("  the books say: {} free, {} set aside".format(*books(system)))
        print(f"  its next life is asked again: {pay(tellers, order)}")

        print("A queue is full:")
        printer = system.spawn(Printer, name="printer", args=(paper,))
        try:
            printer.ask("ada", timeout=0.1)
        except AskTimeoutError as error:
            print(f"  there is no paper: {error}")
        letters = [printer.ask(name, block=False) for name in ("bob", "cleo", "dan", "eve", "flo")]
        print(f"  the last of five more is refused: {letters[-1].error()}")
        paper.set_result(None)
        print(f"  the first of them is printed, once there is paper: {letters[0].get(5.0)}")

        free, aside = books(system)
    print(f"In the evening: {free} free, {aside} set aside; in the morning it was {sum(OPENING.values())}.")
    return 0 if (free, aside) == (sum(OPENING.values()), 0) else 1


if __name__ == "__main__":
    sys.exit(main())
