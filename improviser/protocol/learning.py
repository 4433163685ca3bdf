"""The events of the performer and the learner about what is learned."""

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
        at_s: The moment of the feedback.
        liked: Whether it was a like.
        taste: The preferences learned so far: weights by the names of features, as added to values of actions.
        words: The same preferences in words.
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
        number: Number of the set; 0: the original model.
        path: See the command Adopt; empty if the number is 0.
        digest: See the command Adopt; empty if the number is 0.
        is_back: Whether this goes back to older weights, because later ones were undone.
        undone: How often learning was undone so far.
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
        lived: Transitions from this jam that are still in memory.
        reward: The mean reward of the last steps.
        accepted: Whether the set is offered; it is used from a bar line on.
        number: Number of the set that was offered last; 0: none yet.
        words: The result of the test in words.
        kept: The reward beside held-out players, as a share of the original model's reward.
        gain: The gain in reward beside this player over the weights in use, as a share.
        drift: The distance from the original model, in nats.
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
