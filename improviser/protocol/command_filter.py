"""Limits commands to the rate at which hands can send them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from improviser.protocol.commands import Act, Action, Choose, CountIn, Lock, Route, SetMode, SetOffset, SetTiming
from improviser.protocol.rate_limit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.protocol.value import Command

# Nobody presses more often: taps at the fastest tempo come seven times a second.
PRESSES_A_SECOND: Final = 20.0
# Commands that are counted; a knob sends many.
_COUNTED: Final = (Act, Choose, CountIn, Lock, Route, SetMode, SetOffset, SetTiming)


class CommandFilter:
    """Passes commands on; drops and counts presses and choices that come faster than hands can send them.

    PANIC always passes.

    Threads: any.
    """

    def __init__(self, obey: Callable[[Command], None], ignored: Callable[[], None]) -> None:
        """Pass commands on to `obey`, and call `ignored` for each command that is dropped."""
        self._obey, self._ignored = obey, ignored
        self._rate = RateLimit(PRESSES_A_SECOND)

    def __call__(self, command: Command) -> None:
        """Pass on a command, unless it exceeds the rate limit."""
        is_panic = isinstance(command, Act) and command.action is Action.PANIC
        is_counted = isinstance(command, _COUNTED) and not is_panic
        if not is_counted or self._rate.allows():
            self._obey(command)
        else:
            self._ignored()
