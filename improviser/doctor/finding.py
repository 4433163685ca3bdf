"""What a check of this machine found."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Status(StrEnum):
    """PASS: fine. WARN: something can be improved. FAIL: something prevents playing."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found.

    Attributes:
        name: What was looked at.
        status: How it stands.
        found: What is there.
        next_step: What to do, on this system; empty where nothing has to be done.
    """

    name: str
    status: Status
    found: str
    next_step: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the finding as it is printed and sent."""
        return {
            "name": self.name,
            "status": str(self.status),
            "found": self.found,
            "next_step": self.next_step,
        }


def passed(name: str, found: str) -> Finding:
    """Return the finding that all is fine."""
    return Finding(name, Status.PASS, found)


def warned(name: str, found: str, next_step: str) -> Finding:
    """Return the finding that something is worth doing."""
    return Finding(name, Status.WARN, found, next_step)


def failed(name: str, found: str, next_step: str) -> Finding:
    """Return the finding that something is in the way of playing."""
    return Finding(name, Status.FAIL, found, next_step)


def by_system(steps: Mapping[str, str], elsewhere: str) -> str:
    """Return the step for this system among `steps`, by sys.platform; `elsewhere` on Linux and others."""
    return steps.get(sys.platform, elsewhere)
