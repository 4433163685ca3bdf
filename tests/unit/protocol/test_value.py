"""The registry of values that are sent between processes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest

from improviser import protocol
from improviser.protocol.value import KINDS, Event


def test_each_kind_can_be_imported_from_the_package() -> None:
    """The package exports every kind."""
    kinds = {kind.__name__ for kind in KINDS.values()}
    assert kinds <= set(protocol.__all__)
    assert all(getattr(protocol, kind.__name__) is kind for kind in KINDS.values())


def test_a_name_stands_for_one_kind() -> None:
    """Two kinds with the same name raise an error."""
    with pytest.raises(TypeError, match="two kinds of values are called 'heard': Heard, Again"):

        @dataclass(frozen=True)
        class Again(Event):
            """Another kind of that name."""

            event: ClassVar[str] = "heard"
