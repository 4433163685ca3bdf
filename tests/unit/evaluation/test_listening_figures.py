"""Right player minus wrong player: hand-worked duets, and partners that hear much or nothing."""

from __future__ import annotations

import numpy as np
import pytest

from improviser.corpus.casting import MELODY
from improviser.corpus.piece import Piece
from improviser.engine import EngineSettings
from improviser.evaluation.duet import (
    FRAMES,
    Duet,
    accompaniment_heard,
    from_messages,
    melody_heard,
    sounding,
    to_messages,
)
from improviser.evaluation.in_time.feel_figures import Subject
from improviser.evaluation.listening_figures import (
    CHART,
    DRONE,
    EAR,
    IMPROVISER,
    PARROT,
    PEOPLE,
    duet_figures,
    improvised,
    listening_scores,
    wrong_player,
)
from improviser.music.chord import QUALITY_COUNT
from tests.performing import BarNote
from tests.written_piece import C, F, G, piece


def heard(a_piece: Piece) -> Duet:
    """Return the duet whose player plays the tune."""
    duet = melody_heard(a_piece)
    assert duet is not None
    return duet


def test_the_harmony_is_that_of_the_markers() -> None:
    """Each frame has its chord's tones, root and bass; the strong frames begin beats 1 and 3."""
    duet = heard(piece("a", 0, C, G))
    assert 2 * 4 * FRAMES == duet.frames
    assert [0b000010010001] * 16 == duet.harmony.bits[:16].tolist()
    assert (7, 11) == (duet.harmony.root[20], duet.harmony.bass[20])
    assert [0, 8, 16, 24] == np.flatnonzero(duet.is_strong).tolist()
    assert [72, 79] == duet.heard[:, 2].tolist()
    assert 6 == len(duet.people)


def test_the_accompaniment_is_struck_where_none_is_written() -> None:
    """A lead sheet's chords become a player's, with the bass an octave below; people play its tune."""
    duet = accompaniment_heard(piece("a", 0, C, G, parts=(MELODY,)))
    assert duet is not None
    assert [48, 52, 55, 60] == duet.heard[:4, 2].tolist()
    assert [72, 79] == duet.people[:, 2].tolist()
    assert [0, 4] == sorted(set(duet.heard[:, 0].tolist()))
    written = accompaniment_heard(piece("b", 0, C, G))
    assert written is not None
    assert [48, 52, 55] == written.heard[:3, 2].tolist()


def test_figures_by_hand() -> None:
    """The triad's third is in the chord and consonant, but no bass; the root is bass; a semitone beside is neither."""
    duet = heard(piece("a", 0, C, C))
    third, root, beside = (np.array([[0.0, 8.0, note]]) for note in (64, 60, 61))
    assert (1.0, 1.0, 0.0) == tuple(duet_figures(third, duet).values())[:3]
    assert (1.0, 1.0, 1.0) == tuple(duet_figures(root, duet).values())[:3]
    assert (0.0, 0.0, 0.0) == tuple(duet_figures(beside, duet).values())[:3]
    gains = [duet_figures(each, duet)["emergent consonance"] for each in (root, third, beside)]
    assert gains == sorted(gains, reverse=True)
    assert 0.0 == pytest.approx(gains[0])


def test_who_keeps_out_of_the_hands_is_clear() -> None:
    """A note between the outer notes of the player's chord, or on one, is in the hands; one above or below is not."""
    played = accompaniment_heard(piece("b", 0, C, G))
    assert played is not None
    figures = [duet_figures(np.array([[0.0, 2.0, note]]), played)["clear"] for note in (47, 48, 50, 55, 56)]
    assert [1.0, 0.0, 0.0, 0.0, 1.0] == figures


def test_what_the_player_sounds_too_is_doubled() -> None:
    """Of a third and an octave one is doubled; where the player rests nothing is."""
    duet = heard(piece("a", 0, F, C))
    tune = int(duet.heard[0, 2])
    assert 0.5 == duet_figures(np.array([[0.0, 4.0, tune - 12], [0.0, 4.0, tune - 8]]), duet)["doubled"]


