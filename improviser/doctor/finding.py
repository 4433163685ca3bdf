"""The result of a check of this machine."""

from __future__ import annotations

import re
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
    """The result of a check.

    Attributes:
        name: What was checked.
        status: Whether the check passed.
        found: What the check found.
        next_step: What to do on this system; empty if nothing has to be done.
    """

    name: str
    status: Status
    found: str
    next_step: str = ""

    def to_json(self) -> dict[str, str]:
        """Return the finding as a JSON object."""
        return {
            "name": self.name,
            "status": str(self.status),
            "found": self.found,
            "next_step": self.next_step,
        }


def passed(name: str, found: str) -> Finding:
    """Return a finding that needs no action."""
    return Finding(name, Status.PASS, found)


def warned(name: str, found: str, next_step: str) -> Finding:
    """Return a finding of something that can be improved."""
    return Finding(name, Status.WARN, found, next_step)


def failed(name: str, found: str, next_step: str) -> Finding:
    """Return a finding of something that prevents playing."""
    return Finding(name, Status.FAIL, found, next_step)


def by_system(steps: Mapping[str, str], elsewhere: str) -> str:
    """Return the step for this platform from `steps` (keys as sys.platform), or `elsewhere` if it has none."""
    return steps.get(sys.platform, elsewhere)


def fault_and_step(error: Exception) -> tuple[str, str]:
    """Return what is wrong, and what to do next, of an error's text; an empty step if it names none."""
    fault, *step = re.split(r"; |\. (?=[A-Z])", str(error), maxsplit=1)
    return fault, step[0][:1].lower() + step[0][1:] if step else ""
