"""A message as the command line takes it: JSON, or plain text where it is none."""

from typing import Any

import msgspec


def read_message(text: str) -> Any:
    """Give the message that `text` is: `["count", 1]` is a list, and `hello` a text."""
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text
