"""Values and rules: no threads, no I/O, no clock, no logging."""
