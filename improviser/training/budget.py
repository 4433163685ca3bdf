"""The budget of a training run: a number of transitions, or an amount of CPU time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Protocol


class Budget(Protocol):
    """Measures how much of a training run is done; at 1 the run is over."""

    @property
    def done(self) -> int:
        """The transitions that were sampled before this run started."""

    def progress(self, sampled: int) -> float:
        """Return the share that is spent after `sampled` transitions in all; 1 or more when the budget is spent."""


@dataclass(frozen=True, slots=True)
class TransitionBudget:
    """A budget of `total` transitions, of which `done` were sampled before."""

    total: int
    done: int = 0

    def progress(self, sampled: int) -> float:
        """Return the share of the transitions that were sampled."""
        return sampled / self.total


@dataclass(frozen=True, slots=True)
class CpuBudget:
    """A budget of `seconds` of this process' CPU time; `start_s` is the CPU time at creation."""

    seconds: float
    start_s: float = field(default_factory=time.process_time)
    done: int = 0

    def progress(self, sampled: int) -> float:
        """Return the share of the time that has passed; the number of transitions does not matter."""
        del sampled
        return (time.process_time() - self.start_s) / self.seconds
