"""The roles: the actions, observations and rewards of each.

Everything that depends on the role goes through a `Role`. The engine, the training environments, imitation and
evaluation are the same for all roles. An event is what our line records of a step: a note, a chord's index, HOLD or
REST.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from improviser import rewards
from improviser.choices import RoleName
from improviser.engine.preference_features import COMPING_TRAITS, TUNE_TRAITS
from improviser.listening.line import HOLD, NONE, REST, event_tokens
from improviser.listening.observation import FEATURES, encode_own
from improviser.listening.own_chords import CHORD_FEATURES, chord_tokens, encode_own_chords
from improviser.music.chord import CHORD_BITS, CHORD_COUNT, QUALITY_COUNT
from improviser.music.consonance import CONSONANT_INTERVALS
from improviser.music.pitch import OCTAVE
from improviser.music.scale import SCALE_BITS, Mode
from improviser.playing.actions import (
    ACTION_COUNT,
    FIRST_ONSET,
    HOLD_ACTION,
    Gesture,
    GestureKind,
    action_to_gesture,
    gesture_to_action,
    legal_actions,
)
from improviser.playing.chords import CHORD_ACTION_COUNT, action_to_chord_gesture, legal_chords

if TYPE_CHECKING:
    from improviser.engine.preference_features import PreferenceFeatures
    from improviser.listening.line import Events, Line
    from improviser.listening.observation import Feature, Place, Rows
    from improviser.music.pitch import IntArray, Span
    from improviser.music.scale import Key
    from improviser.rewards import Rewards

# The first four qualities are triads: major, minor, diminished, augmented.
_TRIADS: Final = 4

# The quality of the tonic triad in each mode.
_TONIC_QUALITY: Final = {Mode.MAJOR: 0, Mode.MINOR: 1}
# Whether each interval of 0-11 semitones, from the lower note up, is consonant.
_CONSONANT: Final = np.isin(np.arange(OCTAVE), CONSONANT_INTERVALS)

Actions = npt.NDArray[np.int64]


class Role(ABC):
    """A part that improviser can play.

    Attributes:
        name: Its name in presets.
        action_count: The size of the action space; hold and rest come first.
        features: The features of an observation, the player's first.
        rewards: The rewards.
        traits: The features that a player may like or dislike in its actions.
        is_tune: Whether the events of our line are notes, which a player can repeat.
    """

    name: str
    action_count: int
    features: tuple[Feature, ...]
    rewards: Rewards
    traits: PreferenceFeatures
    is_tune: bool

    @property
    def columns(self) -> int:
        """The number of columns of an observation."""
        return sum(feature.columns for feature in self.features)

    @property
    def groups(self) -> tuple[tuple[str, int, int], ...]:
        """The features as plain tuples; a model must have been trained on the same ones."""
        return tuple((feature.name, feature.columns, feature.values) for feature in self.features)

    @abstractmethod
    def events(self, actions: Actions, place: Place) -> Events:
        """Return the events, (lanes,), of actions, (lanes,)."""

    @abstractmethod
    def actions(self, events: Events, place: Place) -> Actions:
        """Return the actions, (lanes,), of events, (lanes,); NONE gives `action_count`, which is no action."""

    @abstractmethod
    def encode_own(self, own: Line, player_note: IntArray, place: Place, out: Rows) -> None:
        """Write the features of our line into the columns of `out` after the player's, (lanes, columns).

        Args:
            own: Our line before the step to be decided.
            player_note: The player's top note, (lanes,), SILENT where none sounds.
            place: The place of the step in the music.
            out: The observations; the player's columns must be written already.
        """

    @abstractmethod
    def gesture(self, action: int, tonic: int, base: int, before: tuple[int, ...], hands: Span) -> Gesture:
        """Return the gesture of an action.

        Args:
            action: Index of the action.
            tonic: Pitch class of the key.
            base: The note from which actions count.
            before: The notes that were struck last; empty before the first.
            hands: The player's lowest and highest note of late; NO_SPAN where there is none.
        """

    @abstractmethod
    def legal(self, tonic: int, base: int, *, is_sounding: bool, pitch_classes: int | None) -> npt.NDArray[np.bool_]:
        """Return the mask of legal actions, (action_count,).

        Args:
            tonic: Pitch class of the key.
            base: The note at the bottom of the register.
            is_sounding: Whether notes sound that can be held.
            pitch_classes: Twelve-bit set of the pitch classes allowed (a locked scale), None for all.
        """

    @abstractmethod
    def finals(self, mode: Mode) -> npt.NDArray[np.bool_]:
        """Return which actions strike the tonic, or its triad, (action_count,): a piece ends on one of them."""

    @abstractmethod
    def clashes(self, events: Events, note: int) -> npt.NDArray[np.bool_]:
        """Return which of our events, (events,) notes or chords, clash with a note 0-127 of the player."""

    @abstractmethod
    def action_on(self, note: int, key: Key, base: int) -> int:
        """Return the action that plays the note 0-127, or the key's chord on it, above the note `base`.

        Raises:
            ValueError: The note is out of reach.
        """


class _Melody(Role):
    """The melody role: one note at a time."""

    name = RoleName.MELODY
    action_count = ACTION_COUNT
    features = FEATURES
    rewards = rewards.MELODY
    traits = TUNE_TRAITS
    is_tune = True

    def events(self, actions: Actions, place: Place) -> Events:
        """Return notes, and HOLD and REST."""
        notes = place.own_base + actions - FIRST_ONSET
        return np.where(actions >= FIRST_ONSET, notes, _silent(actions)).astype(np.int16)

    def actions(self, events: Events, place: Place) -> Actions:
        """Return the tokens of the events, which are the actions."""
        return event_tokens(events, place.own_base).astype(np.int64)

    def encode_own(self, own: Line, player_note: IntArray, place: Place, out: Rows) -> None:
        """Write the columns of our tune."""
        encode_own(own, player_note, place, out)

    def gesture(self, action: int, tonic: int, base: int, before: tuple[int, ...], hands: Span) -> Gesture:
        """Return the gesture; tonic, the notes before and the player's hands do not matter."""
        del tonic, before, hands
        return action_to_gesture(action, base)

    def legal(self, tonic: int, base: int, *, is_sounding: bool, pitch_classes: int | None) -> npt.NDArray[np.bool_]:
        """Return the mask of legal notes."""
        del tonic
        return legal_actions(base, is_sounding=is_sounding, pitch_classes=pitch_classes)

    def finals(self, mode: Mode) -> npt.NDArray[np.bool_]:
        """Return the tonic in each octave."""
        del mode
        onsets = np.arange(ACTION_COUNT) - FIRST_ONSET
        return np.asarray((onsets >= 0) & (onsets % OCTAVE == 0))

    def clashes(self, events: Events, note: int) -> npt.NDArray[np.bool_]:
        """Return which notes are not consonant with the note, octaves ignored."""
        is_clash: npt.NDArray[np.bool_] = ~_CONSONANT[np.abs(events - note) % OCTAVE]
        return is_clash

    def action_on(self, note: int, key: Key, base: int) -> int:
        """Return the action of this note."""
        del key
        return gesture_to_action(Gesture(GestureKind.ONSET, (note,)), base)


