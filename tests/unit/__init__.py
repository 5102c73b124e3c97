"""One module at a time: no sockets, no processes, no sleep."""
