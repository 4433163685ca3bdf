"""A timing run: a jam on a JACK server of its own, beside the reference in C, the probe and other load.

All of them run at the same time, so that a ratio to the reference compares the same seconds.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from improviser.config.preset import preset_path
from improviser.errors import ImproviserError
from improviser.listening.midi_clock import TICKS_PER_BEAT
from improviser.ports.base import VIRTUAL_INPUT, VIRTUAL_OUTPUT
from improviser.ports.priority import LOOP_PRIORITY
from improviser.studies.timing.analysis import ProbedNotes, judge_grid, judge_reactions, of_channel, of_clock
from improviser.studies.timing.jack_server import dummy_server
from improviser.studies.timing.probe import KEYS
from improviser.studies.timing.reference import compile_reference
from improviser.units import MS_PER_S, S_PER_MINUTE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from improviser.studies.timing.probe import Note

# python-rtmidi has no wheel from Python 3.13 on.
BACKENDS: Final = ("jack", "rtmidi-jack") if find_spec("rtmidi") else ("jack",)
# A step is not a whole number of periods at this tempo, so that notes fall on all places of a period.
TEMPO_BPM: Final = 117.0
_STEPS_PER_BEAT: Final = 4
STEP_S: Final = S_PER_MINUTE / TEMPO_BPM / _STEPS_PER_BEAT
TICK_S: Final = S_PER_MINUTE / TEMPO_BPM / TICKS_PER_BEAT
REFERENCE: Final = "Bench Reference"
REFERENCE_CLOCK: Final = "Bench Clock"
# The keys use channel 0 and the improviser the next one, so that its notes differ from those passed on.
_CHANNEL: Final = 1
_PATIENCE_S: Final = 20.0
_NICE: Final = 10
_SPIN: Final = (sys.executable, "-c", "while True: pass")
# Drops what allows real-time priority (Linux: the capability 23, and the limit), and then runs a command.
ORDINARY: Final = """
import ctypes, os, resource, sys
ctypes.CDLL(None).prctl(24, 23, 0, 0, 0)
resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
os.execvp(sys.argv[1], sys.argv[1:])
"""


@dataclass(frozen=True, slots=True)
class Work:
    """The load beside a timing run.

    Attributes:
        name: Name of the load.
        learns: Whether a learner runs, in a process of its own at low priority.
        jam_learns: Whether the jam learns in the background.
        spins: Whether each core is kept busy.
        pages: Number of open pages, see studies.timing.pages.
        realtime: Whether the jam and the reference may have real-time priority.
    """

    name: str
    learns: bool = False
    jam_learns: bool = False
    spins: bool = False
    pages: int = 0
    realtime: bool = True


WORKS: Final = (
    Work("idle"),
    Work("learner", learns=True),
    Work("learning", jam_learns=True),
    Work("pages", pages=4),
    Work("loaded", spins=True),
    Work("ordinary", learns=True, realtime=False),
)


@dataclass(frozen=True, slots=True)
class TimingRun:
    """The settings of a timing run.

    Attributes:
        work: The load beside it.
        backend: One of BACKENDS.
        preset: The preset of the jam.
        period: JACK's period, in frames.
        seconds: Duration in seconds.
        learner: The command that learns.
    """

    work: Work
    backend: str
    preset: str
    period: int
    seconds: float
    learner: Sequence[str]


@dataclass(frozen=True, slots=True)
class TimingOutcome:
    """The result of a timing run.

    Attributes:
        trial: The settings of the run.
        realtime: Whether the jam had real-time priority.
        jam: Notes received from the improviser.
        reference: Notes received from the reference in C; None where it cannot be compiled.
        clock: MIDI clock ticks received from the improviser.
        reference_clock: Ticks received from a second reference, which sends MIDI clock.
        reaction_ms: Time from a key to the same note passed on, by JACK's frames: p50, p99, p99.9, max.
    """

    trial: TimingRun
    realtime: bool
    jam: ProbedNotes
    reference: ProbedNotes | None
    clock: ProbedNotes
    reference_clock: ProbedNotes | None
    reaction_ms: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the result as plain values."""
        trial = self.trial
        return {
            "work": trial.work.name,
            "backend": trial.backend,
            "preset": trial.preset,
            "period": trial.period,
            "seconds": trial.seconds,
            "realtime": self.realtime,
            "jam": asdict(self.jam),
            "reference": None if self.reference is None else asdict(self.reference),
            "ratio": ratios(self.jam, self.reference),
            "clock": asdict(self.clock),
            "reference_clock": None if self.reference_clock is None else asdict(self.reference_clock),
            "clock_ratio": ratios(self.clock, self.reference_clock),
            "reaction_ms": self.reaction_ms,
        }


