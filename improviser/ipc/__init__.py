"""Connects processes: shared memory, and child processes with a heartbeat and a record of their last output.

This module limits numeric libraries to one thread, in child processes too. A decision takes microseconds, and waking
other threads would take longer. The libraries read these variables when they are first imported, which happens after
this module is loaded.
"""

from __future__ import annotations

import os

from improviser.threads import ONE_THREAD

for _variable, _one in ONE_THREAD.items():
    os.environ.setdefault(_variable, _one)
