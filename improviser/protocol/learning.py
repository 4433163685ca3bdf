"""What the performer and the learner tell of what is learned."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from improviser.protocol.value import Event

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Judged(Event):
    """The player liked or disliked what was played just before `at_s`.

    Attributes:
        at_s: When that was said.
        liked: Whether it was liked.
        taste: What was learned so far, by the names of traits, from -1 to 1.
        words: The same in words.
    """

    event: ClassVar[str] = "judged"
    at_s: float
    liked: bool
    taste: Mapping[str, float] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True, slots=True)
class Undone(Event):
    """The last like or all of them were taken back; the taste that is left."""

    event: ClassVar[str] = "undone"
    everything: bool
    taste: Mapping[str, float] = field(default_factory=dict)
    words: str = ""


@dataclass(frozen=True, slots=True)
class Tasted(Event):
    """A taste that was learned earlier was loaded."""

    event: ClassVar[str] = "tasted"
    taste: Mapping[str, float]
    words: str = ""


@dataclass(frozen=True, slots=True)
class Adopted(Event):
    """Other learned weights are used from the next step on.

    Attributes:
        number: Of the set; 0: the original model.
        path: See control.Adopt; so is digest. Both are empty where the number is 0.
        digest: See control.Adopt.
        is_back: Whether what was learned later was taken back for it.
        undone: How often something was taken back so far.
    """

    event: ClassVar[str] = "adopted"
    number: int
    path: str = ""
    digest: str = ""
    is_back: bool = False
    undone: int = 0


@dataclass(frozen=True, slots=True)
class Learned(Event):
    """New weights were tested.

    Attributes:
        updates: Updates so far.
        lived: Transitions that were lived through, as far as they are remembered.
        reward: The mean reward of the last steps.
        accepted: Whether the set is offered; it is played by from a bar line on.
        number: Of the set that was offered last, 0: none yet.
        words: What was found.
        kept: The reward beside held-out players, as a share of the model's.
        gain: How much more reward it has beside this player than what is played by now, as a share.
        drift: How far it is from the model, in nats.
    """

    event: ClassVar[str] = "learned"
    updates: int
    lived: int
    reward: float
    accepted: bool
    number: int
    words: str
    kept: float
    gain: float
    drift: float
