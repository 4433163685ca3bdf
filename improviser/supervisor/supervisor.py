"""Starts the performer, hears its events, hands it commands, and cleans up behind it, however it ends.

A performer that dies, hangs or loses the MIDI system while it plays is replaced: its notes are released,
another one takes its ports, its connections and its place in the bar, and the music goes on.
"""

from __future__ import annotations

import queue
import signal
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from improviser.errors import ImproviserError
from improviser.ipc.child_process import ChildProcess
from improviser.ipc.launch import launch_ahead
from improviser.protocol import (
    Act,
    Action,
    Command,
    Event,
    Failed,
    Notice,
    PerformerSettings,
    PortSettings,
    Ready,
    Stop,
    Summary,
    Warned,
    line_to_value,
    value_to_line,
)
from improviser.supervisor import rescue
from improviser.supervisor.connections import Connections
from improviser.supervisor.state import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from improviser.ipc.shared_state import JamPosition

_SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
PANIC_SIGNAL: Final = "SIGUSR1"
# A performer that was asked to stop needs about 0.3 s; one that takes so long hangs.
PATIENCE_S: Final = 3.0
# One that has said its summary only closes its ports, which a busy MIDI system may hold up.
CLOSING_S: Final = 10.0
# The beat wakes twice a second at least; one whose heart stands still for so long hangs.
STILL_S: Final = 2.0
# One that dies so often within a minute is not started again: something is wrong that no restart mends.
RESTARTS_MAX: Final = 5
_RESTARTS_S: Final = 60.0
# So long it is waited for a MIDI system that is gone, as one that is started anew; looked for so often.
RETURN_S: Final = 60.0
RETRY_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.25


