"""KernelRecords: what a kernel keeps: its nodes' and its own log lines, its recording and the stacks of a crash of its own."""

import os

from .clock import Clock
from .flight.crashes import record_crashes
from .flight.files import name_life
from .flight.recorder import FlightRecorder, open_recorder
from .log_setup import set_up_logging
from .log_sweep import LogSweep
from .log_writer import LogWriter
from .run_directory import RunDirectory

NODE = "kernel"


class KernelRecords:
    """The records of one kernel's life, which begin with it. `logs` takes its nodes' lines too. `close` it last."""

    def __init__(self, run_dir: RunDirectory, clock: Clock) -> None:
        self.logs = LogWriter(on_new_file=LogSweep(run_dir).on_new_log)
        self.recorder: FlightRecorder | None = None
        self._file = run_dir.log_of(NODE)
        set_up_logging(self._write, node=NODE)
        # A kernel has no number of its own when it begins; its pid tells it from others just as well.
        files = name_life(run_dir.flight, self._file.stem, clock.wall(), os.getpid())
        self._crash_file = record_crashes(files)
        self.recorder = open_recorder(files, NODE, clock)

    def close(self) -> None:
        """Write the last lines, within a second."""
        self.logs.close()

    def _write(self, line: bytes) -> None:
        if self.recorder is not None:
            self.recorder.on_log(line)
        self.logs.put(self._file, NODE, [line])
