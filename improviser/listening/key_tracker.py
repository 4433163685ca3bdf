"""Finds the key that the player's notes imply.

Each onset has cues (`listening.cue`). Each cue adds a fitted vector of evidence for each of the twelve tonics; the
vectors are the same relative to each tonic. Parts of the evidence fade over some beats, a phrase, a section or a
whole piece. A small network, the same for each tonic, turns the remaining evidence into the odds of the major and
the minor key. So absolute pitch plays no part: transposed music gives the transposed key.

Source: `studies.key_fit` fits all numbers to the corpus by maximum likelihood of the true key. So the probabilities
are those of a filter: what is the key now, given all that was heard?
docs/research/key-by-fitted-evidence.md says what else was tried.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from improviser.listening.cue import CUE_COUNT, CUE_ROTATIONS, Cues
from improviser.listening.key_table import KEY_TABLE
from improviser.music.pitch import OCTAVE
from improviser.music.scale import ALL_KEYS, Key, Mode

FloatRow = npt.NDArray[np.float32]

# Times in beats after which evidence has faded to 1/e: about a motif, a phrase, a section, a piece.
MEMORY_BEATS: Final = (3.0, 12.0, 48.0, 400.0)
# Evidence values for each memory, and the width of the hidden layer.
UNITS: Final = 8
HIDDEN: Final = 32
WIDTH: Final = UNITS * len(MEMORY_BEATS)
# Another key takes over when it is this many times as likely as the current one.
HYSTERESIS: Final = 1.2

# The parts that follow the table of cues, in this order, as float16.
TABLE_SHAPES: Final = {
    "scale": (WIDTH,),
    "hidden": (WIDTH + len(MEMORY_BEATS), HIDDEN),
    "hidden_bias": (HIDDEN,),
    "out": (HIDDEN, len(Mode)),
    "out_bias": (len(Mode),),
    "direct": (WIDTH, len(Mode)),
}


@dataclass(frozen=True, slots=True)
class KeyTable:
    """The fitted numbers.

    Attributes:
        cues: (CUE_COUNT, WIDTH) evidence that a cue adds for the tonic relative to which it has this row.
        evidence: (WIDTH, HIDDEN) weights from the evidence to the hidden layer.
        amount: (memories, HIDDEN) weights from the log of the amount heard to the hidden layer.
        bias: (HIDDEN,) biases of the hidden layer.
        out: (HIDDEN, 2) weights from the hidden layer to the log-odds of major and minor.
        out_bias: (2,) biases of the log-odds.
        direct: (WIDTH, 2) weights from the evidence to the log-odds.
    """

    cues: FloatRow
    evidence: FloatRow
    amount: FloatRow
    bias: FloatRow
    out: FloatRow
    out_bias: FloatRow
    direct: FloatRow


def read_key_table(text: str) -> KeyTable:
    """Return the table that `studies.key_fit` wrote as base64: cues as int8, then TABLE_SHAPES as float16."""
    data = base64.b64decode(text)
    size = CUE_COUNT * WIDTH
    cues = np.frombuffer(data, dtype=np.int8, count=size).reshape(CUE_COUNT, WIDTH)
    rest = np.frombuffer(data, dtype="<f2", offset=size).astype(np.float32)
    parts, at = {}, 0
    for name, shape in TABLE_SHAPES.items():
        count = int(np.prod(shape))
        parts[name] = rest[at : at + count].reshape(shape)
        at += count
    return KeyTable(
        cues=cues * parts["scale"],
        evidence=parts["hidden"][:WIDTH],
        amount=parts["hidden"][WIDTH:],
        bias=parts["hidden_bias"],
        out=parts["out"],
        out_bias=parts["out_bias"],
        direct=parts["direct"],
    )


@cache
def _fitted() -> KeyTable:
    """Return the shipped table."""
    return read_key_table(KEY_TABLE)


_FADE: Final = -1 / np.array(MEMORY_BEATS, dtype=np.float32)
_MEMORY_OF: Final = np.repeat(np.arange(len(MEMORY_BEATS)), UNITS)


class KeyTracker:
    """Tracks the probabilities of the 24 keys, one onset at a time; a locked key overrides them."""

    def __init__(
        self,
        locked: Key | None = None,
        meter_row: int = 0,
        *,
        hysteresis: float = HYSTERESIS,
        table: KeyTable | None = None,
    ) -> None:
        """Start with every tonic equally likely, or with the key locked.

        Args:
            locked: The key, if the player locked one.
            meter_row: Row of METERS.
            hysteresis: How many times as likely as the current key another key must be to take over.
            table: Fitted numbers; the shipped ones by default.
        """
        self._locked = locked
        self._hysteresis = hysteresis
        self._table = table or _fitted()
        self._cues = Cues(meter_row)
        self._evidence = np.zeros((OCTAVE, WIDTH), dtype=np.float32)
        self._amount = np.zeros(len(MEMORY_BEATS), dtype=np.float32)
        self._posterior = self._weigh()
        self._key = locked or ALL_KEYS[0]
        self._has_heard = False

    @property
    def key(self) -> Key:
        """The likeliest key, with some hysteresis (C major before the first note), or the locked one."""
        return self._key

    def lock(self, key: Key | None) -> None:
        """Lock a key; None unlocks it and sets the likeliest key, given all that was heard."""
        self._locked = key
        if key is not None:
            self._key = key
        elif self._has_heard:
            self._key = ALL_KEYS[int(self._posterior.argmax())]

    @property
    def is_locked(self) -> bool:
        """Whether the player locked the key."""
        return self._locked is not None

    @property
    def confidence(self) -> float:
        """The probability in [0, 1] of the key, 1 when locked."""
        return 1.0 if self._locked is not None else float(self._posterior[self._key.index])

    @property
    def posterior(self) -> npt.NDArray[np.float64]:
        """The probabilities of all keys, (24,), in the order of ALL_KEYS; a lock does not change them."""
        return self._posterior.copy()

    def begin_bar(self, meter_row: int, beat: float) -> None:
        """Count bars of the meter in a row of METERS from now on; the first one begins at `beat`."""
        self._cues.begin_bar(meter_row, beat)

    def recount(self, moved_beats: float) -> None:
        """Count every beat that was heard `moved_beats` later."""
        self._cues.recount(moved_beats)

    def add_note(self, note: int, beat: float) -> None:
        """Process one onset.

        Args:
            note: 0-127.
            beat: Its time in quarter notes; 0 is a downbeat.
        """
        rows, gap_beats = self._cues.add_note(note, beat)
        if gap_beats:
            fade = np.exp(_FADE * gap_beats)
            self._amount *= fade
            self._evidence *= fade[_MEMORY_OF]
        self._amount += 1
        self._evidence += self._table.cues[CUE_ROTATIONS[rows]].sum(axis=0)
        self._posterior = self._weigh()
        self._follow(int(self._posterior.argmax()))

    def _follow(self, best: int) -> None:
        """Set the key to the one with index `best`, if it is likely enough and no key is locked."""
        lead = self._posterior[best] / self._posterior[self._key.index]
        if self._locked is None and (not self._has_heard or lead >= self._hysteresis):
            self._key = ALL_KEYS[best]
        self._has_heard = True

    def _weigh(self) -> npt.NDArray[np.float64]:
        """Return the probabilities of the keys, (24,), from the remaining evidence."""
        table = self._table
        evidence = self._evidence * (1 / np.sqrt(self._amount + 1))[_MEMORY_OF]
        hidden = evidence @ table.evidence
        hidden += np.log1p(self._amount) @ table.amount + table.bias
        odds = np.maximum(hidden, 0) @ table.out + evidence @ table.direct + table.out_bias
        likelihood = np.exp((odds - odds.max()).T.ravel().astype(np.float64))
        posterior: npt.NDArray[np.float64] = likelihood / likelihood.sum()
        return posterior
