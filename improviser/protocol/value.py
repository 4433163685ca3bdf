"""What crosses between processes: values that are lines of JSON, each kind registered under its name."""

from __future__ import annotations

from typing import ClassVar, Final

# The kinds of values by the name that a line of JSON has under `event`, in the order in which they are defined.
KINDS: Final[dict[str, type[Value]]] = {}


class Value:
    """A frozen dataclass that crosses between processes. A subclass with a name in `event` is registered."""

    __slots__ = ()
    event: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Register a kind; the class that `slots=True` makes anew takes the place of the first."""
        if "event" in vars(cls):
            before = KINDS.get(cls.event)
            if before is not None and before.__qualname__ != cls.__qualname__:
                raise TypeError(f"two kinds of values are called {cls.event!r}: {before.__name__}, {cls.__name__}")
            KINDS[cls.event] = cls


class Event(Value):
    """What the performer, or a process beside it, reports."""

    __slots__ = ()


class Command(Value):
    """What the performer is told while it plays."""

    __slots__ = ()


class Steer(Command):
    """A command that the player and other programs may give."""

    __slots__ = ()


class StartSettings(Value):
    """What a process is told before it begins."""

    __slots__ = ()
