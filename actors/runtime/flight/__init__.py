"""Flight recorder: what a process did last, in a file mapped into memory, and what can be told from it when it is dead."""
