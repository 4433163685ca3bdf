"""The values that are sent between processes."""

from __future__ import annotations

import json

import pytest

from improviser.protocol import (
    Act,
    Action,
    Controlled,
    Failed,
    Heard,
    Lifted,
    Notice,
    PerformerSettings,
    Played,
    PlayerUse,
    PortSettings,
    Ready,
    Released,
    Stop,
    Summary,
    Value,
    Warned,
    line_to_value,
    value_to_json,
    value_to_line,
)

VALUES: list[Value] = [
    PortSettings("jack", "Keys", None, PlayerUse.WHEN_ALONE, shared_state=5),
    PerformerSettings("chorale", "m.safetensors", {"tempo_bpm": 88.0, "meter": (3, 4)}, bars=8, seed=1),
    Stop(),
    Act(Action.PANIC),
    Ready("jack", {"in": ("A",)}, "x", 1, 88.0, realtime=True, player=None, sends_on="C", is_virtual=True),
    Notice("é"),
    Warned("w"),
    Heard(1.5, 0, 60, 80, "A"),
    Lifted(2.5, 0, 60, "A"),
    Controlled(2.5, (0xB0, 64, 127), "A"),
    Played(1.5, 1.500123, 0, 60, 80, 4.0, "C", "Am7", {"harmony": 0.5}),
    Released(1.5, 1.500123, 0, 60),
    Failed("f", 2),
    Summary(1, 2, onset_error_ms={"p50": 0.1}, start_s=1.0),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.event)
def test_every_value_survives_a_line(value: Value) -> None:
    """A value is unchanged after JSON, and its line is a single line."""
    line = value_to_line(value)
    assert value == line_to_value(line)
    assert 1 == line.count("\n")


@pytest.mark.parametrize("value", VALUES, ids=lambda value: value.event)
def test_every_line_says_its_kind_first(value: Value) -> None:
    """The key `event` names the kind, and comes first."""
    assert ("event", value.event) == next(iter(json.loads(value_to_line(value)).items()))


def test_kinds_have_names_of_their_own() -> None:
    """No two kinds of values have the same name."""
    names = [value.event for value in VALUES]
    assert sorted(set(names)) == sorted(names)


def test_the_players_use_is_one_again() -> None:
    """An enum value from JSON is equal to the one that was sent."""
    settings = line_to_value(value_to_line(PortSettings(player=PlayerUse.ALWAYS)))
    assert isinstance(settings, PortSettings)
    assert settings.player is PlayerUse.ALWAYS


def test_numbers_are_short() -> None:
    """Floats have six digits and no zero is negative, also in rewards."""
    values = value_to_json(Played(1.23456789, 2.0, 0, 60, 80, 0.0, "C", None, {"a": -0.0, "b": 1 / 3}))
    assert (1.234568, '{"a": 0.0, "b": 0.333333}') == (values["due_s"], json.dumps(values["rewards"]))


@pytest.mark.parametrize("line", ["", "{}", "[]", "null", '{"event": "nothing"}', '{"event": "heard"}', "\x00"])
def test_other_lines_are_an_error(line: str) -> None:
    """A line that is no value raises ValueError with the line's beginning."""
    with pytest.raises(ValueError, match="no value"):
        line_to_value(line)


def test_an_unknown_use_of_the_player_is_an_error() -> None:
    """An unknown use of the player is refused."""
    with pytest.raises(ValueError, match="sometimes"):
        line_to_value('{"event": "ports", "player": "sometimes"}')


def test_a_journal_of_an_earlier_version_is_read() -> None:
    """Its settings call the mailbox an exchange."""
    line = '{"event": "settings", "preset": "p", "model": "m", "engine": {}, "exchange": "memory"}'
    settings = line_to_value(line)
    assert isinstance(settings, PerformerSettings)
    assert "memory" == settings.mailbox
