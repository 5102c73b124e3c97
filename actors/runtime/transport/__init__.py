"""Moving frames between nodes: `base` says what a transport is, `zeromq` is the one module that imports zmq."""
