"""How near improviser's velocities, note lengths and microtiming come to those of people.

`pop909` and `lieder` are folders of songs with a track for the player and one for a human partner.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.engine import Engine
from improviser.listening.pocket.articulation import CHORD_BEATS
from improviser.midi.message import NoteOff, NoteOn, TimedMessage
from improviser.midi.smf import read_file
from improviser.music.meter import SIXTEENTHS_PER_BEAT
from improviser.offline.session import engine_in_beats, play_along
from improviser.units import S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from improviser.agent.policy import Actor
    from improviser.engine import EngineSettings
    from improviser.midi.song import Song

# The player's and the partner's track of a song.
SONGS: Final = (("pop909", "MELODY", "PIANO"), ("lieder", "voice", "piano right"))
LONGEST_BEATS: Final = 8.0
# Classes of note lengths: two to an octave, from 1/32 of a beat to 8 beats.
LENGTH_CLASSES: Final = 2.0 ** np.arange(-5, 3.5, 0.5)
# The bars of songs and of generated players have this many beats.
BAR_BEATS: Final = 4
SONG_BEATS: Final = 96.0
LEAST_MESSAGES: Final = 80
TIED: Final = 0.97
# Offsets by place of the generated player whose pocket improviser shall find, in beats.
POCKET_BEATS: Final = 0.02
POCKET_BARS: Final = 32
# A generated player leaves out this share of the onsets.
LEFT_OUT: Final = 0.3
LEAST_AT_PLACE: Final = 3

Note = tuple[float, float, int]
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Subject:
    """Who plays: settings, an actor and a seed."""

    settings: EngineSettings
    actor: Actor
    seed: int = 0


def partner_figures(
    corpora: Path, subject: Subject, count: int, report: Callable[[int], None]
) -> dict[str, dict[str, Figures]]:
    """Return the figures of parts beside the players of songs, by corpus and part: people, feel 0, feel 1.

    Args:
        corpora: Folder with the folders of SONGS.
        subject: Who plays beside them.
        count: How many songs of each corpus to play.
        report: Called with the number of songs that are done.
    """
    found: dict[str, dict[str, Figures]] = {}
    done = 0
    for corpus, player, partner in SONGS:
        rows: dict[str, list[Figures]] = {"player": [], "partner": [], "feel 0": [], "feel 1": []}
        for path in _spread(sorted((corpora / corpus).glob("*.mid")), count):
            song = read_file(path)
            pair = [track_messages(song, name) for name in (player, partner)]
            if all(len(messages) >= LEAST_MESSAGES for messages in pair):
                _add_song(rows, pair, subject)
            done += 1
            report(done)
        if rows["player"]:
            found[corpus] = {part: _median_figures(each) for part, each in rows.items()}
            found[corpus]["feel 0 / partner"] = _ratios(found[corpus], "feel 0")
            found[corpus]["feel 1 / partner"] = _ratios(found[corpus], "feel 1")
    return found


def _add_song(rows: dict[str, list[Figures]], pair: Sequence[list[TimedMessage]], subject: Subject) -> None:
    """Add the figures of the parts of one song: those of its player and partner, and ours."""
    for name, messages in zip(("player", "partner"), pair, strict=True):
        rows[name].append(part_figures(to_notes(messages)))
    for feel in (0.0, 1.0):
        settings = replace(subject.settings, feel=feel)
        engine = engine_in_beats(settings, subject.actor, np.random.default_rng(subject.seed), 0.0)
        rows[f"feel {feel:g}"].append(part_figures(to_notes(play_along(engine, pair[0], SONG_BEATS))))


def track_messages(song: Song, name: str) -> list[TimedMessage]:
    """Return the notes of the track of this name in the first SONG_BEATS beats, at their beats; [] without it."""
    return [
        TimedMessage(event.tick / song.ticks_per_beat, event.message)
        for track in song.tracks
        if track.name == name
        for event in track.events
        if isinstance(event.message, NoteOn | NoteOff) and event.tick < SONG_BEATS * song.ticks_per_beat
    ]


def to_notes(messages: Sequence[TimedMessage]) -> list[Note]:
    """Return the notes of some messages in the order of time: (moment, length, velocity)."""
    begun: dict[tuple[int, int], tuple[float, int]] = {}
    notes: list[Note] = []
    for timed in messages:
        match timed.message:
            case NoteOn(channel, note, velocity):
                begun[channel, note] = timed.due_s, velocity
            case NoteOff(channel, note) if (channel, note) in begun:
                at_s, velocity = begun.pop((channel, note))
                notes.append((at_s, timed.due_s - at_s, velocity))
            case _:
                pass
    return sorted(notes)


def part_figures(notes: Sequence[Note]) -> Figures:
    """Return the figures of a part: velocity spread, entropy of note lengths, and share of tied notes.

    Args:
        notes: (beat, length in beats, velocity) in the order of time.
    """
    chords: list[list[Note]] = []
    for note in notes:
        if chords and note[0] - chords[-1][0][0] < CHORD_BEATS:
            chords[-1].append(note)
        else:
            chords.append([note])
    lengths = np.array([max(note[1] for note in chord) for chord in chords[:-1]])
    apart = np.diff([chord[0][0] for chord in chords])
    shares, _ = np.histogram(np.clip(lengths, LENGTH_CLASSES[0], LONGEST_BEATS), LENGTH_CLASSES)
    shares = shares[shares > 0] / max(1, shares.sum())
    return {
        "velocity spread": float(np.std([velocity for _, _, velocity in notes])),
        "length entropy": float(-(shares * np.log2(shares)).sum()),
        "tied": float(np.mean(lengths >= TIED * apart)),
    }


def _median_figures(rows: Sequence[Figures]) -> Figures:
    """Return the median of each figure."""
    return {name: float(np.median([row[name] for row in rows])) for name in rows[0]}


def _ratios(parts: dict[str, Figures], part: str) -> Figures:
    """Return a part's velocity spread and length entropy as ratios to the human partner's."""
    partner = parts["partner"]
    return {name: parts[part][name] / partner[name] for name in ("velocity spread", "length entropy") if partner[name]}


def pocket_figures(subject: Subject, players: int) -> Figures:
    """Return the correlation of our offsets with the player's, by place in the bar, in the last half of a jam.

    The players are generated: each has offsets of its own at the places in the bar.
    """
    settings = replace(subject.settings, feel=1.0, collect_s=max(0.01, subject.settings.collect_s), patience_bars=0)
    found = [_pocket_correlation(settings, subject, seed) for seed in range(players)]
    return {"correlation": float(np.median(found)), "players": float(players)}


def _pocket_correlation(settings: EngineSettings, subject: Subject, seed: int) -> float:
    """Return the correlation of our offsets with those of one generated player."""
    rng = np.random.default_rng((subject.seed, seed))
    pocket = POCKET_BEATS * rng.standard_normal(BAR_BEATS * SIXTEENTHS_PER_BEAT)
    pocket[0] = 0.0
    engine = Engine(settings, subject.actor, rng)
    heard = _pocket_player(pocket, S_PER_MINUTE / settings.tempo_bpm, rng)
    end_s = POCKET_BARS * BAR_BEATS * S_PER_MINUTE / settings.tempo_bpm
    engine.start(0.0, 0.0)
    played = play_along(engine, heard, end_s)
    return _correlation(engine, settings, played, pocket)


def _pocket_player(pocket: npt.NDArray[np.float64], beat_s: float, rng: np.random.Generator) -> list[TimedMessage]:
    """Return the messages of a player of a pocket, one offset in beats for each sixteenth of a bar."""
    notes = rng.choice([60, 62, 64, 67, 69], size=(POCKET_BARS, len(pocket)))
    heard: list[TimedMessage] = []
    for bar in range(POCKET_BARS):
        for place, offset in enumerate(pocket):
            if (bar or place) and rng.random() < LEFT_OUT:
                continue
            beat = bar * BAR_BEATS + place / SIXTEENTHS_PER_BEAT + offset
            at_s = max(0.0, (beat + POCKET_BEATS / 2 * rng.standard_normal()) * beat_s)
            note = int(notes[bar, place])
            heard += [TimedMessage(at_s, NoteOn(0, note, 80)), TimedMessage(at_s + 0.2 * beat_s, NoteOff(0, note))]
    return sorted(heard, key=lambda timed: timed.due_s)


def _correlation(
    engine: Engine, settings: EngineSettings, played: Sequence[TimedMessage], pocket: npt.NDArray[np.float64]
) -> float:
    """Return the correlation of the offsets of the played notes, by place, with `pocket`; second half only."""
    found: list[list[float]] = [[] for _ in pocket]
    for timed in played:
        beat = engine.beat_at(timed.due_s - settings.collect_s)
        if isinstance(timed.message, NoteOn) and beat > POCKET_BARS * BAR_BEATS / 2:
            step = round(beat * SIXTEENTHS_PER_BEAT)
            found[step % len(pocket)].append(beat - step / SIXTEENTHS_PER_BEAT)
    places = [place for place, offsets in enumerate(found) if len(offsets) >= LEAST_AT_PLACE]
    ours = [float(np.mean(found[place])) for place in places]
    return float(np.corrcoef(ours, pocket[places])[0, 1]) if len(places) > 1 and np.std(ours) else 0.0


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """Return at most `count` of the paths, evenly spread."""
    return list(paths[:: max(1, len(paths) // count)][:count])
