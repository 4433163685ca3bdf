"""Fitting the harmony network: examples, targets, and the same numbers in torch and in numpy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from improviser.corpus.piece import Piece
from improviser.listening.harmony.harmony_network import CHORDS, HEADS, HarmonyNetwork, read_network
from improviser.studies import harmony_fit
from improviser.studies.harmony_fit import (
    LATER,
    STEPS,
    UNKNOWN,
    FitNetwork,
    changes_of,
    drawn_voices,
    figures,
    fit,
    inputs_of,
    make_example,
    targets,
)
from tests.tiny_corpus import tiny_corpus

BAR = 96


def song(bars: int = 6) -> Piece:
    """Return a song of C and G bars: a tune that holds the root, and triads."""
    roots = [(0, 7)[bar % 2] for bar in range(bars)]
    tune = [(bar * BAR, BAR, 72 + root) for bar, root in enumerate(roots)]
    triads = [(bar * BAR, BAR, 48 + root + up) for bar, root in enumerate(roots) for up in (0, 4, 7)]
    chords = [(bar * BAR, root, 0, root) for bar, root in enumerate(roots)]
    voices = tuple(np.array(rows, dtype=np.int32) for rows in (tune, triads))
    parts = ("melody", "accompaniment")
    return Piece("s", "score", 0, "major", (4, 4), 0, 0, "train", voices, parts, np.array(chords, dtype=np.int32))


def test_an_example_has_what_the_player_sounds_and_what_is_written() -> None:
    """Bits, lowest and highest note and strikes are by sixteenths, and so are chords and levels."""
    example = make_example(song(), song().voices)
    assert (6 * 16, 16, 0) == (len(example.level), example.bar_steps, example.keys[0])
    assert [0b10010001, 48, 72, 1] == example.sounds[0].tolist()
    assert [0b10010001, 48, 72, 0] == example.sounds[1].tolist()
    assert [0, 63, 0] == example.chord[[15, 16, 32]].tolist()
    silent = make_example(song(), song().voices[:1])
    assert [1, 72, 72, 1] == silent.sounds[0].tolist()


def test_the_targets_are_the_chords_now_and_later() -> None:
    """Each head has the chord some steps later; nothing is asked beyond the end."""
    chords, keys = targets([make_example(song(), song().voices[:1])])
    assert (1, STEPS, HEADS) == tuple(chords.shape)
    for head, later in enumerate(LATER):
        asked = chords[0, :, head]
        assert 63 == asked[16 - later]
        assert 6 * 16 - later == int((asked >= 0).sum())
    assert [0, UNKNOWN] == keys[0, [0, 6 * 16]].tolist()


def test_numpy_hears_as_torch() -> None:
    """The network that plays gives the probabilities of the one that was fitted."""
    torch.manual_seed(0)
    network = FitNetwork()
    heard, playing = inputs_of([make_example(song(), song().voices[1:])], 24), HarmonyNetwork(network.to_arrays())
    with torch.no_grad():
        chords, keys = network(torch.from_numpy(heard))
    state = playing.silence(1)
    for step in range(24):
        state = playing.hear(state, heard[:, :, step])
        found = playing.read(state)
        np.testing.assert_allclose(found.chords[0], torch.softmax(chords[0, step], dim=1), atol=1e-5)
        np.testing.assert_allclose(found.keys[0], torch.softmax(keys[0, step], dim=0), atol=1e-5)
    assert (1, HEADS, CHORDS) == found.chords.shape


def test_every_player_is_drawn() -> None:
    """The tune, what accompanies it and all of it are played, and the written chords, alone or with the tune."""
    rng = np.random.default_rng(0)
    drawn = [drawn_voices(song(), rng) for _ in range(60)]
    lengths = {tuple(len(voice) for voice in voices) for voices in drawn}
    assert {(6,), (18,), (6, 18)} <= lengths
    assert any(lengths - {(6,), (18,), (6, 18)})


def test_the_changes_are_the_written_chords() -> None:
    """In root position from C3 on, struck in each bar; drawn, they are the same tones, at times with a bass."""
    plain = changes_of(song())
    assert [[0, BAR, 48], [0, BAR, 52], [0, BAR, 55], [BAR, BAR, 55]] == plain[:4].tolist()
    for seed in range(10):
        rows = changes_of(song(), np.random.default_rng(seed))
        assert {0, 4, 7} == {note % 12 for onset, _, note in rows.tolist() if onset == 0}
    assert 0 == len(changes_of(replace(song(), chords=np.array([[0, -1, 0, -1]], dtype=np.int32))))


def test_a_stretch_may_change_its_key() -> None:
    """From the step on notes, chords and keys are moved; before it and in silence nothing is."""
    plain = make_example(song(), song().voices)
    moved = plain.modulated(32, 3)
    assert (plain.sounds[:32] == moved.sounds[:32]).all()
    assert [plain.sounds[32, 1] + 3, plain.sounds[32, 2] + 3] == moved.sounds[32, 1:3].tolist()
    assert 0b10010001 << 3 & 0xFFF | 0b10010001 >> 9 == moved.sounds[32, 0]
    assert [0, 3 * 9] == moved.chord[[0, 32]].tolist()
    assert [0, 3] == moved.keys[[31, 32]].tolist()


def test_the_fit_learns_and_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few updates on one song hear its chords better than none, and the same seed gives the same numbers."""
    monkeypatch.setattr(harmony_fit, "STEPS", 96)
    monkeypatch.setattr(harmony_fit, "LANES", 2)
    monkeypatch.setattr(harmony_fit, "WARM", 1)
    monkeypatch.setattr(harmony_fit, "KEPT", 4)
    kept: list[FitNetwork] = []
    pieces = {"pop909": [song()]}
    first, again = (fit(pieces, 12, 0, kept.append) for _ in range(2))
    assert 6 == len(kept)
    for name, array in first.to_arrays().items():
        np.testing.assert_array_equal(array, again.to_arrays()[name])
    torch.manual_seed(0)
    before = figures(HarmonyNetwork(FitNetwork().to_arrays()), [song()], heard="all")["root"]
    assert figures(HarmonyNetwork(first.to_arrays()), [song()], heard="all")["root"] > max(before, 0.5)
    assert {} == figures(HarmonyNetwork(first.to_arrays()), tiny_corpus()[:0], heard="tune")


def test_the_command_writes_the_network_and_prints_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file that it writes is read again, and there are figures for each set and way to hear it."""
    monkeypatch.setattr(harmony_fit, "STEPS", 16)
    monkeypatch.setattr(harmony_fit, "LANES", 1)
    monkeypatch.setattr(harmony_fit, "load_pieces", tiny_corpus)
    out = tmp_path / "harmony.npz"
    harmony_fit.main([str(tmp_path), "--updates", "1", "--out", str(out)])
    assert read_network(out.read_bytes()).silence(1).shape[0] == 1
    printed = capsys.readouterr().out
    assert "chorale, tune heard: key" in printed
    harmony_fit.main([str(tmp_path), "--figures", "--out", str(out)])
    assert printed == capsys.readouterr().out
