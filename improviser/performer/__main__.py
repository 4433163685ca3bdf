"""The real-time process, which opens the ports and keeps the beat. Start it with `python -m improviser.performer`.

Standard input: the first line says which ports to open, the second line says what to play, and commands follow. The
music ends at the end of the input. Standard output: events.

The process never imports torch, never waits for another process while it plays, and never writes to disk.
"""

from __future__ import annotations

import contextlib
import importlib
import signal
import sys
import threading
from dataclasses import replace
from typing import IO, TypeVar

from improviser.errors import ImproviserError, UsageError
from improviser.performer.inbox import Inbox
from improviser.performer.pipes import EventWriter, read_commands
from improviser.performer.ports.opening import Opening
from improviser.ports import priority
from improviser.protocol import Failed, PerformerSettings, PortSettings, Stop, Warned, line_to_value

EXIT_OK, EXIT_FAILURE, EXIT_USAGE = 0, 1, 2
SettingsT = TypeVar("SettingsT", PortSettings, PerformerSettings)
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


def main() -> int:
    """Perform as the first lines of stdin say. Return the exit code: 0 success, 1 failure, 2 wrong usage."""
    priority.slim_threads()
    threading.Thread(target=_load, name="loading", daemon=True).start()
    inbox = Inbox()
    _stop_on_signals(inbox)
    event_writer = EventWriter(sys.stdout)
    try:
        wanted = _read(sys.stdin, PortSettings)
        return EXIT_OK if wanted is None else _perform(wanted, inbox, event_writer, sys.stdin)
    except ImproviserError as error:
        return _fail(error, event_writer)
    finally:
        event_writer.close()


def _fail(error: ImproviserError, event_writer: EventWriter) -> int:
    """Report why the process ends. Return the exit code."""
    code = EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILURE
    event_writer.write(Failed(str(error), code))
    return code


def _load() -> None:
    """Import what takes longest, while the parent reads the command line and the ports open."""
    with contextlib.suppress(Exception):  # _perform imports it again and raises the error there
        importlib.import_module("improviser.performer.assembly")


def _perform(wanted: PortSettings, inbox: Inbox, event_writer: EventWriter, stream: IO[str]) -> int:
    """Open the ports, play and close the ports. Return the exit code."""
    opening = Opening(wanted, inbox, event_writer.write)
    try:
        from improviser.performer import assembly as performance  # noqa: PLC0415 - another thread is importing it already

        settings = _read(stream, PerformerSettings)
        if settings is None:
            return EXIT_OK
        make_engine = performance.engine_maker(settings)
        read_commands(stream, inbox)
        summary = performance.play(settings, make_engine, opening.result(), inbox, event_writer.write)
        event_writer.write(replace(summary, untold=event_writer.dropped))
    except ImproviserError as error:
        return _fail(error, event_writer)  # report this first: closing the ports may take a while
    finally:
        if not opening.close():
            event_writer.write(Warned("the MIDI system does not answer; the performer ended without closing its ports"))
    return EXIT_OK


def _read(stream: IO[str], kind: type[SettingsT]) -> SettingsT | None:
    """Return the settings in the next line, or None if the parent sent none or a stop.

    Raises:
        UsageError: The line holds something else.
    """
    line = stream.readline()
    if not line:
        return None
    try:
        value = line_to_value(line)
    except ValueError as error:
        raise UsageError(f"the performer received {error}") from error
    if isinstance(value, Stop):
        return None
    if not isinstance(value, kind):
        raise UsageError("the performer received no settings. Start it with: improviser jam")
    return value


def _stop_on_signals(inbox: Inbox) -> None:
    """Install signal handlers that stop the music before the process ends."""
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, lambda _number, _frame: inbox.put(Stop()))


if __name__ == "__main__":
    sys.exit(main())
