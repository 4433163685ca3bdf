"""A choice of some of many, evenly spread and the same each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

ItemT = TypeVar("ItemT")


def evenly(items: Sequence[ItemT], count: int) -> list[ItemT]:
    """Return about `count` of the items, evenly spread, the first and the last among them."""
    chosen = np.linspace(0, len(items) - 1, min(count, len(items))).round().astype(int)
    return [items[index] for index in chosen]
