"""The loudness of `--sound`: each installed soundfont, at the gain that a jam uses for it."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import mido
import numpy as np
import pytest

from improviser.synth.soundfont import SOUNDFONTS, gain_of
from tests.live import CHECKOUT, PATIENCE_S

pytestmark = pytest.mark.sound
EXAMPLE = CHECKOUT / "docs" / "example.mid"
# As loud as other programs play, with headroom for chords.
RMS_DBFS = (-22.0, -16.0)
PEAK_DBFS = -1.0
FULL_SCALE = 32768.0
VELOCITY = 76
CHORD = (48, 60, 64, 67)


def level_dbfs(midi: Path, soundfont: Path, folder: Path) -> tuple[float, float]:
    """Return RMS and peak of fluidsynth's rendering of a file, in decibels relative to full scale."""
    out = folder / "out.wav"
    gain = str(gain_of(soundfont))
    subprocess.run(
        ["fluidsynth", "-ni", "-q", "-g", gain, "-r", "48000", "-F", str(out), str(soundfont), str(midi)],
        check=True,
        capture_output=True,
        timeout=3 * PATIENCE_S,
    )
    with wave.open(str(out)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / FULL_SCALE
    loudness = np.sqrt(np.mean(np.square(samples))), np.abs(samples).max()
    rms, peak = (20 * np.log10(value) for value in loudness)
    return float(rms), float(peak)


@pytest.fixture(params=sorted({str(Path(name).resolve()) for name in SOUNDFONTS if Path(name).is_file()}))
def soundfont(request: pytest.FixtureRequest) -> Path:
    """Each soundfont that a jam would find on this machine."""
    return Path(request.param)


def test_a_tune_with_its_answer_is_as_loud_as_other_music(soundfont: Path, tmp_path: Path) -> None:
    """Both parts of the example are neither too quiet nor clipped."""
    rms, peak = level_dbfs(EXAMPLE, soundfont, tmp_path)
    assert RMS_DBFS[0] < rms < RMS_DBFS[1]
    assert peak < PEAK_DBFS


def test_loud_chords_do_not_clip(soundfont: Path, tmp_path: Path) -> None:
    """Chords of four notes on each beat below a tune stay below full scale."""
    file = mido.MidiFile(type=1)
    track = mido.MidiTrack()
    for beat in range(16):
        notes = (*CHORD, 72 + beat % 5)
        track.extend(mido.Message("note_on", note=note, velocity=VELOCITY) for note in notes)
        for place, note in enumerate(notes):
            rest = 0 if place else file.ticks_per_beat
            track.append(mido.Message("note_off", note=note, time=rest))
    file.tracks.append(track)
    file.save(tmp_path / "chords.mid")
    _, peak = level_dbfs(tmp_path / "chords.mid", soundfont, tmp_path)
    assert -12.0 < peak < PEAK_DBFS
