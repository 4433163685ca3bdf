"""Checks for `improviser doctor` and the page: whether this machine can play, and what to do if it cannot."""

from improviser.doctor.examination import examine, report
from improviser.doctor.finding import Finding, Status

__all__ = ["Finding", "Status", "examine", "report"]
