"""Phrases, memory and answers: how a part breathes, what it repeats, and what it takes up of its player.

A part is judged by its onsets: notes struck within the same sixteenth are one, and the highest of them is its tune. A
rest of PHRASE_REST beats or more ends a phrase, and the same rest of the player is a gap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.evaluation.duet import FRAMES, sounding
from improviser.music.pitch import OCTAVE

if TYPE_CHECKING:
    import numpy.typing as npt

    from improviser.evaluation.duet import Duet, Notes
    from improviser.evaluation.metrics import Figures

# By rests of one beat singers of pop songs have 2 phrases in 16 bars, and soloists of jazz 6.
PHRASE_REST: Final = 1
PHRASE_BARS: Final = 16
# A note is tied to the next if it lasts for this share of the time until then.
TIED: Final = 0.97
# A bar with fewer onsets says nothing about what it repeats.
LEAST_ONSETS: Final = 2
# What is taken up comes from one of so many bars, and has this many notes.
TAKEN_FROM: Final = 4
MOTIF_NOTES: Final = 4
# A tune of fewer notes in a bar is no theme.
LEAST_IN_THEME: Final = 3
# A bar is a repetition of one of so many before it.
REPEATED_FROM: Final = 8
HAMMERED_NOTES: Final = 4
# A theme returns after so many bars at least.
THEME_BARS: Final = 4
# The tones of the tonic triad, above the tonic.
_STABLE: Final = {"major": (0, 4, 7), "minor": (0, 3, 7)}

# The onsets of a bar as (sixteenth in the bar, note), and the steps of a motif as (sixteenths, semitones).
Bar = tuple[tuple[int, int], ...]
Motif = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class TopLine:
    """A part's tune: an onset for each sixteenth in which notes begin.

    Attributes:
        at: (onsets,) the sixteenth.
        note: (onsets,) the highest note.
        lowest: (onsets,) the lowest note.
        onset: (onsets,) when the first of the notes begins, in beats.
        end: (onsets,) when the last one ends, in beats.
    """

    at: npt.NDArray[np.int64]
    note: npt.NDArray[np.int64]
    lowest: npt.NDArray[np.int64]
    onset: npt.NDArray[np.float64]
    end: npt.NDArray[np.float64]

    def bars(self, bar_frames: int, count: int) -> list[Bar]:
        """Return for each of `count` bars the onsets in it as (sixteenth in the bar, note)."""
        found: list[list[tuple[int, int]]] = [[] for _ in range(count)]
        for at, note in zip(self.at.tolist(), self.note.tolist(), strict=True):
            if at // bar_frames < count:
                found[at // bar_frames].append((at % bar_frames, note))
        return [tuple(bar) for bar in found]


def tune_of(notes: Notes) -> TopLine:
    """Return the tune of a part."""
    at = np.floor(notes[:, 0] * FRAMES + 0.5).astype(np.int64)
    places, first = np.unique(at, return_index=True)
    groups = [notes[at == place] for place in places]
    return TopLine(
        places,
        np.array([group[:, 2].max() for group in groups], dtype=np.int64),
        np.array([group[:, 2].min() for group in groups], dtype=np.int64),
        notes[first, 0],
        np.array([group[:, 1].max() for group in groups], dtype=np.float64),
    )


def phrase_figures(notes: Notes, duet: Duet) -> Figures:
    """Return how a part breathes, repeats and answers beside the player of a duet.

    - `phrases`, their number in 16 bars, and `phrase beats`, their mean length;
    - `tied`, the share of the notes inside a phrase that last until the next one;
    - `fill`, the share of the beats in the player's gaps in which the part strikes a note, less that share elsewhere,
      and `in gaps`, the share of its onsets that fall in gaps;
    - `repeats with`, how much of its bar the part repeats where the player repeats a bar;
    - `takes up`, the share of bars with MOTIF_NOTES notes that are, in intervals and rhythm, in the player's last bars;
    - `own repeats`, the share of bars equal to one of the REPEATED_FROM before, `theme`, that of bars whose tune,
      transposed, was there THEME_BARS bars before or earlier, and `hammered`, that of bars of HAMMERED_NOTES onsets or
      more, all of one pitch;
    - `stable ends`, the share of fourth bars that end on a tone of the tonic triad;
    - `final length`, the last note's length beside the mean, and `final root`, whether the last low note is the tonic
      or the root of the chord.
    """
    tune, heard = tune_of(notes), tune_of(duet.heard)
    bar_frames = duet.meter.bar_sixteenths
    count = duet.frames // bar_frames
    ours, theirs = tune.bars(bar_frames, count), heard.bars(bar_frames, count)
    gaps = gap_frames(duet)
    return {
        **_breath(tune, notes, duet),
        "fill": _fill(tune, gaps),
        "in gaps": _share(gaps[tune.at[tune.at < duet.frames]]),
        "repeats with": _repeats_with(ours, theirs),
        "takes up": _takes_up(tune, heard, bar_frames, count),
        "own repeats": _own_repeats(ours),
        "hammered": _hammered(ours),
        "theme": _theme(ours),
        **_ends(tune, duet),
    }


def rests(sounds: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Return which frames lie in a silence of PHRASE_REST beats or more, (frames,)."""
    edges = np.flatnonzero(np.diff(sounds.astype(np.int8), prepend=1, append=1))
    found = np.zeros(len(sounds), dtype=np.bool_)
    for start, end in edges.reshape(-1, 2).tolist():
        found[start:end] = end - start >= PHRASE_REST * FRAMES
    return found


def gap_frames(duet: Duet) -> npt.NDArray[np.bool_]:
    """Return which frames lie in a gap of the player, (frames,): between its first and its last note."""
    sounds = np.asarray(sounding(duet.heard, duet.frames).any(axis=1))
    gaps = rests(sounds)
    played = np.flatnonzero(sounds)
    gaps[: played[0]] = gaps[played[-1] + 1 :] = False
    return gaps


