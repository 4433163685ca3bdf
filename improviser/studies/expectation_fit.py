"""Fit melodic expectation: `python -m improviser.studies.expectation_fit` writes its table.

The table counts, in the training split, how often each melodic interval follows a note of each scale degree, in chorale
voices and in tunes. Where counts are few, the counts of the interval after any degree are mixed in.
"""

from __future__ import annotations

import base64
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from improviser.corpus.library import load_pieces
from improviser.music import expectation_table
from improviser.music.expectation import CORPORA, NATS_A_UNIT
from improviser.music.pitch import OCTAVE
from improviser.music.scale import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from improviser.corpus.piece import Piece

# The weight, in counts, of the intervals after any degree.
BACKOFF: Final = 20.0
LINE: Final = 108
_NOTE: Final = 2


def fit(pieces: Iterable[Piece]) -> npt.NDArray[np.float64]:
    """Return surprisal in nats, (corpora, modes, degrees, intervals from an octave down to an octave up)."""
    counts = np.zeros((len(CORPORA), len(Mode), OCTAVE, 2 * OCTAVE + 1))
    for piece in pieces:
        row, mode = CORPORA.index(piece.kind), int(Mode[piece.mode.upper()])
        for voice in piece.voices:
            notes = voice[:, _NOTE].astype(np.int64)
            intervals = np.clip(np.diff(notes), -OCTAVE, OCTAVE) + OCTAVE
            np.add.at(counts[row, mode], ((notes[:-1] - piece.tonic) % OCTAVE, intervals), 1)
    anywhere = counts.sum(axis=(1, 2), keepdims=True) + 1
    expected = counts + BACKOFF * anywhere / anywhere.sum(axis=-1, keepdims=True)
    surprisal: npt.NDArray[np.float64] = -np.log(expected / expected.sum(axis=-1, keepdims=True))
    return surprisal


def table_text(surprisal: npt.NDArray[np.float64]) -> str:
    """Return the text of a module that holds the table."""
    units = np.clip(surprisal / NATS_A_UNIT, 0, 255).round().astype(np.uint8)
    lines = "\n".join(textwrap.wrap(base64.b64encode(units.tobytes()).decode(), LINE))
    doc = '"""The fitted numbers of melodic expectation: written by studies.expectation_fit."""'
    return f'{doc}\n\nEXPECTATION_TABLE = """\n{lines}\n"""\n'


def main() -> None:
    """Fit to the training split, and write the table."""
    surprisal = fit(piece for piece in load_pieces() if piece.split == "train")
    Path(expectation_table.__file__).write_text(table_text(surprisal), encoding="utf-8")


if __name__ == "__main__":
    main()
