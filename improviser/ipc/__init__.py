"""Connects processes: shared memory, and child processes with a heartbeat and a record of their last output.

This module limits numeric libraries to one thread, in child processes too. A decision takes microseconds, and waking
other threads would take longer. The libraries read these variables when they are first imported, which happens after
this module is loaded.
"""

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
