"""Properties of the corpus: phases, keys, ties, families and splits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from music21 import chord, key, meter, note, stream

from improviser.corpus import library as corpus
from improviser.corpus.abc_file import decode_abc, split_abc
from improviser.corpus.bar_grid import Bar, place_bars
from improviser.corpus.duplicates import group_families, group_scores, split_of
from improviser.corpus.parsed_score import CUT, MENDED
from improviser.corpus.piece import ParsedScore, UnfitError, notes_to_voice

HEAD = "X:1\nT:A tune\nM:2/4\nL:1/8\nK:{key}\n"
TUNE = HEAD.format(key="D") + "A|d2 f2|a2 f2|e2 c2|d3:|\n"
OTHER_TUNE = HEAD.format(key="Am") + "A2 c2|e2 c2|B2 G2|A2 E2|\n"


def voice(text: str) -> list[list[int]]:
    """Return the rows of the one voice of an ABC tune."""
    rows: list[list[int]] = corpus.read_tune("tunes/one", text).voices[0].tolist()
    return rows


def chorale(bass: tuple[int, ...], parts: int = 4, sharps: int = 0, last: str = "4/4") -> stream.Score:
    """Return a C major scale over a bass: an upbeat of one beat, four bars of 4/4, and one bar of the given meter."""
    make: Any = stream  # half of music21's methods have no types
    score: stream.Score = make.Score()
    lines = [(60, 62, 64, 65, 67, 69, 71, 72)] * (parts - 1) + [bass]
    for pitches in lines:
        part = make.Part()
        first = make.Measure(number=0)
        first.append([key.KeySignature(sharps), meter.TimeSignature("4/4"), note.Note(pitches[0])])
        part.append(first)
        for number in range(4):
            bar = make.Measure(number=number + 1)
            bar.append([note.Note(pitch, quarterLength=2) for pitch in pitches[2 * number : 2 * number + 2]])
            part.append(bar)
        final = make.Measure(number=5)
        final.append([meter.TimeSignature(last), note.Note(pitches[-1], quarterLength=4)])
        part.append(final)
        score.insert(0, part)
    return score


def draft(name: str, notes: list[int], ticks: int = 12, kind: str = "tune") -> ParsedScore:
    """Return a parsed score with one voice of equal durations."""
    rows = [(index * ticks, (index + 1) * ticks, pitch) for index, pitch in enumerate(notes)]
    return ParsedScore(name, kind, 2, "major", (4, 4), (notes_to_voice(rows),))


def random_notes(seed: int, count: int = 40) -> list[int]:
    """Return a melody that shares no long passage with the melody of another seed."""
    return list(map(int, np.random.default_rng(seed).integers(55, 80, count)))


def test_upbeat_ends_at_the_first_bar_line() -> None:
    """An upbeat begins so late in its bar that the next note is on a downbeat."""
    assert [[36, 12, 69], [48, 24, 74], [72, 24, 78]] == voice(TUNE)[:3]


def test_pickup_is_the_first_onset() -> None:
    """The pickup of a piece is the onset of its first note after tick 0."""
    assert 36 == group_scores([corpus.read_tune("tunes/one", TUNE)])[0].pickup_ticks


def test_two_endings_keep_the_phase() -> None:
    """A short first ending is padded, so that the second ending and the following bars keep their downbeats."""
    rows = voice(HEAD.format(key="D") + "A|d2 f2|a2 f2|1 d3:|2 d3 c|B4|A4|\n")
    assert [0, 0, 36, 0, 0] == [row[0] % 48 for row in rows[-5:]]


def test_ties_are_merged_across_the_bar_line() -> None:
    """Tied notes of the same pitch become one note, but slurred notes do not."""
    rows = voice(HEAD.format(key="C") + "c2 d2-|d2 e2-|f2 g2|c2 d2|e4|\n")
    assert [[24, 48, 74], [72, 24, 76], [96, 24, 77]] == rows[1:4]


def test_graces_go_triplets_stay_and_chords_leave_the_top() -> None:
    """Grace notes are dropped, triplets are exact, and a chord gives its highest note."""
    rows = voice(HEAD.format(key="C") + "{d}(3cde [CEG]2|c2 d2|e2 f2|c2 d2|\n")
    assert [[0, 8, 72], [8, 8, 74], [16, 8, 76], [24, 24, 67]] == rows[:4]


@pytest.mark.parametrize(
    ("field", "tonality"),
    [("D", (2, "major")), ("Am", (9, "minor")), ("Edor", (4, "minor")), ("Amix", (9, "major"))],
)
def test_tune_key_is_the_notated_one(field: str, tonality: tuple[int, str]) -> None:
    """The tonic is that of the K: field, and the mode follows its third."""
    found = corpus.read_tune("tunes/one", HEAD.format(key=field) + "A2 c2|e2 c2|B2 G2|A2 E2|\n")
    assert tonality == (found.tonic, found.mode)


def test_key_without_a_mode_is_analysed() -> None:
    """Where the K: field names no key, the key is analysed."""
    found = corpus.read_tune("tunes/one", HEAD.format(key="none") + "C2 E2|G2 E2|F2 D2|C2 C2|\n")
    assert (0, "major") == (found.tonic, found.mode)


@pytest.mark.parametrize(
    ("written", "kept"), [("C|", (4, 4)), ("C", (4, 4)), ("3/4", (3, 4)), ("6/8", (6, 8)), ("2/4", (2, 4))]
)
def test_meters_are_kept(written: str, kept: tuple[int, int]) -> None:
    """The five meters are kept, with 2/2 as 4/4."""
    length = kept[0] * 8 // kept[1]
    bars = "|".join([f"C{length // 2} D{length - length // 2}"] * 5)
    text = (HEAD.format(key="C") + bars + "|\n").replace("M:2/4", f"M:{written}")
    assert kept == corpus.read_tune("tunes/one", text).meter


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (TUNE.replace("M:2/4", "M:9/8"), "meter 9/8"),
        (TUNE.replace("M:2/4\n", ""), "no bars or no meter"),
        (HEAD.format(key="C") + "c2 d2|e4|\n", "fewer than four bars"),
        (HEAD.format(key="C") + "c4|d4|e4|f4|\n", "fewer than eight notes"),
        (HEAD.format(key="C") + "V:1\nc2 d2|e4|\nV:2\nc2 d2|e4|\n", "not of one voice"),
    ],
)
def test_unfit_tunes_are_refused(text: str, reason: str) -> None:
    """A tune that cannot be used is refused with the reason."""
    with pytest.raises(UnfitError, match=reason):
        corpus.read_tune("tunes/one", text)


@pytest.mark.parametrize("change", ["M:6/8\n", "[M:6/8]", "K:Am\n", "[K:Am]"])
def test_tune_ends_before_a_change_of_meter_or_key(change: str) -> None:
    """A tune that changes meter or key is cut before the change, and the reason is recorded."""
    found = corpus.read_tune("tunes/one", TUNE.replace(":|", "|") + change + "abc def|abc def|abc def|\n")
    assert (CUT, 8) == (found.change, len(found.voices[0]))


def test_tune_may_say_its_key_again() -> None:
    """A repeated field with the same meter or key changes nothing."""
    found = corpus.read_tune("tunes/one", TUNE + "M:2/4 % again\nK:D\nd2 f2|a4|\n")
    assert ("", 11) == (found.change, len(found.voices[0]))


def test_chorale_ends_before_a_change_of_meter() -> None:
    """A score that changes meter is cut before the change if at least four bars remain."""
    found = corpus.read_chorale("bach/one", chorale((48, 50, 52, 53, 55, 57, 55, 48), last="3/2"))
    assert (CUT, [9, 9, 9, 9]) == (found.change, list(map(len, found.voices)))


def test_overfull_bar_loses_its_rest() -> None:
    """A bar that is a note too long is shortened, and the next bar is on its downbeat."""
    found = corpus.read_tune("tunes/one", HEAD.format(key="C") + "c2 d2|e2 f2|g2 a2 b|c2 d2|e2 f2|g2 a2|\n")
    assert (MENDED, [0, 24] * 6) == (found.change, [row[0] % 48 for row in found.voices[0].tolist()])


def test_short_bar_within_a_section_is_padded() -> None:
    """A bar that is a note too short is padded with silence, and the next bar is on its downbeat."""
    found = corpus.read_tune("tunes/one", HEAD.format(key="C") + "c2 d2|e2 f2|g2 a|c2 d2|e2 f2|g2 a2|\n")
    assert (MENDED, 144) == (found.change, int(found.voices[0][6, 0]))


def test_second_slip_soon_after_the_first_ends_the_bars() -> None:
    """At most one wrong bar in eight is corrected; a second one ends the piece."""
    bars = [Bar(48, opens=True), Bar(36), Bar(48), Bar(36), Bar(48), Bar(48)]
    assert ([0, 48, 96], 1) == (place_bars(bars, 48).starts, place_bars(bars, 48).slips)


def test_bar_of_twice_the_length_keeps_the_phase() -> None:
    """A missing bar line does no harm; a bar that is no multiple of the meter ends the piece."""
    bars = [Bar(48), Bar(96), Bar(48), Bar(60), Bar(48)]
    assert [0, 48, 144] == place_bars(bars, 48).starts


def test_parts_of_a_split_bar_follow_each_other() -> None:
    """A bar that a double bar line splits is joined again."""
    bars = [
        Bar(24, opens=True),
        Bar(96),
        Bar(72),
        Bar(24),
        Bar(96),
        Bar(72, closes=True),
        Bar(24, opens=True),
    ]
    assert [72, 96, 192, 264, 288, 384, 456] == place_bars(bars, 96).starts


def test_chorale_keeps_four_aligned_voices() -> None:
    """The four parts of a chorale start together on the upbeat."""
    found = corpus.read_chorale("bach/one", chorale((48, 50, 52, 53, 55, 57, 55, 48)))
    assert [[72, 24], [96, 48]] * 4 == [row[:2] for line in found.voices for row in line[:2].tolist()]


def test_chorale_key_follows_the_final_bass_note() -> None:
    """A piece without accidentals that ends on A is in A minor; one that ends on C is in C major."""
    found = [corpus.read_chorale("bach/one", chorale((48, 50, 52, 53, 55, 57, 55, end))) for end in (48, 45, 43)]
    assert [(0, "major"), (9, "minor"), (0, "major")] == [(each.tonic, each.mode) for each in found]


def test_chorale_key_may_come_from_the_signature() -> None:
    """A final bass note that fits only the signature is the tonic."""
    found = corpus.read_chorale("bach/one", chorale((48, 50, 52, 53, 55, 57, 55, 43), sharps=1))
    assert 7 == found.tonic


def test_scores_of_other_parts_are_refused() -> None:
    """A score with five parts, with chords, or with parts of different bars is no chorale."""
    with_chord = chorale((48,) * 8)
    with_chord.parts[0].getElementsByClass(stream.Measure)[1].insert(0, chord.Chord([60, 64]))
    shifted = chorale((48,) * 8)
    shifted.parts[1].getElementsByClass(stream.Measure)[4].offset += 1
    for score, reason in (
        (chorale((48,) * 8, parts=5), "not of four parts"),
        (with_chord, "parts not of single notes"),
        (shifted, "parts with different bars"),
    ):
        with pytest.raises(UnfitError, match=reason):
            corpus.read_chorale("bach/one", score)


def test_voice_is_monophonic_and_in_range() -> None:
    """Of simultaneous notes the highest stays, a note ends where the next begins, and extreme notes are dropped."""
    rows = notes_to_voice([(0, 48, 60), (0, 24, 64), (12, 36, 62), (36, 36, 65), (40, 60, 120)])
    assert [[0, 12, 64], [12, 24, 62]] == rows.tolist()
    assert (0, 3) == notes_to_voice([]).shape


def test_abc_file_is_split_into_its_tunes() -> None:
    """Tunes are named by their reference number, with a suffix where it occurs again."""
    tunes = split_abc(decode_abc(b"% head\r\nX:1\r\nK:C\r\nX: 7\r\nT:caf\xe9\r\nX:1\r\n"))
    assert [("1", "X:1\nK:C\n"), ("7", "X: 7\nT:café\n"), ("1.2", "X:1\n")] == tunes


def test_variants_of_a_melody_are_one_family() -> None:
    """A transposed and a slower melody belong to the first one's family, another melody does not."""
    tune = random_notes(1)
    drafts = [
        draft("a", tune),
        draft("b", [n + 5 for n in tune]),
        draft("c", random_notes(2)),
        draft("d", tune, 24),
    ]
    pieces = group_scores(drafts)
    assert [0, 0, 1, 0] == [piece.family for piece in pieces]
    assert pieces[0].split == pieces[1].split == pieces[3].split


def test_families_join_through_a_common_member() -> None:
    """Two melodies without a common passage are one family if a third shares a passage with each."""
    one, other = random_notes(1), random_notes(2)
    melodies = [draft(str(i), notes).voices[0] for i, notes in enumerate([one, other, one[:20] + other[:20]])]
    assert [0, 0, 0] == group_families(["tune"] * 3, melodies)


def test_kinds_make_no_common_family() -> None:
    """A tune and a chorale with the same notes are separate families; a short melody is a family of its own."""
    melodies = [draft("a", notes).voices[0] for notes in (random_notes(1), random_notes(1), [60] * 8)]
    assert [0, 1, 2] == group_families(["tune", "chorale", "tune"], melodies)


def test_splits_have_their_shares() -> None:
    """About 85, 5 and 10 of 100 families are in train, valid and test, and a name keeps its split."""
    splits = [split_of(f"tunes/{number}") for number in range(4000)]
    assert (0.85, 0.05, 0.10) == pytest.approx(
        [splits.count(name) / 4000 for name in ("train", "valid", "test")], abs=0.02
    )
    assert "valid" == split_of("bach/bwv66.6")
