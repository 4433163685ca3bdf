"""Units of time."""

from __future__ import annotations

from typing import Final

S_PER_MINUTE: Final = 60.0
MS_PER_S: Final = 1000.0
NS_PER_S: Final = 1_000_000_000
