"""The memory through which weights are passed, complete or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from improviser.errors import ImproviserError
from improviser.ipc import sequence_lock
from improviser.ipc import weight_mailbox as exchange
from improviser.ipc.weight_mailbox import CAPACITY, WeightMailbox


@pytest.fixture
def made() -> Iterator[WeightMailbox]:
    """The writer's side, removed afterwards."""
    one = WeightMailbox.make()
    yield one
    one.close()
    one.remove()


def test_the_last_two_sets_are_there(made: WeightMailbox) -> None:
    """The reader finds the last two sets of weights, and no older or later ones."""
    reader = WeightMailbox(made.path)
    assert reader.read(1) is None
    for number, data in ((1, b"one"), (2, b"two" * 1000), (3, b"")):
        made.write(number, data)
    assert [None, b"two" * 1000, b"", None] == [reader.read(number) for number in (1, 2, 3, 4)]
    reader.close()


def test_half_a_set_is_none(made: WeightMailbox) -> None:
    """Weights with changed bytes, or whose writing was interrupted, are not returned."""
    made.write(1, b"some weights")
    memory = made._memory  # noqa: SLF001 - is damaged on purpose
    start = bytes(memory[:]).index(b"some weights")
    memory[start] = ord("S")
    assert made.read(1) is None
    made.write(1, b"some weights")
    memory[start - sequence_lock._HEAD.size] = 7  # noqa: SLF001 - the number before it
    assert made.read(1) is None


def test_a_set_that_is_too_large_is_refused(made: WeightMailbox) -> None:
    """Weights of the maximum size are accepted, and larger ones are refused."""
    made.write(1, b"x" * CAPACITY)
    assert b"x" * CAPACITY == made.read(1)
    with pytest.raises(ValueError, match="too many"):
        made.write(2, b"x" * (CAPACITY + 1))


def test_the_pulse_shows_who_is_awake(made: WeightMailbox) -> None:
    """The heartbeat changes with each beat, and at no other time."""
    pulses = [made.pulse()]
    for _ in range(300):
        made.beat()
        pulses.append(made.pulse())
    assert all(one != other for one, other in pairwise(pulses))
    assert made.pulse() == made.pulse()


def test_where_there_is_no_memory_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong path, a file that is too small, and memory that cannot be created are errors."""
    (tmp_path / "small").write_bytes(b"x")
    for name in ("none", "small"):
        with pytest.raises(ImproviserError, match="learning is off"):
            WeightMailbox(tmp_path / name)
    monkeypatch.setattr(exchange, "_SHARED", tmp_path)
    inside = WeightMailbox.make()
    assert tmp_path == inside.path.parent
    inside.remove()
    inside.remove()
    assert not inside.path.exists()
    inside.close()

    def full(*_: object, **__: object) -> None:
        """Raise as on a full disk."""
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.mkstemp", full)
    with pytest.raises(ImproviserError, match="No space left"):
        WeightMailbox.make()
