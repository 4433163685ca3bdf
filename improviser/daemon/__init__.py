"""The processes that play: the performer in real time, and the supervisor that starts and watches it.

Numeric libraries get one thread: a decision takes microseconds, and waking helpers would take longer. They
read these variables when they are first imported, which is after this line.
"""

from __future__ import annotations

import os

for _variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
