"""The real-time process: owns the ports and the beat. Started as `python -m improviser.daemon.performer`.

Standard input: the settings on the first line, commands after it; its end is the end of the music. Standard
output: events. It never imports torch, never waits for another process and never writes to disk.
"""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from improviser.agent.checkpoint import load_policy
from improviser.control import Event, Failed, PerformerSettings, Ready, Stop, Summary, Warned, line_to_value
from improviser.daemon import priority
from improviser.daemon.beat import Beat, Stage
from improviser.daemon.inbox import Inbox
from improviser.daemon.ledger import open_shared
from improviser.daemon.opening import OpenPorts, alone_notice, new_stand_in, open_ports
from improviser.daemon.reporter import Reporter, read_commands
from improviser.daemon.voice import Way
from improviser.daemon.watch import watch
from improviser.engine import Engine, EngineSettings
from improviser.errors import ImproviserError, UsageError
from improviser.listening.observation import FEATURES
from improviser.listening.window import DEFAULT_VELOCITY
from improviser.midi.message import NoteOn
from improviser.music.pitch import MIDDLE_C
from improviser.playing.actions import ACTION_COUNT
from improviser.ports.clock import MonotonicClock

if TYPE_CHECKING:
    from collections.abc import Callable

EXIT_FAILURE, EXIT_USAGE = 1, 2
WARM_UP_STEPS = 20
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")


def main() -> int:
    """Perform as the first line of stdin says; give the exit code, 0 fine, 1 failure."""
    priority.slim_threads()
    line = sys.stdin.readline()
    if not line:  # the parent has thought better of it
        return 0
    reporter = Reporter(sys.stdout)
    try:
        return _perform(_settings(line), reporter, sys.stdin)
    except ImproviserError as error:
        code = EXIT_USAGE if isinstance(error, UsageError) else EXIT_FAILURE
        reporter.tell(Failed(str(error), code))
        return code
    finally:
        reporter.close()


def _settings(line: str) -> PerformerSettings:
    """Give the settings in `line`. Raises UsageError where there are none."""
    try:
        value = line_to_value(line)
    except ValueError as error:
        raise UsageError(f"the performer was told {error}") from error
    if not isinstance(value, PerformerSettings):
        raise UsageError("the performer was told no settings; start it with: improviser jam")
    return value


def _perform(settings: PerformerSettings, reporter: Reporter, commands: IO[str]) -> int:
    """Open the ports, play, close them; give the exit code."""
    inbox = Inbox()
    new_engine = _engine_maker(settings)
    ports = open_ports(settings, inbox, reporter.tell)
    watcher = watch(ports, inbox)
    try:
        _stop_on_signals(inbox)
        read_commands(commands, inbox)
        summary = _play(settings, new_engine, inbox, ports, reporter.tell)
        watcher.stop()
    finally:
        ports.close()
    reporter.tell(replace(summary, callback_faults=ports.callback_faults))
    return 1 if summary.reason else 0


def _play(
    settings: PerformerSettings,
    new_engine: Callable[[], Engine],
    inbox: Inbox,
    ports: OpenPorts,
    tell: Callable[[Event], None],
) -> Summary:
    """Run the beat on the open ports in this thread, with all the punctuality there is."""
    is_realtime = priority.raise_priority()
    priority.sharpen_timers()
    priority.still_collector()
    if not is_realtime:
        tell(Warned(priority.advice()))
    clock = MonotonicClock()
    stand_in = new_stand_in(settings, ports, clock.now_s())
    tell(
        Ready(
            backend=ports.backend.name,
            ports=ports.names(),
            preset=settings.preset,
            seed=settings.seed,
            tempo_bpm=settings.engine["tempo_bpm"],
            realtime=is_realtime,
            player=stand_in.player.title if stand_in is not None else None,
            sends_on=ports.output.name,
            is_virtual=ports.is_virtual,
        )
    )
    alone = alone_notice(settings, ports)
    if alone is not None:
        tell(alone)
    way = Way(ports.output, open_shared(settings.ledger))
    return Beat(settings, new_engine, Stage(way, inbox, tell, stand_in), clock).run()


def _engine_maker(settings: PerformerSettings) -> Callable[[], Engine]:
    """Give what makes engines that wait for their first note.

    Raises:
        CheckpointError: The model is missing, corrupt or of another kind.
        UsageError: The key or the meter is unknown.
    """
    groups = tuple((feature.name, feature.columns, feature.values) for feature in FEATURES)
    policy = load_policy(Path(settings.model), groups, ACTION_COUNT)
    make = partial(Engine, EngineSettings(**settings.engine), policy)
    _warm_up(make(np.random.default_rng(settings.seed)))
    return lambda: make(np.random.default_rng(settings.seed))


def _warm_up(engine: Engine) -> None:
    """Let an engine play a little to nobody: the first decisions of a process take twenty times as long."""
    engine.hear(NoteOn(0, MIDDLE_C, DEFAULT_VELOCITY), 0.0)
    for _ in range(WARM_UP_STEPS):
        engine.step(0.0)
        engine.rewards()


def _stop_on_signals(inbox: Inbox) -> None:
    """Let the signals that end a process end the music first."""
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, lambda _number, _frame: inbox.put(Stop()))


if __name__ == "__main__":
    sys.exit(main())
