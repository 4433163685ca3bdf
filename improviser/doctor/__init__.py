"""What `improviser doctor` and the page look at: whether this machine can play, and what to do where not."""

from improviser.doctor.examination import examine, report
from improviser.doctor.finding import Finding, Status

__all__ = ["Finding", "Status", "examine", "report"]