def test_guide_tones_go_on_by_step() -> None:
    """The third of F falls to that of C, or stays away; a root is no guide tone."""
    duet = heard(piece("a", 0, F, C))
    for before, after, share in ((69, 67, 1.0), (69, 64, 0.0), (69, 69, 0.0), (69, 72, 0.0)):
        notes = np.array([[0.0, 4.0, before], [4.0, 8.0, after]])
        assert share == duet_figures(notes, duet)["guide tones"]
    assert np.isnan(duet_figures(np.array([[0.0, 8.0, 65]]), duet)["guide tones"])


def test_changes_between_chords_are_true_on_the_root() -> None:
    """Of two changes one is to the chord behind, and the duet has one; single notes are no chords."""
    duet = heard(piece("a", 0, F, C))
    chords = [(0.0, 4.0, (53, 57, 60)), (4.0, 6.0, (48, 52, 55)), (6.0, 8.0, (45, 48, 52))]
    figures = duet_figures(np.array([(start, end, note) for start, end, notes in chords for note in notes]), duet)
    assert (0.5, 2.0) == (figures["true changes"], figures["changes"])
    alone = duet_figures(np.array([[0.0, 8.0, 65]]), duet)
    assert np.isnan([alone["true changes"], alone["changes"]]).all()


def test_a_wrong_player_is_moved_to_the_same_key() -> None:
    """The other piece's chords and tune are transposed to this one's tonic, and repeated to its length."""
    duets = [heard(piece("a", 0, C, F, C, G)), heard(piece("b", 2, (2, 0, 2), (9, 0, 9)))]
    wrong = wrong_player(duets, 0)
    assert wrong is not None
    assert [0, 7, 0, 7] == wrong.harmony.root[::16].tolist()
    assert [72, 79, 72, 79] == wrong.heard[:, 2].tolist()
    assert None is wrong_player([duets[0]], 0)


def test_messages_and_notes_are_each_others_inverse() -> None:
    """Notes survive as messages; a key that is struck again while it is down goes up first."""
    notes = np.array([(0.0, 1.0, 60), (0.5, 2.0, 64), (1.0, 1.5, 60)])
    assert notes.tolist() == from_messages(to_messages(notes)).tolist()
    again = from_messages(to_messages(np.array([(0.0, 2.0, 60), (1.0, 3.0, 60)])))
    assert [[0.0, 1.0, 60.0], [1.0, 3.0, 60.0]] == again.tolist()
    assert [60] * 4 == np.argmax(sounding(notes, 8), axis=1)[:4].tolist()


def test_who_listens_has_a_difference_and_who_does_not_has_none() -> None:
    """People's parts fit their own player better than another; a drone on the tonic fits both alike."""
    orders = ((C, F, G, C), (F, C, C, G), (G, C, F, F), (C, G, C, F))
    duets = [heard(piece(f"{index}", 0, *chords)) for index, chords in enumerate(orders)]
    subject = Subject(EngineSettings(temperature=0.0), BarNote())
    done: list[int] = []
    scores = listening_scores(duets, subject, duet_figures, done.append)
    assert 4 == done[-1]
    assert {IMPROVISER, CHART, PEOPLE, PARROT, DRONE, EAR} == set(scores)
    gains = {partner: sides["difference"]["note in chord"].mean for partner, sides in scores.items()}
    assert gains[PEOPLE] > 0.5 > gains[PARROT] > abs(gains[DRONE])
    assert gains[EAR] > abs(gains[DRONE])
    assert 1.0 == scores[PEOPLE]["right"]["note in chord"].mean


def test_the_improviser_plays_beside_the_player() -> None:
    """It begins with the piece, in the piece's meter, and finds the key itself."""
    duet = heard(piece("a", 0, *(C, F, G, C) * 2))
    notes = improvised(duet, Subject(EngineSettings(key="C", meter=(3, 4), temperature=0.0), BarNote()))
    assert [4.0 * bar for bar in range(1, 8)] == [onset for onset in notes[:, 0].tolist() if onset >= 4]


def test_the_duets_chords_are_the_chart() -> None:
    """It is given the chord of each eighth where it has a chart, and none else."""
    duet = heard(piece("a", 0, C, G))
    assert [0] * 8 + [7 * QUALITY_COUNT + 4] * 8 == list(duet.chart)
