"""Opening what a performance needs: the MIDI system, the output, the inputs, the built-in player's port."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from improviser.control import Notice, PerformerSettings, PlayerUse
from improviser.daemon.player import BuiltInPlayer
from improviser.daemon.stand_in import StandIn
from improviser.daemon.tunes import DEFAULT_TUNE, find_tune
from improviser.errors import PortError
from improviser.ports import AUTO, LOOPBACK, open_backend
from improviser.ports.base import PLAYER_PORT, VIRTUAL_INPUT, VIRTUAL_OUTPUT
from improviser.ports.name import is_match, is_own, is_through, match_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.control import Event
    from improviser.daemon.inbox import Inbox
    from improviser.ports.base import Backend, InputPort, OutputPort, Port

# A demo begins at once; with nobody else to listen to, others have so much time to come in first.
PROMPT_S: Final = 0.2
GRACE_S: Final = 4.0
# What was sent last has to leave before the port does: two periods of a slow audio server, and some.
LINGER_S: Final = 0.25


@dataclass(slots=True)
class OpenPorts:
    """The open ports of a performance.

    Attributes:
        backend: The MIDI system.
        output: Where the improviser plays.
        is_virtual: Whether `output` is a port of our own making.
        inputs: What is listened to.
        player_output: Where the built-in player plays, None where it does not.
    """

    backend: Backend
    output: OutputPort
    is_virtual: bool
    inputs: list[InputPort] = field(default_factory=list)
    player_output: OutputPort | None = None

    @property
    def callback_faults(self) -> int:
        """Exceptions in the drivers' threads."""
        return sum(port.faults for port in self.inputs)

    def names(self) -> dict[str, tuple[str, ...]]:
        """Give the names of the ports under "in" and "out"."""
        return {"in": tuple(port.name for port in self.inputs), "out": (self.output.name,)}

    def close(self) -> None:
        """Close all, the output last, after what was sent had time to leave."""
        time.sleep(0.0 if self.backend.name == LOOPBACK else LINGER_S)
        ports: list[Port] = [*self.inputs, *([self.player_output] if self.player_output else []), self.output]
        for port in ports:
            port.close()
        self.backend.close()


def open_ports(settings: PerformerSettings, inbox: Inbox, tell: Callable[[Event], None]) -> OpenPorts:
    """Open what `settings` ask for.

    Raises:
        PortError: A port or the MIDI system is not there; the text names what is, or how to get it.
    """
    backend = _open_backend(settings, tell)
    sources = backend.input_names()
    wanted = _wanted_inputs(settings, sources)
    if settings.output_pattern is None:
        ports = OpenPorts(backend, backend.open_virtual_output(VIRTUAL_OUTPUT), is_virtual=True)
    else:
        name = match_names(settings.output_pattern, backend.output_names(), "output")[0]
        ports = OpenPorts(backend, backend.open_output(name), is_virtual=False)
    if _wants_virtual_input(settings):
        ports.inputs.append(backend.open_virtual_input(VIRTUAL_INPUT, inbox.hears(VIRTUAL_INPUT)))
    ports.inputs += [backend.open_input(name, inbox.hears(name)) for name in wanted]
    if _wants_player(settings, wanted):
        ports.player_output = _open_player_output(backend)
    return ports


def new_stand_in(settings: PerformerSettings, ports: OpenPorts, at_s: float) -> StandIn | None:
    """Give the built-in player on its open port, None where it does not play."""
    if ports.player_output is None:
        return None
    player = BuiltInPlayer(
        find_tune(settings.tune or DEFAULT_TUNE),
        settings.engine["tempo_bpm"],
        repeats=settings.bars is not None,
    )
    yields = settings.player is PlayerUse.WHEN_ALONE and ports.backend.name != LOOPBACK
    return StandIn(player, ports.player_output, at_s + (GRACE_S if yields else PROMPT_S), yields=yields)


def alone_notice(settings: PerformerSettings, ports: OpenPorts) -> Notice | None:
    """Give what to tell somebody whose instrument was not found; None where that is not so."""
    if settings.player is not PlayerUse.WHEN_ALONE or ports.player_output is None:
        return None
    if ports.backend.name == LOOPBACK:
        return None
    return Notice(
        f"no MIDI input is connected: the built-in player begins in {GRACE_S:g} s, and leaves when somebody "
        f"else plays on '{VIRTUAL_INPUT}'; to play yourself, connect a keyboard and start again, or use "
        f"--in '{VIRTUAL_INPUT}' to wait for another program"
    )


def _open_backend(settings: PerformerSettings, tell: Callable[[Event], None]) -> Backend:
    """Open the MIDI system; without any, and nothing asked of it, the built-in player plays to itself."""
    try:
        return open_backend(settings.backend)
    except PortError as error:
        asks = settings.input_pattern is not None or settings.output_pattern is not None
        if settings.backend != AUTO or asks or settings.player is PlayerUse.NEVER:
            raise
        tell(Notice(f"{error}. Until then the built-in player jams inside this program"))
        return open_backend(LOOPBACK)


def _wanted_inputs(settings: PerformerSettings, sources: Sequence[str]) -> tuple[str, ...]:
    """Give the names of the inputs to open: never our own, by default none that repeats others."""
    foreign = tuple(name for name in sources if not is_own(name))
    if settings.player is PlayerUse.ALWAYS:
        return ()
    if settings.input_pattern is None:
        return tuple(name for name in foreign if not is_through(name))
    if is_match(settings.input_pattern, VIRTUAL_INPUT):
        return tuple(name for name in foreign if is_match(settings.input_pattern, name))
    return match_names(settings.input_pattern, foreign, "input")


def _wants_virtual_input(settings: PerformerSettings) -> bool:
    """Tell whether other programs shall be able to play to us."""
    pattern = settings.input_pattern
    return pattern is None or settings.player is PlayerUse.ALWAYS or is_match(pattern, VIRTUAL_INPUT)


def _wants_player(settings: PerformerSettings, inputs: Sequence[str]) -> bool:
    """Tell whether the built-in player plays."""
    if settings.player is PlayerUse.WHEN_ALONE:
        return not inputs and settings.input_pattern is None
    return settings.player is PlayerUse.ALWAYS


def _open_player_output(backend: Backend) -> OutputPort:
    """Open our own virtual input for the built-in player, as any other program would."""
    names = [name for name in backend.output_names() if VIRTUAL_INPUT in name]
    if not names:  # Windows: the loopback port that stands for it
        raise PortError("the built-in player finds no port to play to; see: improviser ports")
    return backend.open_output(names[-1], PLAYER_PORT)