class Supervisor:
    """A performer in a process of its own.

    The process is started first of all, so that it loads its libraries while the caller reads presets. Use it
    as a context; on the way out the performer is ended and its notes are released.

    Attributes:
        state: How the jam stands.

    Threads: the main thread, since signals are taken here; `tell`, `warn` and `insert` may be called in any.
    """

    def __init__(self) -> None:
        """Take the process that was started ahead, or start one; it waits for its settings."""
        self._connections = Connections()
        self.state = State(heard_by=lambda: self._connections.listeners)
        self._process = ChildProcess()
        self._ports: PortSettings | None = None
        self._begin()
        self._resume: JamPosition | None = None
        # When it was first replaced, with none that has played since.
        self._missed_s: float | None = None
        self._restarts: list[float] = []
        self._asked_s: float | None = None
        self._is_closed = False
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Self:
        """Take the signals that end a process, which end the music first, and the one for a panic."""
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                self._handlers[number] = signal.signal(number, self._interrupted)
        if hasattr(signal, PANIC_SIGNAL):  # not on Windows
            number = signal.Signals[PANIC_SIGNAL]
            self._handlers[number] = signal.signal(number, lambda *_: self.panic())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the performer, where it has not ended, and return the signals back."""
        self.close()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # what signal.signal itself has given

    def close(self) -> None:
        """End the performer, where it has not ended; a second call does nothing."""
        if not self._is_closed:
            self._is_closed = True
            self._end()
            self._connections.close()
            self._process.close()

    @property
    def is_stopping(self) -> bool:
        """Whether the performer was asked to stop."""
        return self._asked_s is not None

    def open(self, ports: PortSettings) -> None:
        """Send the performer the ports to open, which it does at once."""
        self._ports = ports
        self.state.route = ports.input_pattern, ports.output_pattern
        self._process.write(value_to_line(replace(ports, shared_state=self._process.shared_state.descriptor)))

    def start(self, settings: PerformerSettings) -> None:
        """Send the performer what to play."""
        self.state.begin(settings)
        self._process.write(value_to_line(settings))

    def send(self, command: Command) -> None:
        """Hand a command to the performer; one that is gone is not told."""
        if isinstance(command, Stop) and self._asked_s is None:
            self._asked_s = time.monotonic()
        self._process.write(value_to_line(command))

    def warn(self, text: str) -> None:
        """Insert a warning among the performer's events."""
        self.insert(Warned(text))

    def insert(self, event: Event) -> None:
        """Insert an event among the performer's."""
        self._process.insert(event)

    def panic(self) -> None:
        """Silence all that sounds; the music goes on."""
        self.send(Act(Action.PANIC))

    def events(self) -> Iterator[Event]:
        """Return the performer's events until it ends; after a crash that is not mended the last one says so.

        Raises:
            KeyboardInterrupt: Never: an interrupt stops the performer, which then says its summary.
        """
        yield from self._attend()
        while self._may_restart():
            if self._missed_s is None:
                yield self._mourn()
            else:
                time.sleep(RETRY_S)
            if self._asked_s is None:
                self._restart()
                yield from self._attend()
        yield from self._aftermath()

    def _begin(self) -> None:
        """Know nothing yet of a new process."""
        self._summary: Summary | None = None
        self._failed: Failed | None = None
        self._has_rescued = False

    def _attend(self) -> Iterator[Event]:
        """Return the events of one performer until it has ended."""
        while True:
            try:
                item = self._process.news.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                item = ""
            self._kill_where_hung()
            if item is None:
                break
            event = self._event(item) if isinstance(item, str) else item
            if event is not None:
                self._keep(event)
            if isinstance(event, Failed):
                self._failed = event
            elif event is not None:
                yield event
        self._process.wait()

    def _event(self, line: str) -> Event | None:
        """Return the event in a line of the performer, None where there is none."""
        try:
            event = line_to_value(line)
        except ValueError:
            return None
        return event if isinstance(event, Event) else None

    def _keep(self, event: Event) -> None:
        """Keep of an event what matters later."""
        self.state.apply(event)
        if isinstance(event, Ready):
            self._missed_s = None
            self._connections.follow(event)
        elif isinstance(event, Summary):
            self._summary = event

    def _may_restart(self) -> bool:
        """Return whether the performer that has ended is to be replaced.

        One that died playing is, not too often; one that has found no ports for it is for a while.
        """
        if self._summary is not None or self._asked_s is not None or self.state.settings is None:
            return False
        now_s = time.monotonic()
        if not self.state.is_alive:
            return self._missed_s is not None and now_s - self._missed_s < RETURN_S
        self._restarts = [at_s for at_s in self._restarts if at_s > now_s - _RESTARTS_S]
        return len(self._restarts) < RESTARTS_MAX

    def _mourn(self) -> Warned:
        """Release what the performer that has died left sounding; return what to tell of it."""
        self.state.lose()
        self._missed_s = time.monotonic()
        self._restarts.append(self._missed_s)
        launch_ahead()  # it loads while the notes are released
        self._connections.hold()
        self._resume = self._process.shared_state.place() or self._resume
        fault = self._rescue()
        if self._failed is not None:
            return Warned(f"{self._failed.text}; it plays on when that is back")
        return Warned("; ".join(part for part in (self._end_text(), fault, "it plays on") if part))

    def _restart(self) -> None:
        """Replace the performer."""
        self._process.close()
        process = ChildProcess()
        if self._ports is not None:
            ready, (input_pattern, output_pattern) = self.state.ready, self.state.route
            ports = replace(
                self._ports,
                # It waits for this MIDI system, and takes no other one.
                backend=self._ports.backend if ready is None else ready.backend,
                input_pattern=input_pattern,
                output_pattern=output_pattern,
                shared_state=process.shared_state.descriptor,
            )
            process.write(value_to_line(ports))
            process.write(value_to_line(self.state.successor(self._resume)))
        self._begin()
        self._process = process  # from now on commands reach it, after what it has to be told first

    def _end_text(self) -> str:
        """Return how the performer ended, for people."""
        return f"the performer {self._process.end}"

    def _aftermath(self) -> Iterator[Event]:
        """After the last performer has gone: where it died, release its notes and say why."""
        if self._missed_s is not None and self._asked_s is not None:
            yield Notice("ended while it waited for the MIDI system")
            return
        sounds = bool(self._process.shared_state.sounding())
        fault = self._rescue()
        if sounds and (self._summary is not None or self._failed is not None):
            yield Warned(fault)
        if self._failed is not None:
            yield self._failed
        elif self._summary is None and (self.state.is_alive or self._asked_s is None):
            yield Failed("; ".join(part for part in (self._end_text(), fault, "start again") if part))

    def _rescue(self) -> str:
        """Release what the performer left sounding; say what became of it, nothing where nothing sounded."""
        self._has_rescued = True
        sounding = self._process.shared_state.sounding()
        if self.state.ready is None or not sounding:
            return ""
        try:
            is_heard = rescue.release(self.state.ready, sounding, self._connections.listeners)
        except ImproviserError as error:
            return f"its {len(sounding)} sounding notes could not be ended: {error}"
        if is_heard:
            return f"{len(sounding)} sounding notes were ended"
        return f"{len(sounding)} notes may still sound where they were heard: silence them there"

    def _end(self) -> None:
        """End the performer, gently where it plays."""
        if self._process.is_running and self._ports is not None:
            self.send(Stop())
            self._process.wait(PATIENCE_S)
        if self._process.is_running:
            self._process.kill()
            self._process.wait()
        if not self._has_rescued:
            self._rescue()

    def _kill_where_hung(self) -> None:
        """Kill a performer that was asked to stop and did not, or whose heart stands still."""
        if self._asked_s is not None:
            patience_s = PATIENCE_S if self._summary is None else CLOSING_S
            hangs = time.monotonic() - self._asked_s > patience_s
        else:
            hangs = self.state.is_alive and self._process.still_s() > STILL_S
        if hangs and self._process.is_running:
            self._connections.look()
            self._process.kill()

    def _interrupted(self, _number: int, _frame: object) -> None:
        """Stop the performer; a second signal kills it."""
        if self._asked_s is None:
            self.send(Stop())
        else:
            self._process.kill()
