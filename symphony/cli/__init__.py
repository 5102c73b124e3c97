"""The command line: one module a command, loaded lazily; it parses, prints and sets the exit code."""
