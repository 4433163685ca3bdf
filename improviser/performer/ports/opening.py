"""Opening what a performance needs: the MIDI system, the output, the inputs, the built-in player's port."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from improviser.errors import PortError
from improviser.performer.inbox import PortLost
from improviser.performer.ports.reconnecting_output import ReconnectingOutput
from improviser.ports import AUTO, LOOPBACK, open_backend
from improviser.ports.base import PLAYER_PORT, VIRTUAL_INPUT, VIRTUAL_OUTPUT
from improviser.ports.name import is_match, is_own, is_through, match_names, plain_name
from improviser.ports.patience import within
from improviser.protocol import Notice, PlayerUse, PortSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from improviser.performer.inbox import Inbox
    from improviser.ports.base import Backend, InputPort, OutputPort, Port
    from improviser.protocol import Event

# With nobody else to listen to, the built-in player leaves others so much time to come in first.
GRACE_S: Final = 4.0
# What was sent last has to leave before the port does: two periods of a slow audio server, and some.
LINGER_S: Final = 0.25
# A server takes so long to notice that a client was killed; in JACK's synchronous mode more than two seconds.
TWIN_S: Final = 3.0
# Less than what the supervisor waits before it kills; ports close within 0.3 s.
CLOSING_S: Final = 2.0
# From a MIDI system that is known to be gone nothing is to be expected.
GONE_S: Final = 0.3
_LOOK_EVERY_S: Final = 0.02
# A plain jackd shows no ALSA keyboards.
_UNSEEN: Final = "; where JACK doesn't show your keyboard, run a2jmidid -e beside it or use --backend alsa"


@dataclass(slots=True)
class OpenPorts:
    """The open ports of a performance.

    Attributes:
        backend: The MIDI system.
        output: Where the improviser plays.
        player: When the built-in player plays.
        shared_state: File descriptor of the memory in which what sounds is noted down; None: nowhere.
        settings: What was asked for.
        inputs: What is listened to.
        player_output: Where the built-in player plays, None where it does not.
        virtual_input: Name of the input that other programs can play to, None where there is none.
        looped: Inputs on which our own output came back: they are not listened to.
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
        """Whether `output` is a port of our own making."""
        return self.output.is_ours

    @property
    def is_alone(self) -> bool:
        """Whether the built-in player plays because there is nobody else, who may still come."""
        is_waiting = self.player is PlayerUse.WHEN_ALONE and self.backend.name != LOOPBACK
        return is_waiting and self.player_output is not None

    @property
    def callback_faults(self) -> int:
        """Exceptions in the drivers' threads."""
        return sum(port.faults for port in self.inputs)

    def names(self) -> dict[str, tuple[str, ...]]:
        """Return the names of the ports under "in" and "out"."""
        return {"in": tuple(port.name for port in self.inputs), "out": (self.output.name,)}

    def find_inputs(self, sources: Sequence[str]) -> tuple[str, ...]:
        """Return the names among `sources` that are meant to be listened to."""
        try:
            wanted = wanted_inputs(self.settings, sources)
        except PortError:  # none fits, now
            return ()
        return tuple(name for name in wanted if name not in self.looped)

    def may_leave(self, name: str) -> bool:
        """Return whether an input was opened unasked, so that it may be closed unasked."""
        return self.settings.input_pattern is None and name != self.virtual_input

    def find_output(self, destinations: Sequence[str]) -> OutputPort:
        """Open the output that was asked for by name. Raises PortError where it is not there."""
        return open_named(self.backend, self.settings.output_pattern or self.output.name, destinations)

    def close(self) -> None:
        """Close all, the output last, after what was sent had time to leave."""
        time.sleep(0.0 if self.backend.name == LOOPBACK else LINGER_S)
        ports: list[Port] = [*self.inputs, *([self.player_output] if self.player_output else []), self.output]
        for port in ports:
            port.close()
        self.backend.close()


class Opening:
    """Ports that are opened in a thread, while the caller loads what takes as long.

    Threads: RtMidi lets go of the interpreter while it waits for a server.
    """

    def __init__(self, settings: PortSettings, inbox: Inbox, tell: Callable[[Event], None]) -> None:
        """Begin to open what `settings` ask for."""
        self._ports: OpenPorts | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._open, args=(settings, inbox, tell), name="opening", daemon=True)
        self._thread.start()

    def result(self) -> OpenPorts:
        """Return the ports when they are open. Raises PortError where they cannot be opened."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        if self._ports is None:
            raise PortError("the ports were not opened")
        return self._ports

    def close(self) -> bool:
        """Close the ports, if they came to be open; return whether the MIDI system let that happen in time.

        One that stands still holds up whoever asks it anything; then the system's end of the process closes.
        """
        ports = self._ports
        has_gone = ports is not None and not ports.backend.answers()
        try:
            within(GONE_S if has_gone else CLOSING_S, self._close, "at closing")
        except PortError:
            return False
        return True

    def _close(self) -> None:
        """Close the ports when they are open."""
        self._thread.join()
        if self._ports is not None:
            self._ports.close()

    def _open(self, settings: PortSettings, inbox: Inbox, tell: Callable[[Event], None]) -> None:
        """Open the ports; keep what that raises for the caller."""
        try:
            self._ports = open_ports(settings, inbox, tell)
        except SystemExit as error:  # which ends a thread without a word
            self._error = PortError(f"a MIDI library ended the program ({error}); reinstall improviser")
        except Exception as error:  # noqa: BLE001 - raised again by `result`
            self._error = error


def open_ports(settings: PortSettings, inbox: Inbox, tell: Callable[[Event], None]) -> OpenPorts:
    """Open what `settings` ask for.

    Raises:
        PortError: A port or the MIDI system is not there; the text names what is, or how to get it.
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
        virtual = backend.open_virtual_input(VIRTUAL_INPUT, inbox.hears(VIRTUAL_INPUT))
        ports.inputs.append(virtual)
        ports.virtual_input = virtual.name  # on Windows that of a loopback port
    ports.inputs += [backend.open_input(name, inbox.hears(name)) for name in wanted]
    if _wants_player(settings, wanted):
        ports.player_output = _open_player_output(backend)
    return ports


