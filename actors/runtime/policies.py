"""Policies: the choices that an actor class makes by name, and what may be chosen."""

from typing import Literal

Overflow = Literal["reject", "block", "drop_oldest", "drop_newest"]
OVERFLOWS: tuple[Overflow, ...] = ("reject", "block", "drop_oldest", "drop_newest")
AskFailure = Literal["fail", "reply"]
ASK_FAILURES: tuple[AskFailure, ...] = ("fail", "reply")