def _breath(tune: TopLine, notes: Notes, duet: Duet) -> Figures:
    """Return the figures of phrases and of notes tied to the next."""
    sounds = np.asarray(sounding(notes, duet.frames).any(axis=1))
    silent = rests(sounds) | ~sounds & (np.cumsum(sounds) == 0)
    starts = np.flatnonzero(np.diff((~silent).astype(np.int8), prepend=0) > 0)
    beats = np.count_nonzero(~silent) / FRAMES
    bars = duet.frames / duet.meter.bar_sixteenths
    gaps = np.diff(tune.onset)
    is_inside = tune.end[:-1] > tune.onset[1:] - PHRASE_REST
    lasts = (tune.end - tune.onset)[:-1] / np.maximum(gaps, 1e-9)
    return {
        "phrases": len(starts) / bars * PHRASE_BARS,
        "phrase beats": beats / len(starts) if len(starts) else float("nan"),
        "tied": _share(lasts[is_inside] >= TIED),
    }


def _fill(tune: TopLine, gaps: npt.NDArray[np.bool_]) -> float:
    """Return how much likelier a beat has an onset in a gap than elsewhere."""
    beats = len(gaps) // FRAMES
    strikes = np.zeros(beats, dtype=np.bool_)
    strikes[tune.at[tune.at < beats * FRAMES] // FRAMES] = True
    is_gap = gaps[: beats * FRAMES].reshape(beats, FRAMES).all(axis=1)
    return _share(strikes[is_gap]) - _share(strikes[~is_gap])


def _repeats_with(ours: list[Bar], theirs: list[Bar]) -> float:
    """Return the share of our notes that repeat those of the bar which the player repeats."""
    hits, notes = 0, 0
    for number, bar in enumerate(theirs):
        before = [other for other in range(number) if theirs[other] == bar]
        if len(bar) < LEAST_ONSETS or not before or not ours[number]:
            continue
        notes += len(ours[number])
        hits += max(len({*ours[number]} & {*ours[other]}) for other in before)
    return hits / notes if notes else float("nan")


def _takes_up(ours: TopLine, theirs: TopLine, bar_frames: int, count: int) -> float:
    """Return the share of our bars that end with a motif of the player's last bars."""
    heard = [motifs(theirs, bar * bar_frames, (bar + 1) * bar_frames) for bar in range(count)]
    taken = []
    for bar in range(1, count):
        before = set().union(*heard[max(0, bar - TAKEN_FROM) : bar])
        own = motifs(ours, bar * bar_frames, (bar + 1) * bar_frames)
        taken += [bool(own & before)] if own else []
    return _share(np.array(taken, dtype=np.bool_))


def motifs(tune: TopLine, start: int, end: int) -> set[Motif]:
    """Return the motifs that end in frames from `start` to `end`: steps in time and pitch, not one pitch alone."""
    first, last = np.searchsorted(tune.at, (start, end))
    steps = list(zip(np.diff(tune.at).tolist(), np.diff(tune.note).tolist(), strict=True))
    found = (tuple(steps[note - MOTIF_NOTES + 1 : note]) for note in range(max(int(first), MOTIF_NOTES - 1), int(last)))
    return {motif for motif in found if any(up for _, up in motif)}


def _own_repeats(ours: list[Bar]) -> float:
    """Return the share of bars equal to one of the last."""
    told = [
        bar in ours[max(0, number - REPEATED_FROM) : number]
        for number, bar in enumerate(ours)
        if number and len(bar) >= LEAST_ONSETS
    ]
    return _share(np.array(told, dtype=np.bool_))


def _hammered(ours: list[Bar]) -> float:
    """Return the share of bars that strike one pitch again and again, of all bars with an onset."""
    told = [len(bar) >= HAMMERED_NOTES and len({note for _, note in bar}) == 1 for bar in ours if bar]
    return _share(np.array(told, dtype=np.bool_))


def _theme(ours: list[Bar]) -> float:
    """Return the share of bars whose tune, transposed, was there THEME_BARS bars before or earlier."""
    told = [
        shape(bar) in {shape(other) for other in ours[: number - THEME_BARS + 1]}
        for number, bar in enumerate(ours)
        if number >= THEME_BARS and len(bar) >= LEAST_IN_THEME
    ]
    return _share(np.array(told, dtype=np.bool_))


def shape(bar: Bar) -> Bar:
    """Return a bar's tune counted from its first note."""
    return tuple((place, note - bar[0][1]) for place, note in bar)


def _ends(tune: TopLine, duet: Duet) -> Figures:
    """Return the figures of the ends of fourth bars and of the whole."""
    if not len(tune.at):
        return dict.fromkeys(("stable ends", "final length", "final root"), float("nan"))
    last = (
        np.searchsorted(
            tune.at, np.arange(4, duet.frames // duet.meter.bar_sixteenths + 1, 4) * duet.meter.bar_sixteenths
        )
        - 1
    )
    degrees = (tune.note[last[last >= 0]] - duet.tonic) % OCTAVE
    lengths = tune.end - tune.onset
    root = duet.harmony.root[min(int(tune.at[-1]), duet.frames - 1)]
    return {
        "stable ends": _share(np.isin(degrees, _STABLE[duet.mode])),
        "final length": float(lengths[-1] / lengths.mean()),
        "final root": float(tune.lowest[-1] % OCTAVE in {duet.tonic, int(root)}),
    }


def _share(flags: npt.NDArray[np.bool_]) -> float:
    """Return the share of true values; nan without any."""
    return float(flags.mean()) if len(flags) else float("nan")
