"""Actors that count, and that fail in every way there is when they are told to: for `examples/tree.toml`.

Messages are plain data, `[verb, argument…]`, so that anybody can send them: the command line, or another program.
"""

import os
import signal

from actors.runtime import Actor, ChildSpec, SupervisorSpec


class Counter(Actor):
    """Adds up what it is told; its memory ends with its life."""

    expected_errors = (ValueError,)

    def __init__(self, start: int = 0) -> None:
        self.total = start

    def on_receive(self, message: object) -> object:
        """Do as told: count N, total, crash, exit N, hang, fail."""
        match message:
            case ["count", int(number)]:
                self.total += number
                return self.total
            case ["total"]:
                return self.total
            case ["crash"]:
                os.kill(os.getpid(), signal.SIGKILL)
            case ["exit", int(code)]:
                os._exit(code)
            case ["hang"]:
                while True:
                    pass
            case ["fail"]:
                raise RuntimeError("failed, as it was told to")
        raise ValueError(f"{message!r} is no order: one of [count, N], [total], [crash], [exit, N], [hang] and [fail]")


def tree() -> SupervisorSpec:
    """Give a tree like that of `tree.toml`, from Python: `symphony up workers:tree --app-dir examples`."""
    worker = {"actor": "workers:Counter", "hang_after": 3.0}
    pair = [ChildSpec("left", **worker), ChildSpec("right", **worker)]
    return SupervisorSpec(
        "counters",
        intensity=10,
        period=60.0,
        on_exhausted="park",
        children=[
            ChildSpec("alone", process=True, kwargs={"start": 100}, **worker),
            SupervisorSpec("pair", pair, strategy="one_for_all", process=True, shutdown=3.0),
        ],
    )
