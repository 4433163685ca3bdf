"""The journal: on disk from the first note on, whatever happens to the disk."""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path

import pytest

from improviser.protocol import Event, Heard, Lifted, Notice, PerformerSettings, Played, Warned, value_to_line
from improviser.session import journal as module
from improviser.session.journal import Journal, sessions
from improviser.session.recorder import recorder_of
from improviser.session.session_log import read_session
from tests.full_disk import full_disk
from tests.some import some_files

SETTINGS = PerformerSettings("x", "m", {"tempo_bpm": 120.0, "meter": (4, 4)})
NOTES = [Heard(float(place), 0, 60, 80, "A") for place in range(40)]


@pytest.fixture
def warnings() -> list[str]:
    """The warnings for the user."""
    return []


@pytest.fixture
def journal(tmp_path: Path, warnings: list[str]) -> Journal:
    """A journal in a folder that does not exist yet."""
    return Journal(SETTINGS, lambda: tmp_path / "state" / "sessions", warnings.append)


def test_nothing_is_written_before_the_first_note(journal: Journal, tmp_path: Path) -> None:
    """Without a note no file is written; with the first note the earlier events are written too."""
    journal.append(Warned("late"))
    journal.append(Notice("for people"))
    assert not list(tmp_path.iterdir())
    journal.append(NOTES[0])
    assert journal.path is not None
    assert [Warned("late"), NOTES[0]] == list(read_session(journal.path).events)
    journal.close()


def test_each_line_is_on_disk_at_once(journal: Journal) -> None:
    """Each line is on disk at once, so that a killed program loses nothing."""
    for count, note in enumerate(NOTES, 1):
        journal.append(note)
        assert journal.path is not None
        assert count == len(read_session(journal.path).events)
    journal.close()


def test_a_line_that_is_still_being_written_does_not_count(journal: Journal) -> None:
    """A reader ignores an incomplete last line."""
    journal.append(NOTES[0])
    assert journal.path is not None
    with journal.path.open("ab") as file:
        file.write(b'{"event": "hea')
    assert [NOTES[0]] == list(read_session(journal.path).events)
    journal.close()


def test_a_full_disk_loses_nothing(journal: Journal, warnings: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk lines wait and are written in order when there is space, with one warning."""
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    journal.append(NOTES[0])
    with full_disk(room=500):
        for note in NOTES[1:30]:
            journal.append(note)
        assert NOTES[:30] == list(journal.session().events)
    assert 1 == len(warnings)
    assert "the session cannot be written (File too large); the music goes on" in warnings[0]
    for note in NOTES[30:]:
        journal.append(note)
    journal.close()
    assert journal.path is not None
    assert NOTES == list(read_session(journal.path).events)


def test_a_full_disk_is_not_asked_at_each_note(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is tried again only after a while, and at the end."""
    tries: list[int] = []
    write = os.write

    def refuse(_file: int, data: bytes) -> int:
        """Raise as a full disk does."""
        tries.append(len(data))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", refuse)
    for note in NOTES:
        journal.append(note)
    assert 1 == len(tries)
    monkeypatch.setattr(os, "write", write)
    journal.close()
    assert journal.path is not None
    assert NOTES == list(read_session(journal.path).events)


def test_memory_is_bounded(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that stays full the waiting lines do not exceed a limit."""
    monkeypatch.setattr(module, "WAITING_MAX", 1000)
    monkeypatch.setattr(os, "write", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full")))
    begins = len(journal.content())
    for note in NOTES * 10:
        journal.append(note)
    assert len(journal.content()) <= begins + 1000 + max(len(value_to_line(note)) for note in NOTES)


def test_where_the_folder_cannot_be_made_it_is_a_temporary_one(
    tmp_path: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the folder cannot be created the session is kept in a temporary folder."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path))
    journal = Journal(SETTINGS, lambda: tmp_path / "file" / "sessions", warnings.append)
    journal.append(NOTES[0])
    journal.close()
    assert journal.path is not None
    assert tmp_path / "improviser-sessions" == journal.path.parent


def test_two_sessions_in_one_second_have_two_files(tmp_path: Path) -> None:
    """Two sessions in the same second have different files."""
    made = [Journal(SETTINGS, lambda: tmp_path, pytest.fail) for _ in range(3)]
    for journal in made:
        journal.append(NOTES[0])
        journal.close()
    assert 3 == len({journal.path for journal in made}) == len(sessions(tmp_path))


def test_old_sessions_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest sessions and their weights are removed beyond a total size, never the newest."""
    for day in range(1, 6):
        (tmp_path / f"2020-01-0{day}-120000.session.jsonl").write_bytes(b"x" * 1000)
    (tmp_path / "notes.txt").write_bytes(b"x" * 9000)
    for name in ("2020-01-01-115959-7", "2020-01-05-115959-7"):
        (tmp_path / f"{name}.learned").mkdir()
        (tmp_path / f"{name}.learned" / "0001.safetensors").write_bytes(b"x" * 500)
        os.utime(tmp_path / f"{name}.learned", (0, 0))
    (tmp_path / "2020-01-01-110000-8.learned").mkdir()  # of a running jam
    monkeypatch.setattr(module, "KEPT_BYTES", 4450)
    journal = Journal(SETTINGS, lambda: tmp_path, pytest.fail)
    journal.append(NOTES[0])
    journal.close()
    names = [path.name[:10] for path in sessions(tmp_path)]
    assert ["2020-01-05", "2020-01-04", "2020-01-03"] == names[1:]
    assert (tmp_path / "notes.txt").exists()
    learned = [path.name for path in some_files(tmp_path, "*.learned")]
    assert ["2020-01-01-110000-8.learned", "2020-01-05-115959-7.learned"] == learned


def test_a_take_of_the_last_bars(tmp_path: Path) -> None:
    """The last bars hold the notes that begin in them, with their ends, and no others."""
    events: list[Event] = [
        Heard(10.0, 0, 60, 80, "A"),
        Played(11.0, 11.0, 0, 67, 70, 2.0, "C", None),
        Lifted(12.1, 0, 60, "A"),
        Heard(12.2, 0, 62, 80, "A"),
        Lifted(12.4, 0, 62, "A"),
        Heard(14.2, 0, 64, 80, "A"),
    ]
    journal = Journal(SETTINGS, lambda: tmp_path, pytest.fail)
    for event in events:
        journal.append(event)
    journal.close()
    assert journal.path is not None
    song = recorder_of(read_session(journal.path), 2).song(10.0)
    assert [[62, 62, 64, 64], []] == [
        [getattr(event.message, "note", None) for event in track.events] for track in song.tracks
    ]
