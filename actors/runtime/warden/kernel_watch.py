"""KernelWatch: whether a kernel still answers, judged by its warden, which may itself have been stopped meanwhile; no clock."""

ANSWER_S = 5.0
"""How long a kernel may take to answer; it answers within a millisecond unless the machine is starved."""
FIRST_ANSWER_S = 30.0
"""How long it may take to the first answer: a kernel imports before it does."""
EVERY_S = 1.0


class KernelWatch:
    """One kernel's answers. Call `turn` once a second or more often; times are monotonic seconds."""

    def __init__(self, *, every_s: float = EVERY_S, answer_s: float = ANSWER_S) -> None:
        self._every_s = every_s
        self._answer_s = answer_s
        self._has_answered = False
        self._asked_at: float | None = None
        self._ask_at: float | None = None
        self._last_turn: float | None = None

    def turn(self, now: float) -> bool:
        """Tell whether to ask the kernel now."""
        if self._last_turn is not None and self._asked_at is not None:
            # A turn that comes late is time that the warden itself has lost, as by SIGSTOP: no fault of the kernel's.
            self._asked_at += max(0.0, now - self._last_turn - 2 * self._every_s)
        self._last_turn = now
        if self._asked_at is not None or (self._ask_at is not None and now < self._ask_at):
            return False
        self._asked_at, self._ask_at = now, now + self._every_s
        return True

    def answered(self) -> None:
        """Take note of an answer."""
        self._asked_at = None
        self._has_answered = True

    def is_hung(self, now: float) -> bool:
        """Tell whether the kernel has not answered for too long."""
        limit_s = self._answer_s if self._has_answered else max(self._answer_s, FIRST_ANSWER_S)
        return self._asked_at is not None and now - self._asked_at > limit_s
