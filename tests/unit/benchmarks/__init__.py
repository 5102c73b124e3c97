"""The benchmarks' own rules: what a verdict hangs on, what a report says, and that a measurement leaves nothing behind."""
