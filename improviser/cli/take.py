"""The recording of a jam, from its events."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from improviser.control import Event, Ready, Summary
from improviser.daemon.recorder import Recorder, free_path
from improviser.ports import LOOPBACK

if TYPE_CHECKING:
    from improviser.cli.view import View
    from improviser.control import PerformerSettings

DEMO_FILE = "improviser-demo.mid"


class Take:
    """What is kept of a jam for its recording: nothing where none is wanted, or a long jam would fill memory.

    Args:
        settings: What the performer plays by.
        record: The file to write; None for none.
    """

    def __init__(self, settings: PerformerSettings, record: Path | None) -> None:
        """Start with nothing heard."""
        self._recorder = Recorder(settings)
        self._record = record
        self._summary: Summary | None = None

    def hear(self, event: Event) -> None:
        """Keep what a recording needs of the event; with no real port there always is one."""
        if isinstance(event, Ready) and self._record is None and event.backend == LOOPBACK:
            self._record = Path(DEMO_FILE)
        if isinstance(event, Summary):
            self._summary = event
        if self._record is not None:
            self._recorder.take(event)

    def save(self, view: View) -> None:
        """Write the recording, if anything was played; where none was wanted, say how to have one."""
        summary = self._summary
        if self._record is None:
            if summary is not None and summary.notes_heard + summary.notes_played:
                view.hint("Nothing was recorded; --record FILE.mid keeps both parts.")
        elif self._recorder.has_notes:
            path = free_path(self._record)
            self._recorder.write(path, None if summary is None else summary.start_s)
            view.recorded(path)
