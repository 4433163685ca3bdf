"""`improviser keep` and `improviser replay`, on recorded sessions."""

from __future__ import annotations

from pathlib import Path

import pytest

from improviser.app.jam_settings import JamOptions, performer_settings
from improviser.cli import main
from improviser.files import model_digest
from improviser.midi.message import NoteOn
from improviser.midi.smf import read_file
from improviser.performer.assembly import engine_maker
from improviser.protocol import Heard, Lifted, PerformerSettings, Played, Released
from improviser.session.session_log import read_session
from tests.cli.conftest import Refuse, Run, RunJson
from tests.performing import Performance
from tests.written import write_session

TUNE = (60, 62, 64, 65, 67, 65, 64, 62)


@pytest.fixture
def session(own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A session of four bars with the preset's own model, in the user's folder."""
    monkeypatch.setenv("IMPROVISER_STATE_DIR", str(own_folder / "state"))
    settings = performer_settings(JamOptions(preset="chorale", tempo_bpm=120.0, key="C", seed=7))
    performance = Performance(settings, new_engine=lambda: engine_maker(settings)(0.0))
    for place, note in enumerate(TUNE * 2):
        performance.play(0.5 * place, NoteOn(0, note, 80))
    performance.run(until_s=8.0)
    path = own_folder / "state" / "sessions" / "2026-01-01-120000.session.jsonl"
    path.parent.mkdir(parents=True)
    write_session(path, settings, *performance.events)
    return path


def test_a_session_is_replayed(session: Path, run: Run, run_json: RunJson) -> None:
    """Without an argument the newest session is replayed, and an identical result is reported."""
    assert "note-ons and note-offs are the same" in run("replay")
    (told,) = run_json("replay", session)
    assert (True, None) == (told["identical"], told["first_difference"])
    assert int(str(told["messages"])) > 10


def test_a_session_that_differs_is_code_1(session: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A different note gives exit code 1, and the first difference is shown."""
    lines = session.read_text().splitlines(keepends=True)
    place = next(place for place, line in enumerate(lines) if '"event": "played"' in line)
    lines[place] = lines[place].replace('"velocity": ', '"velocity": 1')
    session.write_text("".join(lines))
    assert 1 == main(["replay", str(session)])
    assert "message 1 of " in capsys.readouterr().out


def test_another_model_is_told(session: Path, refuse: Refuse) -> None:
    """A session of another model is refused as wrong usage instead of being compared."""
    settings = read_session(session).settings
    assert model_digest(Path(settings.model)) == settings.model_digest
    session.write_text(session.read_text().replace(settings.model_digest, "0" * 16, 1))
    assert "was played with another model" in refuse(2, "replay", session)


def test_the_last_bars_are_kept(session: Path, run: Run, run_json: RunJson, own_folder: Path) -> None:
    """The last bars are written as played and quantised, and never over another file."""
    assert "Kept: improviser-kept.mid" in run("keep", "--bars", "2")
    player = read_file(own_folder / "improviser-kept.mid").tracks[0]
    assert 8 == sum(isinstance(event.message, NoteOn) for event in player.events)
    (told,) = run_json("keep", session, "--bars", "1")
    assert ("improviser-kept-2.mid", "improviser-kept-2-quantised.mid", 1) == (
        told["path"],
        told["quantised"],
        told["bars"],
    )
    on_grid = read_file(own_folder / "improviser-kept-2-quantised.mid")
    assert all(event.tick % 120 == 0 for track in on_grid.tracks for event in track.events)


def test_nothing_to_keep_is_told(own_folder: Path, refuse: Refuse, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing session and an empty session are each refused."""
    monkeypatch.setenv("IMPROVISER_STATE_DIR", str(own_folder / "none"))
    assert "no session in" in refuse(2, "keep")
    assert "no session in" in refuse(2, "replay")
    empty = own_folder / "empty.session.jsonl"
    write_session(empty, PerformerSettings("x", "m", {"tempo_bpm": 120.0, "meter": (4, 4)}))
    assert f"nothing was played in {empty}" in refuse(2, "keep", empty)


def test_quantised_notes_last_a_step(own_folder: Path, run: Run) -> None:
    """Quantised notes go to the nearest step and last at least one step."""
    events = (
        Heard(10.0, 0, 60, 80, "A"),
        Lifted(10.02, 0, 60, "A"),
        Heard(10.13, 0, 60, 80, "A"),
        Heard(10.3, 0, 60, 80, "A"),
        Lifted(10.6, 0, 60, "A"),
        Played(10.27, 10.27, 0, 48, 70, 0.5, "C", None),
        Released(10.4, 10.4, 0, 48),
    )
    settings = PerformerSettings("x", "m", {"tempo_bpm": 120.0, "meter": (4, 4), "steps_per_beat": 4})
    write_session(own_folder / "a.session.jsonl", settings, *events)
    run("keep", "a.session.jsonl", "-o", "b.mid")
    player, ours = read_file(own_folder / "b-quantised.mid").tracks
    assert [(0, True), (120, False), (120, True), (240, False), (240, True), (600, False)] == [
        (event.tick, isinstance(event.message, NoteOn)) for event in player.events
    ]
    assert [240, 360] == [event.tick for event in ours.events]


def test_swung_notes_are_straight_on_the_grid(own_folder: Path, run: Run) -> None:
    """In the quantised file the second eighth is in the middle of the beat; in the other it is where it was played."""
    events = (
        Heard(10.0, 0, 60, 80, "A"),
        Lifted(10.333, 0, 60, "A"),
        Heard(10.333, 0, 62, 80, "A"),
        Lifted(10.5, 0, 62, "A"),
    )
    engine = {"tempo_bpm": 120.0, "meter": (4, 4), "steps_per_beat": 4, "swing": 2 / 3}
    write_session(own_folder / "a.session.jsonl", PerformerSettings("x", "m", engine), *events)
    run("keep", "a.session.jsonl", "-o", "b.mid")
    ticks = [
        [event.tick for event in read_file(own_folder / name).tracks[0].events] for name in ("b.mid", "b-quantised.mid")
    ]
    assert [[0, 320, 320, 480], [0, 240, 240, 480]] == ticks
