"""How many threads numeric libraries use: what limits them to one.

More threads wait for each other where cores are shared. On two cores that both have other work, the tests of training
took six times as long with two threads as with one.
"""

from __future__ import annotations

from typing import Final

# The environment variables that numpy's and torch's libraries read when they are first imported.
ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
