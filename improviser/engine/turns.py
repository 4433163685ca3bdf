"""Whose turn it is: the mode says when improviser may play beside, after or without the player."""

from __future__ import annotations

import math
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, NamedTuple

from improviser.choices import PlayMode
from improviser.engine.panel import SWITCHES

if TYPE_CHECKING:
    from collections.abc import Collection

_, SOLO, _ = SWITCHES

# After so long a silence, in beats, the player has stopped.
STOPPED_BEATS: Final = 0.75


class Allowed(Enum):
    """What improviser may do in a step."""

    NOTHING = auto()
    ANYTHING = auto()
    AN_ENTRY = auto()
    A_FINAL = auto()
    TO_HOLD = auto()


class TurnBar(NamedTuple):
    """A bar of a turn.

    Attributes:
        is_ours: Whether it is improviser's turn.
        bar: Number of the bar in the turn, from 1.
        bars: Bars of a turn.
    """

    is_ours: bool
    bar: int
    bars: int


class Turns:
    """The mode, and the turns that it makes.

    Attributes:
        mode: The mode now.
    """

    def __init__(self, mode: PlayMode, beat_steps: int) -> None:
        """Start in a mode, on a grid of so many steps in a beat."""
        self.mode = mode
        self._coming: PlayMode | None = None
        self._first_bar = self._bar = 0
        self._ends, self._final_bar = False, math.inf
        self._stopped_steps = max(1, round(STOPPED_BEATS * beat_steps))

    @property
    def chosen(self) -> PlayMode:
        """The mode that was chosen last; it may begin with the next bar only."""
        return self._coming or self.mode

    def choose(self, mode: PlayMode) -> None:
        """Change to another mode with the next bar."""
        self._coming = mode

    def begin(self, bar: int) -> None:
        """Begin the music, and the turns, with bar number `bar`; it is the player's."""
        self._ends, self._final_bar = False, math.inf
        self._enter(bar)

    def _enter(self, bar: int) -> None:
        """Begin the mode that was chosen with bar number `bar`."""
        self.mode, self._coming = self.chosen, None
        self._first_bar = self._bar = bar

    def end(self) -> None:
        """End with the next bar."""
        self._ends = True

    @property
    def now(self) -> TurnBar | None:
        """The turn that the next step is in; None in a mode without turns."""
        bars = self.mode.turn_bars
        if not bars:
            return None
        turns, in_turn = divmod(self._bar - self._first_bar, bars)
        return TurnBar(turns % 2 == 1, in_turn + 1, bars)

    def allowed(self, bar: int, in_bar: int, silence: int) -> Allowed:
        """Return what improviser may do in the next step; it enters on the first step of its turn.

        A mode that was chosen begins with a bar.

        Args:
            bar: Number of the step's bar.
            in_bar: Number of the step in its bar.
            silence: For how many steps the player has been silent, the step included.
        """
        if self._coming is not None and in_bar == 0:
            self._enter(bar)
        self._bar = bar
        if self._ends and in_bar == 0:
            self._ends, self._final_bar = False, bar
        if bar >= self._final_bar:
            return Allowed.A_FINAL if (bar, in_bar) == (self._final_bar, 0) else Allowed.TO_HOLD
        if self.mode is PlayMode.WHEN_I_STOP:
            return Allowed.ANYTHING if silence >= self._stopped_steps else Allowed.NOTHING
        match self.now:
            case TurnBar(is_ours=False):
                return Allowed.NOTHING
            case TurnBar(bar=1) if in_bar == 0:
                return Allowed.AN_ENTRY
            case _:
                return Allowed.ANYTHING

    def is_alone(self, switched: Collection[str]) -> bool:
        """Return whether improviser does not wait for the player, by the mode or by one of the switches that are on."""
        return SOLO in switched or self.chosen is PlayMode.ALONE

    def has_left(self, silent_bars: float, patience_bars: int, switched: Collection[str]) -> bool:
        """Return whether improviser stops and waits: after an end, or when the player has been silent for so long.

        Args:
            silent_bars: For how many bars the player has been silent.
            patience_bars: See EngineSettings; improviser's own turn comes on top of it.
            switched: The switches that are on.
        """
        if self._bar > self._final_bar:
            return True
        patience = patience_bars + self.mode.turn_bars
        return patience_bars > 0 and patience <= silent_bars and not self.is_alone(switched)
