"""Opens what a performance needs: the MIDI system, the output, the inputs and the built-in player's port."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.performer.inbox import PortLost
from improviser.performer.ports.reconnecting_output import ReconnectingOutput
from improviser.ports import AUTO, LOOPBACK, open_backend
from improviser.ports.base import PLAYER_PORT
from improviser.ports.name import is_match, is_own, is_through, match_names, own_ports, plain_name
from improviser.ports.patience import within
from improviser.protocol import Notice, PlayerUse, PortSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.performer.inbox import Inbox
    from improviser.ports.base import Backend, InputPort, OutputPort, Port
    from improviser.protocol import Event

# If there is nobody else to listen to, the built-in player waits this long for others to begin.
GRACE_S: Final = 4.0
# The last messages have to leave before the port closes: two periods of a slow audio server, and some more.
LINGER_S: Final = 0.25
# A server takes up to this long to notice that a client was killed. JACK's synchronous mode needs over two seconds.
TWIN_S: Final = 3.0
# Less than the time after which the supervisor kills the performer. Ports close within 0.3 s.
CLOSING_S: Final = 2.0
# A MIDI system that is known to be gone will hardly answer.
GONE_S: Final = 0.3
_LOOK_EVERY_S: Final = 0.02
# A plain jackd shows no ALSA keyboards.
_UNSEEN: Final = "; where JACK doesn't show your keyboard, run a2jmidid -e beside it or use --backend alsa"


@dataclass(slots=True)
class OpenPorts:
    """The open ports of a performance.

    Attributes:
        backend: The MIDI system.
        output: The port that the improviser plays on.
        player: When the built-in player plays.
        shared_state: File descriptor of the memory that records which notes sound; None if there is no such memory.
        settings: The requested ports.
        inputs: The inputs that are open.
        player_output: The port that the built-in player plays on; None if it does not play.
        virtual_input: Name of the input that other programs can play to; None if there is none.
        looped: Inputs on which our own output came back, so they are not opened.
    """

    backend: Backend
    output: ReconnectingOutput
    player: PlayerUse
    shared_state: int | None = None
    settings: PortSettings = field(default_factory=PortSettings)
    inputs: list[InputPort] = field(default_factory=list)
    player_output: OutputPort | None = None
    virtual_input: str | None = None
    looped: set[str] = field(default_factory=set)

    @property
    def is_virtual(self) -> bool:
        """Whether the improviser created `output`."""
        return self.output.is_ours

    @property
    def is_alone(self) -> bool:
        """Whether the built-in player plays because there is nobody else, while somebody may still come."""
        is_waiting = self.player is PlayerUse.WHEN_ALONE and self.backend.name != LOOPBACK
        return is_waiting and self.player_output is not None

    @property
    def callback_faults(self) -> int:
        """The number of exceptions in the drivers' threads."""
        return sum(port.faults for port in self.inputs)

    def names(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the ports under "in" and "out"."""
        return {"in": tuple(port.name for port in self.inputs), "out": (self.output.name,)}

    def find_inputs(self, sources: Sequence[str]) -> tuple[str, ...]:
        """Return the names among `sources` that are to be listened to."""
        try:
            wanted = wanted_inputs(self.settings, sources)
        except PortError:  # no name matches now
            return ()
        return tuple(name for name in wanted if name not in self.looped)

    def may_leave(self, name: str) -> bool:
        """Return whether an input was opened without a request, so that it may be closed without one."""
        return self.settings.input_pattern is None and name != self.virtual_input

    def find_output(self, destinations: Sequence[str]) -> OutputPort:
        """Open the output that was requested by name, or raise PortError if it is not there."""
        return open_named(self.backend, self.settings.output_pattern or self.output.name, destinations)

    def close(self) -> None:
        """Close all ports, the output last, after the last messages had time to leave."""
        time.sleep(0.0 if self.backend.name == LOOPBACK else LINGER_S)
        ports: list[Port] = [*self.inputs, *([self.player_output] if self.player_output else []), self.output]
        for port in ports:
            port.close()
        self.backend.close()


class Opening:
    """Opens ports in the background, while the caller loads what takes as long.

    Threads: A thread of this class opens the ports. RtMidi releases the interpreter's lock while it waits for a server,
    so the caller goes on meanwhile.
    """

    def __init__(self, settings: PortSettings, inbox: Inbox, tell: Callable[[Event], None]) -> None:
        """Start to open what `settings` ask for."""
        self._ports: OpenPorts | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._open, args=(settings, inbox, tell), name="opening", daemon=True)
        self._thread.start()

    def result(self) -> OpenPorts:
        """Return the ports as soon as they are open, or raise PortError if they cannot be opened."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        if self._ports is None:
            raise PortError("the ports were not opened")
        return self._ports

    def close(self) -> bool:
        """Close the ports if they were opened. Return whether the MIDI system allowed that in time.

        A MIDI system that stands still blocks every call. Then the operating system closes the ports when the process
        ends.
        """
        ports = self._ports
        has_gone = ports is not None and not ports.backend.answers()
        try:
            within(GONE_S if has_gone else CLOSING_S, self._close, "at closing")
        except PortError:
            return False
        return True

    def _close(self) -> None:
        """Close the ports as soon as they are open."""
        self._thread.join()
        if self._ports is not None:
            self._ports.close()

    def _open(self, settings: PortSettings, inbox: Inbox, tell: Callable[[Event], None]) -> None:
        """Open the ports, and keep an exception for the caller."""
        try:
            self._ports = open_ports(settings, inbox, tell)
        except SystemExit as error:  # SystemExit would end the thread without a message
            self._error = PortError(f"a MIDI library ended the program ({error}); reinstall improviser")
        except Exception as error:  # noqa: BLE001 - `result` raises it again
            self._error = error


def open_ports(settings: PortSettings, inbox: Inbox, tell: Callable[[Event], None]) -> OpenPorts:
    """Open what `settings` ask for.

    Raises:
        PortError: A port or the MIDI system is not there. The message names what is there, or how to get it.
    """
    backend = _open_backend(settings, tell)
    backend.notify(inbox.put)
    sources = backend.input_names()
    wanted = wanted_inputs(settings, sources)
    _refuse_twin(settings, backend)
    ports = OpenPorts(
        backend=backend,
        output=_open_output(settings, backend, inbox),
        player=settings.player,
        shared_state=settings.shared_state,
        settings=settings,
    )
    if _wants_virtual_input(settings):
        name = own_ports(settings.jam)[0]
        virtual = backend.open_virtual_input(name, inbox.hears(name))
        ports.inputs.append(virtual)
        ports.virtual_input = virtual.name  # on Windows the name of a loopback port
    ports.inputs += [backend.open_input(name, inbox.hears(name)) for name in wanted]
    if _wants_player(settings, wanted):
        ports.player_output = _open_player_output(backend, own_ports(settings.jam)[0])
    return ports


def alone_notice(ports: OpenPorts) -> Notice | None:
    """Return the notice for a user whose instrument was not found, or None if the built-in player is not needed."""
    if not ports.is_alone:
        return None
    own = own_ports(ports.settings.jam)[0]
    return Notice(
        f"no MIDI input is connected. The built-in player starts in {GRACE_S:g} s, and stops when somebody "
        f"plays on '{own}'. To play yourself, connect a keyboard and start again; to wait for another "
        f"program, use --in '{own}'{_UNSEEN if ports.backend.name == 'jack' else ''}"
    )


def _open_backend(settings: PortSettings, tell: Callable[[Event], None]) -> Backend:
    """Open the MIDI system. If there is none and no port was requested, use the loopback for the built-in player."""
    try:
        return open_backend(settings.backend)
    except PortError as error:
        asks = settings.input_pattern is not None or settings.output_pattern is not None
        if settings.backend != AUTO or asks or settings.player is PlayerUse.NEVER:
            raise
        tell(Notice(f"{error}. Until then the built-in player plays inside this program"))
        return open_backend(LOOPBACK)


def _refuse_twin(settings: PortSettings, backend: Backend) -> None:
    """Raise PortError if another improviser has created the port that this one would create.

    A killed improviser gets a moment until its port is gone.
    """
    give_up_s, (_, output) = time.monotonic() + TWIN_S, own_ports(settings.jam)
    while settings.output_pattern is None and any(_is_called(name, output) for name in backend.input_names()):
        if time.monotonic() > give_up_s:
            raise PortError(
                f"another jam is running: the port '{output}' exists. End it, or give this one a name of its own, and "
                "so ports: --name NAME"
            )
        time.sleep(_LOOK_EVERY_S)


def _is_called(name: str, port: str) -> bool:
    """Return whether a listed name is that of a virtual port."""
    return plain_name(name).rpartition(":")[2] == port


def _open_output(settings: PortSettings, backend: Backend, inbox: Inbox) -> ReconnectingOutput:
    """Open the port that the improviser plays on."""

    def lost(name: str) -> None:
        """Report that the output has gone."""
        inbox.put(PortLost(name, is_output=True, may_return=True))

    pattern = settings.output_pattern
    if pattern is None:
        return ReconnectingOutput(backend.open_virtual_output(own_ports(settings.jam)[1]), lost, is_ours=True)
    return ReconnectingOutput(open_named(backend, pattern, backend.output_names()), lost)


def open_named(backend: Backend, pattern: str, destinations: Sequence[str]) -> OutputPort:
    """Open the output that matches a pattern, or raise PortError if none does."""
    return backend.open_output(match_names(pattern, destinations, "output")[0])


def wanted_inputs(settings: PortSettings, sources: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the inputs to open: never our own, and by default none that repeats others."""
    foreign = tuple(name for name in sources if not is_own(name) and not _is_excluded(name, settings))
    if settings.player is PlayerUse.ALWAYS:
        return ()
    if settings.input_pattern is None:
        return tuple(name for name in foreign if not is_through(name))
    if is_match(settings.input_pattern, own_ports(settings.jam)[0]):
        return tuple(name for name in foreign if is_match(settings.input_pattern, name))
    return match_names(settings.input_pattern, foreign, "input")


def _is_excluded(name: str, settings: PortSettings) -> bool:
    """Return whether an input must not be listened to."""
    return any(is_match(pattern, name) for pattern in settings.excluded_inputs)


def _wants_virtual_input(settings: PortSettings) -> bool:
    """Return whether other programs can play to the improviser."""
    pattern = settings.input_pattern
    return pattern is None or settings.player is PlayerUse.ALWAYS or is_match(pattern, own_ports(settings.jam)[0])


def _wants_player(settings: PortSettings, inputs: Sequence[str]) -> bool:
    """Return whether the built-in player plays."""
    if settings.player is PlayerUse.WHEN_ALONE:
        return not inputs and settings.input_pattern is None
    return settings.player is PlayerUse.ALWAYS


def _open_player_output(backend: Backend, own: str) -> OutputPort:
    """Open our own virtual input for the built-in player, as any other program would."""
    names = [name for name in backend.output_names() if own in name]
    if not names:  # on Windows, the loopback port that replaces it
        raise PortError("the built-in player found no port to play on; see: improviser ports")
    return backend.open_output(names[-1], PLAYER_PORT)
