"""How much to try: what a test that draws its cases draws, unless the environment says another number."""

import os


def effort(name, usual):
    """Give the number that the environment variable `SYMPHONY_<name>` says, or else the usual one."""
    return int(os.environ.get(f"SYMPHONY_{name}", usual))
