"""The values that processes exchange as lines of JSON. Each kind is registered under its name."""

from __future__ import annotations

from typing import ClassVar, Final

# The kinds of values by their name, which a line of JSON has under `event`; in the order of their definition.
KINDS: Final[dict[str, type[Value]]] = {}


class Value:
    """A frozen dataclass that processes exchange. A subclass with a name in `event` is registered."""

    __slots__ = ()
    event: ClassVar[str]

    def __init_subclass__(cls) -> None:
        """Register a kind; the second class that `slots=True` creates replaces the first one."""
        if "event" in vars(cls):
            before = KINDS.get(cls.event)
            if before is not None and before.__qualname__ != cls.__qualname__:
                raise TypeError(f"two kinds of values are called {cls.event!r}: {before.__name__}, {cls.__name__}")
            KINDS[cls.event] = cls


class Event(Value):
    """A report of the performer, or of a process beside it."""

    __slots__ = ()


class Command(Value):
    """A command that the performer gets while it plays."""

    __slots__ = ()


class Steer(Command):
    """A command that the player and other programs may send."""

    __slots__ = ()


class StartSettings(Value):
    """Settings that a process gets before it begins."""

    __slots__ = ()
