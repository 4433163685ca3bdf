"""Learning grooves from drummers' files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from improviser.listening.pocket import groove_table
from improviser.listening.pocket.swing import NO_SWING, Swing
from improviser.midi.message import NoteOff, NoteOn
from improviser.midi.smf import write_file
from improviser.midi.song import Song, TimedEvent, Track
from improviser.studies import groove_fit

TICKS = 480


def drum(folder: Path, name: str, swing: Swing, bars: int = 12, late: float = 0.0, loud: int = 0) -> None:
    """Write a drummer's file: sixteenths with a swing, the backbeats `late` beats late and `loud` louder."""
    rng = np.random.default_rng(len(name))
    events = []
    for step in range(16 * bars):
        is_backbeat = step % 8 == 4
        beat = swing.place(step / 4) + late * is_backbeat + 0.005 * rng.standard_normal()
        tick = max(0, round(beat * TICKS))
        events.append(TimedEvent(tick, NoteOn(9, 38, 60 + loud * is_backbeat)))
        events.append(TimedEvent(tick + 20, NoteOff(9, 38)))
    track = Track("drums", tuple(sorted(events, key=lambda event: event.tick)))
    write_file(folder / f"{name}.mid", Song(TICKS, (), (), (track,)))


def test_styles_come_from_the_names() -> None:
    """Only beats in 4/4 have a style; swing and shuffle are styles of their own."""
    names = {
        "drummer1-session1-102_funk_95_beat_4-4": "funk",
        "drummer1-session1-102_funk_95_fill_4-4": None,
        "drummer1-session1-102_jazz_95_beat_5-4": None,
        "drummer10-session1-1_jazz-swing_124_beat_4-4": "swing",
        "drummer1-session1-239_funk-purdieshuffle_130_beat_4-4": "shuffle",
        "drummer1-eval_session-2_soul-groove2_105_beat_4-4": "soul",
    }
    assert names == {name: groove_fit.style_of(Path(f"{name}.mid")) for name in names}


def test_a_style_is_found_again(tmp_path: Path) -> None:
    """The swing, the late backbeat and its accent come out, shrunk; rare styles and short files are left out."""
    for index in range(5):
        drum(tmp_path, f"drummer{index}-s_funk_95_beat_4-4", Swing(0.6, 0.5), late=0.02, loud=40)
        drum(tmp_path, f"drummer{index}-s_rock_95_beat_4-4", NO_SWING)
    drum(tmp_path, "drummer9-s_rock_95_beat_4-4", Swing(0.6, 0.5))
    drum(tmp_path, "drummer1-s_polka_95_beat_4-4", NO_SWING)
    drum(tmp_path, "drummer8-s_funk_95_beat_4-4", NO_SWING, bars=1)
    found = groove_fit.fit(tmp_path)
    assert ["funk", "rock"] == list(found)
    swing, offsets, accents = found["funk"]
    assert pytest.approx((0.6, 0.5), abs=0.02) == (swing.share, swing.unit_beats)
    assert NO_SWING == found["rock"][0]
    assert 0.005 < offsets[4] < 0.02
    assert 4 == accents[:8].argmax()
    assert abs(found["rock"][1][4]) < offsets[4]


def test_the_table_is_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command writes a module that defines the table, with the credits of the data set."""
    for index in range(4):
        drum(tmp_path, f"drummer{index}-s_rock_95_beat_4-4", NO_SWING, loud=20)
    out = tmp_path / "table.py"
    monkeypatch.setattr(groove_table, "__file__", str(out))
    monkeypatch.setattr("sys.argv", ["groove_fit", str(tmp_path)])
    groove_fit.main()
    names: dict[str, object] = {}
    exec(out.read_text("utf-8"), names)  # noqa: S102 - the module that was just written
    table = names["GROOVE_TABLE"]
    assert isinstance(table, dict)
    ((swing, offsets, accents),) = table.values()
    assert ((0.5, 1.0), 16, 16) == (swing, len(offsets), len(accents))
    assert "CC BY 4.0" in str(names["__doc__"])
