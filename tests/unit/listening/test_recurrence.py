"""How many bars ago the player played the same."""

from __future__ import annotations

from improviser.listening.line import HOLD, REST
from improviser.listening.recurrence import MEMORY_BARS, Recurrence

BAR = 4
SCALE, TURN = [60, 62, 64, 65], [67, 65, 64, 62]


def after(*bars: list[int], first: int = 0) -> Recurrence:
    """Return what is found after some bars of four steps."""
    recurrence = Recurrence(BAR)
    for step, event in enumerate((event for bar in bars for event in bar), first):
        recurrence.push(step, event)
    return recurrence


def test_three_onsets_at_their_places_are_found() -> None:
    """The third onset in a row that was the same two bars ago tells so; two are too few."""
    assert 0 == after(SCALE, TURN, SCALE[:2]).bars
    found = after(SCALE, TURN, SCALE[:3])
    assert (2, 2 * BAR) == (found.bars, found.steps)


def test_another_place_in_the_bar_is_no_recurrence() -> None:
    """The same notes two steps later are not the same."""
    assert 0 == after(SCALE, [REST, REST, *SCALE[:2]], [*SCALE[2:], REST, REST]).bars


def test_a_varied_note_does_not_end_a_long_recurrence() -> None:
    """After eight onsets one that differs, or is left out, is forgiven when two more are the same; at the start not."""
    tune = [SCALE, TURN, TURN[::-1], SCALE]
    for varied in (72, HOLD):
        assert 4 == after(*tune, *tune[:3], [60, varied, 64, 65]).bars
    assert 0 == after(*tune, [60, 72, 64, REST]).bars


def test_what_was_heard_long_ago_or_before_a_jump_is_forgotten() -> None:
    """The memory ends after 64 bars; a jump and other bars clear it."""
    rests = [[REST] * BAR] * (MEMORY_BARS - 1)
    assert MEMORY_BARS == after(SCALE, *rests, SCALE).bars
    assert 0 == after(SCALE, *rests, [REST] * BAR, SCALE).bars
    jumped = after(SCALE)
    for step, event in enumerate(SCALE, 2 * BAR):
        jumped.push(step, event)
    assert 0 == jumped.bars
    other = after(SCALE, SCALE)
    assert 1 == other.bars
    other.set_bar(3)
    assert 0 == other.bars