def ratios(ours: ProbedNotes, theirs: ProbedNotes | None) -> dict[str, float | None]:
    """Return the jam's quantiles divided by the reference's; None where either is missing."""
    reference = theirs.off_ms if theirs is not None else {}
    return {
        name: ours.off_ms[name] / reference[name] if name in ours.off_ms and reference.get(name) else None
        for name in ("p50", "p99", "p99.9")
    }


def run_trial(trial: TimingRun) -> TimingOutcome:
    """Run the jam, the reference, the probe and the load; return the result.

    Raises:
        ImproviserError: JACK or the jam does not start, or the probe receives nothing.
    """
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        reference = compile_reference(folder)
        server = stack.enter_context(dummy_server(trial.period, realtime=trial.work.realtime))
        environment = server.environment | {"IMPROVISER_STATE_DIR": name}
        probe = _start(_probe(trial, hears_reference=reference is not None), environment)
        stack.callback(_end, probe)
        told = stack.enter_context((folder / "told.jsonl").open("w+", encoding="utf-8"))
        with contextlib.ExitStack() as music:
            for command in _work(trial, folder / "told.jsonl"):
                music.enter_context(_beside(command, environment))
            for command in _references(reference, trial):
                music.enter_context(_beside(_admitted(trial, command), environment))
            music.enter_context(
                _beside(_admitted(trial, _jam(trial, _steady(trial.preset, folder))), environment, told)
            )
            _read_line(probe)
        told.seek(0)
        return _outcome(trial, _heard(probe), [json.loads(line) for line in told])


def _outcome(trial: TimingRun, notes: Sequence[Note], told: Sequence[dict[str, Any]]) -> TimingOutcome:
    """Return the result, computed from the probe's notes and the jam's events."""
    ready = next((event for event in told if event["event"] == "ready"), None)
    if ready is None:
        raise ImproviserError("the jam did not begin; see what it says: improviser jam")
    ports: dict[str, list[Note]] = {KEYS: [], VIRTUAL_OUTPUT: [], REFERENCE: [], REFERENCE_CLOCK: []}
    for note in notes:
        ports[note[0]].append(note)
    ours, by_frame = ports[VIRTUAL_OUTPUT], trial.backend == "jack"
    sent = [event["note"] for event in told if event["event"] == "played"]

    def of_reference(name: str, step_s: float) -> ProbedNotes | None:
        """Measure what came from a reference, if anything came."""
        return judge_grid(ports[name], step_s, None, by_frame=False) if ports[name] else None

    return TimingOutcome(
        trial=trial,
        realtime=ready["realtime"],
        jam=judge_grid(of_channel(ours, _CHANNEL), STEP_S, sent, by_frame=by_frame),
        reference=of_reference(REFERENCE, STEP_S),
        clock=judge_grid(of_clock(ours), TICK_S, None, by_frame=by_frame),
        reference_clock=of_reference(REFERENCE_CLOCK, TICK_S),
        reaction_ms=judge_reactions(ports[KEYS], of_channel(ports[VIRTUAL_OUTPUT], 0)),
    )


