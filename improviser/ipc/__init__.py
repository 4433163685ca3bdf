"""Between processes: shared memory, and child processes with heartbeat and last words.

Numeric libraries get one thread, in the children too: a decision takes microseconds, and waking helpers would
take longer. They read these variables when they are first imported, which is after this line.
"""

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