def alone_notice(ports: OpenPorts) -> Notice | None:
    """Return what to tell somebody whose instrument was not found; None where that is not so."""
    if not ports.is_alone:
        return None
    return Notice(
        f"no MIDI input is connected. The built-in player starts in {GRACE_S:g} s, and stops when somebody "
        f"plays on '{VIRTUAL_INPUT}'. To play yourself, connect a keyboard and start again; to wait for another "
        f"program, use --in '{VIRTUAL_INPUT}'{_UNSEEN if ports.backend.name == 'jack' else ''}"
    )


def _open_backend(settings: PortSettings, tell: Callable[[Event], None]) -> Backend:
    """Open the MIDI system; without any, and nothing asked of it, the built-in player plays to itself."""
    try:
        return open_backend(settings.backend)
    except PortError as error:
        asks = settings.input_pattern is not None or settings.output_pattern is not None
        if settings.backend != AUTO or asks or settings.player is PlayerUse.NEVER:
            raise
        tell(Notice(f"{error}. Until then the built-in player plays inside this program"))
        return open_backend(LOOPBACK)


def _refuse_twin(settings: PortSettings, backend: Backend) -> None:
    """Raise PortError where another improviser has made the port that we would make.

    One that was killed has a moment to go.
    """
    give_up_s = time.monotonic() + TWIN_S
    while settings.output_pattern is None and any(map(_is_ours, backend.input_names())):
        if time.monotonic() > give_up_s:
            raise PortError(
                f"another jam is running: the port '{VIRTUAL_OUTPUT}' exists. End it, or use other ports: "
                "--out NAME --in NAME (see: improviser ports)"
            )
        time.sleep(_LOOK_EVERY_S)


def _is_ours(name: str) -> bool:
    """Return whether a port's name is that of an improviser's virtual output."""
    return plain_name(name).rpartition(":")[2] == VIRTUAL_OUTPUT


def _open_output(settings: PortSettings, backend: Backend, inbox: Inbox) -> ReconnectingOutput:
    """Open what the improviser plays on."""

    def lost(name: str) -> None:
        """Report that the output is gone."""
        inbox.put(PortLost(name, is_output=True, may_return=True))

    pattern = settings.output_pattern
    if pattern is None:
        return ReconnectingOutput(backend.open_virtual_output(VIRTUAL_OUTPUT), lost, is_ours=True)
    return ReconnectingOutput(open_named(backend, pattern, backend.output_names()), lost)


def open_named(backend: Backend, pattern: str, destinations: Sequence[str]) -> OutputPort:
    """Open the output that fits a pattern. Raises PortError where none does."""
    return backend.open_output(match_names(pattern, destinations, "output")[0])


def wanted_inputs(settings: PortSettings, sources: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the inputs to open: never our own, by default none that repeats others."""
    foreign = tuple(name for name in sources if not is_own(name) and not _is_excluded(name, settings))
    if settings.player is PlayerUse.ALWAYS:
        return ()
    if settings.input_pattern is None:
        return tuple(name for name in foreign if not is_through(name))
    if is_match(settings.input_pattern, VIRTUAL_INPUT):
        return tuple(name for name in foreign if is_match(settings.input_pattern, name))
    return match_names(settings.input_pattern, foreign, "input")


def _is_excluded(name: str, settings: PortSettings) -> bool:
    """Return whether an input is one that shall not be listened to."""
    return any(is_match(pattern, name) for pattern in settings.excluded_inputs)


def _wants_virtual_input(settings: PortSettings) -> bool:
    """Return whether other programs shall be able to play to us."""
    pattern = settings.input_pattern
    return pattern is None or settings.player is PlayerUse.ALWAYS or is_match(pattern, VIRTUAL_INPUT)


def _wants_player(settings: PortSettings, inputs: Sequence[str]) -> bool:
    """Return whether the built-in player plays."""
    if settings.player is PlayerUse.WHEN_ALONE:
        return not inputs and settings.input_pattern is None
    return settings.player is PlayerUse.ALWAYS


def _open_player_output(backend: Backend) -> OutputPort:
    """Open our own virtual input for the built-in player, as any other program would."""
    names = [name for name in backend.output_names() if VIRTUAL_INPUT in name]
    if not names:  # Windows: the loopback port that stands for it
        raise PortError("the built-in player found no port to play on; see: improviser ports")
    return backend.open_output(names[-1], PLAYER_PORT)
