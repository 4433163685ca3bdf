"""Reacts to ports that go, appear or are exchanged: releases keys, ends notes and reports the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from improviser.errors import PortError
from improviser.performer.inbox import (
    BackendLost,
    LoopClosed,
    NotRouted,
    PortFound,
    PortLost,
    PortMatter,
    PortsSeen,
    Rerouted,
)
from improviser.performer.input.echo import LoopHeard
from improviser.ports.base import Disconnected
from improviser.protocol import Notice, Offered, PortChanged, Refused, Routed, Warned

if TYPE_CHECKING:
    from improviser.engine import Engine
    from improviser.performer.context import PerformerContext
    from improviser.performer.input.midi_input import MidiInput
    from improviser.performer.midi_output import MidiOutput


class PortRouter:
    """Keeps the MIDI input and the MIDI output in step with the ports.

    Threads: Only the performer's loop uses this class.
    """

    def __init__(self, midi_input: MidiInput, midi_output: MidiOutput, context: PerformerContext) -> None:
        """Keep `midi_input` and `midi_output` in step with the ports of `context`."""
        self._midi_input, self._midi_output = midi_input, midi_output
        self._output, self._tell, self._close_loop = context.output_path.output, context.tell, context.close_loop

    def reroute(self, matter: PortMatter, engine: Engine, at_s: float) -> None:
        """React to a change of ports. Raise PortError if our own output or the MIDI system has gone."""
        match matter:
            case BackendLost(name):
                raise PortError(f"the MIDI system ({name}) no longer answers")
            case PortLost():
                self._lose(matter, engine, at_s)
            case Disconnected(port):
                self._lift(port, engine, at_s)
            case LoopHeard() | LoopClosed():
                self._break_loop(matter, engine, at_s)
            case Rerouted():
                self._reroute(matter, engine, at_s)
            case _:
                self._report(matter)

    def _lose(self, lost: PortLost, engine: Engine, at_s: float) -> None:
        """Continue without a port, after releasing its keys. Raise PortError if our own output has gone."""
        if lost.is_output and not lost.may_return:
            raise PortError(f"the MIDI system is gone, and the port '{lost.name}' with it")
        if lost.is_output:
            self._midi_output.silence(engine)
        else:
            self._lift(lost.name, engine, at_s)
        self._tell(PortChanged(lost.name, lost.is_output, is_there=False))
        gone = f"the {'output' if lost.is_output else 'input'} '{lost.name}' is gone"
        self._tell(Warned(f"{gone}; it is used again when it returns"))

    def _reroute(self, rerouted: Rerouted, engine: Engine, at_s: float) -> None:
        """Switch to other ports. Notes that sound on the old output end there."""
        for name in rerouted.left:
            self._lift(name, engine, at_s)
        if rerouted.output is not None:
            self._midi_output.silence(engine)
            self._output.exchange(rerouted.output, is_ours=rerouted.is_ours)
        route, output = rerouted.route, self._output
        ports = {"in": rerouted.inputs, "out": (output.name,)}
        self._tell(Routed((route.input, route.output), ports, output.name, output.is_ours))

    def _break_loop(self, loop: LoopHeard | LoopClosed, engine: Engine, at_s: float) -> None:
        """Report that our own output comes back. Close the input if it surely is not a player's."""
        if isinstance(loop, LoopClosed):
            self._lift(loop.name, engine, at_s)
            self._tell(PortChanged(loop.name, is_output=False, is_there=False, may_return=False))
            self._tell(
                Warned(
                    f"'{loop.name}' returns improviser's notes and is no longer listened to. To listen to "
                    f"it anyway, start with: --in '{loop.name}'"
                )
            )
        elif loop.is_certain:
            self._close_loop(loop.port)
        else:
            self._tell(Warned(f"improviser's notes come back on '{loop.port}' and are ignored. Remove that connection"))

    def _lift(self, port: str, engine: Engine, at_s: float) -> None:
        """Release the keys of an input."""
        self._midi_input.lift(engine, at_s, port=port)
        self._midi_output.release_port(port)

    def _report(self, matter: PortsSeen | NotRouted | PortFound) -> None:
        """Report changes of ports that need no action."""
        match matter:
            case PortsSeen(inputs, outputs):
                self._tell(Offered(inputs, outputs))
            case NotRouted(fault):
                self._tell(Refused("ports", f"{fault}; the ports stay as they were"))
            case PortFound(name, is_output):
                self._tell(PortChanged(name, is_output, is_there=True))
                self._tell(Notice(f"'{name}' is {'used again' if is_output else 'listened to now'}"))
