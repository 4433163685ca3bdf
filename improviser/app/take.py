"""What a jam leaves: its journal, always, and a recording if one is wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from improviser.config.resources import sessions_folder
from improviser.errors import ImproviserError, MidiFileError, UsageError
from improviser.files import write_whole
from improviser.midi.smf import song_to_bytes
from improviser.ports import LOOPBACK
from improviser.protocol import Event, Kept, Ready, Warned
from improviser.session.journal import Journal
from improviser.session.recorder import free_path, recorder_of
from improviser.session.session_log import read_session, session_path

if TYPE_CHECKING:
    from improviser.app.jam_view import View
    from improviser.protocol import PerformerSettings

DEMO_FILE = "improviser-demo.mid"
KEPT_FILE = "improviser-kept.mid"
# Number of bars that a keep control saves.
KEPT_BARS = 8


class Take:
    """The journal of a jam, and the recordings that are made from it."""

    def __init__(self, settings: PerformerSettings, record: Path | None, view: View) -> None:
        """Start with an empty journal.

        Args:
            settings: Settings of the performer.
            record: MIDI file to write; None for none.
            view: Shows what was saved, and warnings.
        """
        self._record, self._view = record, view
        self._journal = Journal(settings, sessions_folder, self._warn)

    def record(self, event: Event) -> None:
        """Append an event to the journal; without real ports, also plan a recording."""
        if isinstance(event, Ready) and self._record is None and event.backend == LOOPBACK:
            self._record = Path(DEMO_FILE)
        self._journal.append(event)
        if isinstance(event, Kept):
            self._keep()

    def midi(self, bars: int | None) -> bytes:
        """Return a MIDI file of the last bars so far; None: of all bars.

        Threads: any; it reads the journal's file.

        Raises:
            UsageError: Nothing was played yet.
        """
        path = self._journal.path
        if path is None:
            raise UsageError("nothing was played yet. Play something first")
        session = read_session(path)
        return song_to_bytes(recorder_of(session, bars).song(session.start_s))

    def save(self) -> None:
        """Write the recording, if anything was played; if none is wanted, show the path of the journal.

        Raises:
            ImproviserError: It cannot be written; the text says what is left of it.
        """
        self._journal.close()
        if not self._journal.has_notes:
            return
        if self._record is not None:
            path = free_path(self._record)
            session = self._journal.session()
            recorder_of(session).write(path, session.start_s)
            self._write_session(path)
            self._view.recorded(path)
        elif self._journal.path is not None:
            self._view.kept(self._journal.path)

    def _warn(self, text: str) -> None:
        """Show a warning about a fault that does not end the music."""
        self._view.show(Warned(text))

    def _write_session(self, path: Path) -> None:
        """Write the session next to its recording."""
        target = session_path(path)
        try:
            write_whole(target, self._journal.content())
        except OSError as error:
            raise ImproviserError(f"cannot write {target}: {error.strerror}; free some space") from error

    def _keep(self) -> None:
        """Save the last bars while the jam goes on."""
        session, path = self._journal.session(), free_path(Path(KEPT_FILE))
        try:
            recorder_of(session, KEPT_BARS).write(path, session.start_s)
        except MidiFileError as error:
            self._warn(str(error))
        else:
            self._view.recorded(path)
