"""The control socket: how the command line and the console speak to a kernel. `words` is the contract of both sides."""
