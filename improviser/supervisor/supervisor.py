"""Starts the performer, reads its events, sends it commands, and cleans up after it, however it ends.

A performer that dies, hangs or loses the MIDI system while it plays is replaced. Its notes are released. Another
performer takes over its ports, its connections and its position in the bar, and the music goes on.
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
# A performer that was asked to stop needs about 0.3 s. One that needs this long hangs.
PATIENCE_S: Final = 3.0
# After its summary a performer only closes its ports. A busy MIDI system may delay that.
CLOSING_S: Final = 10.0
# The performer's loop wakes at least twice a second. If its heartbeat stops for this long, it hangs.
STILL_S: Final = 2.0
# A performer that dies this often within a minute is not restarted: a restart would not help.
RESTARTS_MAX: Final = 5
_RESTARTS_S: Final = 60.0
# How long to wait for a MIDI system that has gone and may be restarted, and how often to try.
RETURN_S: Final = 60.0
RETRY_S: Final = 1.0
_LOOK_EVERY_S: Final = 0.25


class Supervisor:
    """Runs a performer in a process of its own.

    The process is started before anything else, so that it loads its libraries while the caller reads presets. Use the
    supervisor as a context manager. On exit it ends the performer and releases its notes.

    Attributes:
        state: The state of the jam.

    Threads: The main thread uses this class, because the class handles signals. Any thread may call `send`, `warn`,
    `insert` and `panic`.
    """

    def __init__(self) -> None:
        """Use the process that was started ahead, or start one. The process waits for its settings."""
        self._connections = Connections()
        self.state = State(heard_by=lambda: self._connections.listeners)
        self._process = ChildProcess()
        self._ports: PortSettings | None = None
        self._begin()
        self._resume: JamPosition | None = None
        # The time of the first restart, if no performer has been ready since then.
        self._missed_s: float | None = None
        self._restarts: list[float] = []
        self._asked_s: float | None = None
        self._is_closed = False
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Self:
        """Install the signal handlers: signals that end a process stop the performer, and SIGUSR1 is a panic."""
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            if number is not None:
                self._handlers[number] = signal.signal(number, self._interrupted)
        if hasattr(signal, PANIC_SIGNAL):  # Windows has no such signal
            number = signal.Signals[PANIC_SIGNAL]
            self._handlers[number] = signal.signal(number, lambda *_: self.panic())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the performer if it still runs, and restore the signal handlers."""
        self.close()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # signal.signal itself returned the handler

    def close(self) -> None:
        """End the performer if it still runs. A second call does nothing."""
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
        """Send the performer the ports to open. It opens them at once."""
        self._ports = ports
        self.state.route = ports.input_pattern, ports.output_pattern
        self._process.write(value_to_line(replace(ports, shared_state=self._process.shared_state.descriptor)))

    def start(self, settings: PerformerSettings) -> None:
        """Send the performer what to play."""
        self.state.begin(settings)
        self._process.write(value_to_line(settings))

    def send(self, command: Command) -> None:
        """Send a command to the performer. A performer that has gone does not receive it."""
        if isinstance(command, Stop) and self._asked_s is None:
            self._asked_s = time.monotonic()
        self._process.write(value_to_line(command))

    def warn(self, text: str) -> None:
        """Insert a warning among the performer's events."""
        self.insert(Warned(text))

    def insert(self, event: Event) -> None:
        """Insert an event among the performer's events."""
        self._process.insert(event)

    def panic(self) -> None:
        """Silence all notes. The music goes on."""
        self.send(Act(Action.PANIC))

    def events(self) -> Iterator[Event]:
        """Return the performer's events until it ends. After a crash without a restart, the last event says so.

        An interrupt raises no KeyboardInterrupt here. It stops the performer, which then sends its summary.
        """
        yield from self._attend()
        while self._may_restart():
            if self._missed_s is None:
                yield self._release_dead()
            else:
                time.sleep(RETRY_S)
            if self._asked_s is None:
                self._restart()
                yield from self._attend()
        yield from self._aftermath()

    def _begin(self) -> None:
        """Reset what is known about the process."""
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
        """Return the event in a line from the performer, or None if the line holds no event."""
        try:
            event = line_to_value(line)
        except ValueError:
            return None
        return event if isinstance(event, Event) else None

    def _keep(self, event: Event) -> None:
        """Apply an event to the state, and keep what is needed later."""
        self.state.apply(event)
        if isinstance(event, Ready):
            self._missed_s = None
            self._connections.follow(event)
        elif isinstance(event, Summary):
            self._summary = event

    def _may_restart(self) -> bool:
        """Return whether the performer that has ended is to be replaced.

        A performer that died while it played is replaced, unless that happens too often. A replacement that has found
        no ports is replaced for up to `RETURN_S` seconds.
        """
        if self._summary is not None or self._asked_s is not None or self.state.settings is None:
            return False
        now_s = time.monotonic()
        if not self.state.is_alive:
            return self._missed_s is not None and now_s - self._missed_s < RETURN_S
        self._restarts = [at_s for at_s in self._restarts if at_s > now_s - _RESTARTS_S]
        return len(self._restarts) < RESTARTS_MAX

    def _release_dead(self) -> Warned:
        """Release the notes that the dead performer left sounding. Return the warning for the user."""
        self.state.lose()
        self._missed_s = time.monotonic()
        self._restarts.append(self._missed_s)
        launch_ahead()  # the new process loads while the notes are released
        self._connections.hold()
        self._resume = self._process.shared_state.position() or self._resume
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
                # The new performer waits for this MIDI system and uses no other.
                backend=self._ports.backend if ready is None else ready.backend,
                input_pattern=input_pattern,
                output_pattern=output_pattern,
                shared_state=process.shared_state.descriptor,
            )
            process.write(value_to_line(ports))
            process.write(value_to_line(self.state.successor(self._resume)))
        self._begin()
        self._process = process  # commands reach the new process only after its settings

    def _end_text(self) -> str:
        """Return how the performer ended, as text for the user."""
        return f"the performer {self._process.end}"

    def _aftermath(self) -> Iterator[Event]:
        """Release the notes of the last performer if it died, and return the events that say why it ended."""
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
        """Release the notes that the performer left sounding. Return the result as text, empty if none sounded."""
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
        """Stop the performer, and kill it if it has no ports yet or does not stop. Then release its notes."""
        if self._process.is_running and self._ports is not None:
            self.send(Stop())
            self._process.wait(PATIENCE_S)
        if self._process.is_running:
            self._process.kill()
            self._process.wait()
        if not self._has_rescued:
            self._rescue()

    def _kill_where_hung(self) -> None:
        """Kill a performer that was asked to stop and did not, or whose heartbeat has stopped."""
        if self._asked_s is not None:
            patience_s = PATIENCE_S if self._summary is None else CLOSING_S
            hangs = time.monotonic() - self._asked_s > patience_s
        else:
            hangs = self.state.is_alive and self._process.still_s() > STILL_S
        if hangs and self._process.is_running:
            self._connections.look()
            self._process.kill()

    def _interrupted(self, _number: int, _frame: object) -> None:
        """Stop the performer. A second signal kills it."""
        if self._asked_s is None:
            self.send(Stop())
        else:
            self._process.kill()
