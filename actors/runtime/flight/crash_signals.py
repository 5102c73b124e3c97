"""The signals by which a process crashes by a fault of its own, and on which the interpreter writes the stacks of its threads."""

CRASHES = frozenset({"SIGSEGV", "SIGABRT", "SIGFPE", "SIGBUS", "SIGILL"})
