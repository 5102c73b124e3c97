"""A file in memory, to hand data of any size to a process that is to read it when it likes: a pipe would hold its writer up."""

import os


def memory_file(name: str, data: bytes) -> int:
    """Give a descriptor from which `data` is to be read, at its start; `name` is for whoever looks into /proc. Linux only."""
    descriptor = os.memfd_create(name)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        os.lseek(descriptor, 0, os.SEEK_SET)
    except BaseException:  # whatever it was, the descriptor does not stay behind
        os.close(descriptor)
        raise
    return descriptor
