"""A node whose link never closes."""

import socket
import threading
from typing import NoReturn

from actors.runtime.node_process import main
from actors.runtime.node_process.system import NodeSystem


def run_node(sock: socket.socket) -> NoReturn:
    """Be that node."""
    NodeSystem.close = lambda _: threading.Event().wait()
    main.run_node(sock)
