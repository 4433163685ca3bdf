"""Melodic expectation, and how it is fitted."""

from __future__ import annotations

import ast
import base64

import numpy as np
import pytest

from improviser.music.expectation import NATS_A_UNIT, interval_surprisal
from improviser.studies.expectation_fit import fit, table_text
from tests.tiny_corpus import chorale, tiny_corpus, tune

SAME: int = 12
"""The column of the interval 0."""


def test_steps_are_expected_more_than_leaps() -> None:
    """After any degree of the major scale the likeliest step has less surprisal than the likeliest leap."""
    nats = interval_surprisal()
    assert (2, 2, 12, 25) == nats.shape
    for degree in (0, 2, 4, 5, 7, 9, 11):
        row = nats[0, 0, degree]
        assert row[SAME - 2 : SAME + 3].min() < min(row[: SAME - 2].min(), row[SAME + 3 :].min())


def test_the_leading_note_leads() -> None:
    """After the seventh degree the step up to the tonic is the most expected interval."""
    assert [SAME + 1] * 2 == interval_surprisal()[:, 0, 11].argmin(axis=1).tolist()


def test_what_was_counted_surprises_less() -> None:
    """Probabilities sum to 1; an interval that occurs in a piece has less surprisal than one that does not."""
    surprisal = fit([chorale(bars=8), tune(bars=8)])
    np.testing.assert_allclose(np.exp(-surprisal).sum(axis=-1), 1)
    soprano_steps = surprisal[0, 0, 0]  # its soprano goes from C up a tone
    assert soprano_steps[SAME + 2] < soprano_steps[SAME + 1]


def test_the_table_holds_what_was_fitted() -> None:
    """The written module holds the numbers to half a unit."""
    surprisal = fit(tiny_corpus())
    module = ast.parse(table_text(surprisal))
    text = next(node.value for node in module.body if isinstance(node, ast.Assign))
    assert isinstance(text, ast.Constant)
    units = np.frombuffer(base64.b64decode(str(text.value)), dtype=np.uint8)
    expected = np.minimum(surprisal.ravel(), 255 * NATS_A_UNIT)
    assert units * NATS_A_UNIT == pytest.approx(expected, abs=NATS_A_UNIT / 2 + 1e-9)
