"""What a Q-network may spend on learning: a number of transitions, or an amount of CPU time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol


class Budget(Protocol):
    """Tells how far a learning is; at 1 it is over."""

    @property
    def done(self) -> int:
        """The transitions that had been sampled before."""

    def progress(self, sampled: int) -> float:
        """Return the share that is spent, 0-1 and above, after so many transitions in all."""


@dataclass(frozen=True, slots=True)
class TransitionBudget:
    """So many transitions in all, of which `done` had been sampled before."""

    total: int
    done: int = 0

    def progress(self, sampled: int) -> float:
        """Return the share of the transitions that were sampled."""
        return sampled / self.total


@dataclass(frozen=True, slots=True)
class CpuBudget:
    """So many seconds of this process' CPU time, from its making on: `start_s` is the process' time then."""

    seconds: float
    start_s: float = field(default_factory=time.process_time)
    done: int = 0

    def progress(self, sampled: int) -> float:
        """Return the share of the time that is over, whatever was sampled."""
        del sampled
        return (time.process_time() - self.start_s) / self.seconds