def _read_line(probe: subprocess.Popen[str]) -> None:
    """Wait until the probe has played, or has failed."""
    if probe.stdout is not None:
        probe.stdout.readline()


def _heard(probe: subprocess.Popen[str]) -> list[Note]:
    """Return the notes that the probe recorded. Raises ImproviserError where the probe failed."""
    out, error = probe.communicate(timeout=_PATIENCE_S)
    if probe.returncode:
        raise ImproviserError(f"the probe of the trial says: {(error.splitlines() or ['nothing'])[-1]}")
    return [tuple(json.loads(line)) for line in out.splitlines()]


def _probe(trial: TimingRun, *, hears_reference: bool) -> list[str]:
    """Return the command of the probe."""
    ports = [VIRTUAL_OUTPUT, *[REFERENCE, REFERENCE_CLOCK] * hears_reference]
    return [sys.executable, "-P", "-m", "improviser.studies.timing.probe", str(trial.seconds), *ports]


def _steady(preset: str, folder: Path) -> Path:
    """Write a preset into `folder` whose notes leave on the grid only, as mending clashes is off; return its path."""
    text = preset_path(preset).read_text("utf-8")
    path = folder / "steady.toml"
    path.write_text(text.replace("[playing]\n", "[playing]\nmends = false\n"), "utf-8")
    return path


def _jam(trial: TimingRun, preset: Path) -> list[str]:
    """Return the command of the jam; it passes on what it receives and also sends MIDI clock."""
    # Without the swing that it would hear in the probe's notes, steps are even.
    values = ["--preset", str(preset), "--timing", "on-grid", "--tempo", str(TEMPO_BPM), "--swing", "0.5"]
    values += ["--key", "C", "--seed", "0"]
    ports = ["--backend", trial.backend, "--in", VIRTUAL_INPUT]
    sends = ["--channel", str(_CHANNEL + 1), "--thru", "--clock-out"]
    learns = ["--learn"] * trial.work.jam_learns
    return [sys.executable, "-P", "-m", "improviser", "jam", "--json", *values, *ports, *sends, *learns]


def _references(program: Path | None, trial: TimingRun) -> list[list[str]]:
    """Return the commands of the references, none where there is no program."""
    if program is None:
        return []
    priority = str(LOOP_PRIORITY if trial.work.realtime else 0)
    kinds = ((REFERENCE, STEP_S, "notes"), (REFERENCE_CLOCK, TICK_S, "clock"))
    return [[str(program), name, str(step_s * MS_PER_S), priority, kind] for name, step_s, kind in kinds]


def _work(trial: TimingRun, told: Path) -> list[list[str]]:
    """Return the commands of the load; the jam writes its events to the file `told`."""
    learner = [["nice", "-n", str(_NICE), *trial.learner]] * trial.work.learns
    pages = [sys.executable, "-P", "-m", "improviser.studies.timing.pages", str(told), str(trial.work.pages)]
    return [pages] * (trial.work.pages > 0) + learner + [list(_SPIN)] * (os.cpu_count() or 1) * trial.work.spins


def _admitted(trial: TimingRun, command: list[str]) -> list[str]:
    """Return a command that runs without real-time priority, where the run is one without."""
    return command if trial.work.realtime else [sys.executable, "-c", ORDINARY, *command]


def _start(command: Sequence[str], environment: dict[str, str]) -> subprocess.Popen[str]:
    """Start a command with pipes for its input and output."""
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, encoding="utf-8")


@contextlib.contextmanager
def _beside(command: Sequence[str], environment: dict[str, str], output: IO[str] | None = None) -> Iterator[None]:
    """Run a command while the block runs; its output goes to `output`, or nowhere."""
    silent = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=output or silent, stderr=silent)
    try:
        yield
    finally:
        _end(process)


def _end(process: subprocess.Popen[Any]) -> None:
    """End a process, and close its pipes."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            stream.close()
