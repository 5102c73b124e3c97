"""Real processes, real ZeroMQ, the real command line."""
