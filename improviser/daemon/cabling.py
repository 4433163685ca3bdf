"""What the beat does when ports go, come or are exchanged: keys are lifted, notes end, it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.control import Event, Notice, Offered, PortChanged, Refused, Routed, Warned
from improviser.daemon.inbox import NotRouted, PortFound, PortLost, PortMatter, PortsSeen, Rerouted
from improviser.errors import PortError

if TYPE_CHECKING:
    from collections.abc import Callable

    from improviser.daemon.hearing import Hearing
    from improviser.daemon.steady import SteadyOutput
    from improviser.daemon.voice import Voice
    from improviser.engine import Engine


class Cabling:
    """Keeps hearing and voice in order with the ports.

    Threads: the performer's beat only.
    """

    def __init__(
        self, output: SteadyOutput, hearing: Hearing, voice: Voice, tell: Callable[[Event], None]
    ) -> None:
        """Play on `output`."""
        self._output, self._hearing, self._voice, self._tell = output, hearing, voice, tell

    def take(self, matter: PortMatter, engine: Engine, at_s: float) -> None:
        """Do what has become of a port. Raises PortError where our own output is gone."""
        match matter:
            case PortLost():
                self._lose(matter, engine, at_s)
            case Rerouted():
                self._reroute(matter, engine, at_s)
            case PortsSeen(inputs, outputs):
                self._tell(Offered(inputs, outputs))
            case NotRouted(fault):
                self._tell(Refused("ports", f"{fault}; the ports stay as they were"))
            case PortFound(name, is_output):
                self._tell(PortChanged(name, is_output, is_there=True))
                self._tell(Notice(f"'{name}' is {'played on again' if is_output else 'listened to now'}"))

    def _lose(self, lost: PortLost, engine: Engine, at_s: float) -> None:
        """Go on without a port, its keys lifted; without our own output there is nothing to go on with."""
        if lost.is_output and not lost.may_return:
            raise PortError(f"the MIDI system is gone, and the port '{lost.name}' with it")
        if lost.is_output:
            self._voice.silence(engine, self._tell)
        else:
            self._lift(lost.name, engine, at_s)
        self._tell(PortChanged(lost.name, lost.is_output, is_there=False))
        gone = f"the {'output' if lost.is_output else 'input'} '{lost.name}' is gone"
        self._tell(Warned(f"{gone}; it is used again when it is back"))

    def _reroute(self, rerouted: Rerouted, engine: Engine, at_s: float) -> None:
        """Listen and play on other ports; what sounds on the one before ends there."""
        for name in rerouted.left:
            self._lift(name, engine, at_s)
        if rerouted.output is not None:
            self._voice.silence(engine, self._tell)
            self._output.exchange(rerouted.output, is_ours=rerouted.is_ours)
        route, output = rerouted.route, self._output
        ports = {"in": rerouted.inputs, "out": (output.name,)}
        self._tell(Routed((route.input, route.output), ports, output.name, output.is_ours))

    def _lift(self, port: str, engine: Engine, at_s: float) -> None:
        """Lift the keys of an input."""
        self._hearing.let_go(engine, at_s, port=port)
        self._voice.let_go(port)