class _Bass(_Melody):
    """The bass role: one note at a time, below the player, where the roots of the chords count most."""

    name = RoleName.BASS
    rewards = rewards.BASS


class _Comping(Role):
    """The comping role: chords, each voiced near the one before."""

    name = RoleName.COMPING
    action_count = CHORD_ACTION_COUNT
    features = CHORD_FEATURES
    rewards = rewards.COMPING
    traits = COMPING_TRAITS
    is_tune = False

    def events(self, actions: Actions, place: Place) -> Events:
        """Return chord indices, and HOLD and REST."""
        chords = (actions - FIRST_ONSET + QUALITY_COUNT * place.tonic) % CHORD_COUNT
        return np.where(actions >= FIRST_ONSET, chords, _silent(actions)).astype(np.int16)

    def actions(self, events: Events, place: Place) -> Actions:
        """Return the actions of chords above the tonic."""
        chords = FIRST_ONSET + chord_tokens(events, place.tonic)
        silent = np.where(events == NONE, CHORD_ACTION_COUNT, HOLD - events)
        return np.where(events >= 0, chords, silent).astype(np.int64)

    def encode_own(self, own: Line, player_note: IntArray, place: Place, out: Rows) -> None:
        """Write the columns of our chords."""
        encode_own_chords(own, player_note, place, out)

    def gesture(self, action: int, tonic: int, base: int, before: tuple[int, ...], hands: Span) -> Gesture:
        """Return the gesture; a chord is voiced near the one before, out of the player's hands."""
        return action_to_chord_gesture(action, tonic, base, before, hands)

    def legal(self, tonic: int, base: int, *, is_sounding: bool, pitch_classes: int | None) -> npt.NDArray[np.bool_]:
        """Return the mask of legal chords."""
        del base
        return legal_chords(tonic, is_sounding=is_sounding, pitch_classes=pitch_classes)

    def finals(self, mode: Mode) -> npt.NDArray[np.bool_]:
        """Return the tonic triad of the mode."""
        return np.asarray(np.arange(CHORD_ACTION_COUNT) == FIRST_ONSET + _TONIC_QUALITY[mode])

    def clashes(self, events: Events, note: int) -> npt.NDArray[np.bool_]:
        """Return which chords lack the note, and have a tone a semitone below or above it."""
        bits = CHORD_BITS[events].astype(np.int64)
        around = 1 << (note - 1) % OCTAVE | 1 << (note + 1) % OCTAVE
        is_clash: npt.NDArray[np.bool_] = (bits >> note % OCTAVE & 1 == 0) & (bits & around > 0)
        return is_clash

    def action_on(self, note: int, key: Key, base: int) -> int:
        """Return the action of the key's triad on the note's pitch class, or of a major triad if the key has none."""
        del base
        degree = (note - key.tonic) % OCTAVE
        allowed = legal_chords(0, is_sounding=True, pitch_classes=int(SCALE_BITS[key.mode]))
        actions = FIRST_ONSET + QUALITY_COUNT * degree + np.arange(_TRIADS)
        return int(actions[allowed[actions].argmax()])


def _silent(actions: Actions) -> Events:
    """Return HOLD where the action is to hold, else REST."""
    return np.where(actions == HOLD_ACTION, HOLD, REST).astype(np.int16)


MELODY: Final[Role] = _Melody()
COMPING: Final[Role] = _Comping()
BASS: Final[Role] = _Bass()
ROLES: Final[dict[str, Role]] = {role.name: role for role in (MELODY, COMPING, BASS)}
