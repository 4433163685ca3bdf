"""The supervisor, with small scripts in place of the performer."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from improviser.errors import PortError
from improviser.ipc import launch
from improviser.ipc.child_process import ChildProcess
from improviser.ipc.shared_state import SharedState
from improviser.protocol import (
    Event,
    Failed,
    Notice,
    PerformerSettings,
    PortSettings,
    Ready,
    Summary,
    Warned,
)
from improviser.supervisor import rescue, supervisor
from improviser.supervisor.supervisor import Supervisor
from tests.live import wait_for

SETTINGS = PerformerSettings("x", "m", {})
READY = (
    '{"event": "ready", "backend": "loopback", "ports": {}, "preset": "x", "seed": 0, "tempo_bpm": 1.0, '
    '"realtime": true, "player": null, "sends_on": "Out", "is_virtual": true}'
)
Play = Callable[[str], Supervisor]


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Play:
    """Start a supervisor whose performer is a script, without replacing it."""
    monkeypatch.setattr(supervisor, "RESTARTS_MAX", 0)

    def start(script: str) -> Supervisor:
        """Start the script; `say` prints a line at once, `lines` are its input lines."""
        prelude = "import sys, time, signal\nsay = lambda line: print(line, flush=True)\nlines = sys.stdin\n"
        monkeypatch.setattr(launch, "COMMAND", (sys.executable, "-c", prelude + script))
        return Supervisor()

    return start


def events(performer: Supervisor) -> list[Event]:
    """Start a performer and return all its events."""
    with performer:
        performer.open(PortSettings())
        performer.start(SETTINGS)
        return list(performer.events())


def rescuing(monkeypatch: pytest.MonkeyPatch, *, is_heard: bool = True) -> list[object]:
    """Make a note sound when the performer has ended; return the list of released notes."""
    released: list[object] = []

    def release(_ready: Ready, sounding: object, _listeners: object) -> bool:
        """Record the notes to release."""
        released.append(sounding)
        return is_heard

    monkeypatch.setattr(rescue, "release", release)
    monkeypatch.setattr(SharedState, "sounding", lambda _: [(0, 60)])
    return released


def test_events_come_as_values(play: Play) -> None:
    """Lines of the performer become values, and invalid lines are skipped."""
    script = """say('noise'); say('{"event": "stop"}'); say('{"event": "notice", "text": "a"}')
say('{"event": "summary", "notes_heard": 3}')"""
    assert [Notice("a"), Summary(3)] == events(play(script))


def test_the_performer_is_told_ports_first(play: Play) -> None:
    """The performer's first input line has the ports, and the second one the settings."""
    script = """for line in lines:
    kind = line.split('"')[3]
    say('{"event": "notice", "text": "%s"}' % kind)
    if kind == "settings": break
say('{"event": "summary"}')"""
    assert [Notice("ports"), Notice("settings"), Summary()] == events(play(script))


def test_commands_are_handed_over(play: Play) -> None:
    """A panic, also by a signal, and a stop reach the performer as lines; leaving the block stops it."""
    script = """for line in lines:
    kind = line.split('"')[3]
    say('{"event": "notice", "text": "%s"}' % kind)
    if kind == "stop": break
say('{"event": "summary"}')"""
    told: list[Event] = []
    with play(script) as performer:
        performer.open(PortSettings())
        performer.panic()
        os.kill(os.getpid(), signal.SIGUSR1)
        stream = performer.events()
        told += [next(stream) for _ in range(3)]
        os.kill(os.getpid(), signal.SIGTERM)
        told += stream
    assert [*map(Notice, ("ports", "act", "act", "stop")), Summary()] == told


def test_signals_are_given_back(play: Play) -> None:
    """After the block the signal handlers are restored."""
    before = signal.getsignal(signal.SIGTERM)
    with play("lines.read()"):
        assert before != signal.getsignal(signal.SIGTERM)
    assert before == signal.getsignal(signal.SIGTERM)


def test_a_crash_is_told_with_the_last_words(play: Play) -> None:
    """A performer that ends without a summary has failed, and the error has its last line of stderr."""
    (failed,) = events(play("lines.readline(); print('Oops\\nBad luck\\n', file=sys.stderr); sys.exit(3)"))
    assert Failed("the performer ended unexpectedly with code 3 (Bad luck); start again") == failed


def test_a_killed_performers_notes_are_released(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notes of a killed performer are released on its ports, and that is reported."""
    released = rescuing(monkeypatch)
    script = f"say('{READY}'); signal.raise_signal(9)"
    ready, failed = events(play(script))
    assert isinstance(ready, Ready)
    expected = "the performer was killed by signal 9; 1 sounding notes were ended; start again"
    assert ([[(0, 60)]], Failed(expected)) == (released, failed)


def test_a_rescue_that_fails_is_told(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the MIDI system is gone too, the warning says that notes could not be released."""

    def fail(*_: object) -> None:
        """Raise PortError."""
        raise PortError("no server")

    rescuing(monkeypatch)
    monkeypatch.setattr(rescue, "release", fail)
    failed = events(play(f"say('{READY}'); sys.exit(1)"))[-1]
    assert isinstance(failed, Failed)
    assert failed.text.endswith("; its 1 sounding notes could not be ended: no server; start again")


@pytest.mark.parametrize("last", ['{"event": "summary"}', '{"event": "error", "text": "why"}'])
def test_what_sounds_after_the_end_is_released(play: Play, monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    """Notes that still sound after the performer's end are released and reported, with or without a fault."""
    released = rescuing(monkeypatch)
    monkeypatch.setattr(supervisor, "RESTARTS_MAX", 0)
    told = events(play(f"say('{READY}'); say('{last}')"))
    assert [[(0, 60)]] == released
    assert Warned("1 sounding notes were ended") in told


def test_it_is_not_claimed_that_notes_were_released(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no listener is known, the warning says that notes may still sound."""
    rescuing(monkeypatch, is_heard=False)
    failed = events(play(f"say('{READY}'); sys.exit(1)"))[-1]
    assert isinstance(failed, Failed)
    assert "1 notes may still sound where they were heard" in failed.text


def test_a_fault_that_was_told_is_not_told_twice(play: Play) -> None:
    """After its own error event a performer's exit is not reported again."""
    assert [Failed("why", 2)] == events(play("""say('{"event": "error", "text": "why", "code": 2}'); sys.exit(2)"""))


def test_a_hung_performer_is_killed(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A performer that does not stop when asked is killed after a while."""
    monkeypatch.setattr(supervisor, "PATIENCE_S", 0.1)
    monkeypatch.setattr(supervisor, "_LOOK_EVERY_S", 0.02)
    with play(f"say('{READY}'); time.sleep(600)") as performer:
        performer.open(PortSettings())
        stream = performer.events()
        next(stream)
        os.kill(os.getpid(), signal.SIGINT)
        assert "killed by signal 9" in str(list(stream))


def test_a_performer_that_has_said_its_summary_may_take_longer(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its summary a performer gets more time to close its ports; killing it then is no failure."""
    monkeypatch.setattr(supervisor, "PATIENCE_S", 0.1)
    monkeypatch.setattr(supervisor, "_LOOK_EVERY_S", 0.02)
    script = f"""say('{READY}')
for line in lines:
    if '"stop"' in line: break
say('{{"event": "summary"}}'); time.sleep(CLOSING)
say('{{"event": "notice", "text": "closed"}}')"""
    for closing_s, patience_s, after in ((0.5, 60.0, [Notice("closed")]), (60.0, 0.2, [])):
        monkeypatch.setattr(supervisor, "CLOSING_S", patience_s)
        with play(script.replace("CLOSING", str(closing_s))) as performer:
            performer.open(PortSettings())
            stream = performer.events()
            next(stream)
            os.kill(os.getpid(), signal.SIGHUP)
            assert [Summary(), *after] == list(stream)


def test_a_second_signal_kills(play: Play) -> None:
    """A second signal kills the performer at once."""
    with play(f"say('{READY}'); time.sleep(600)") as performer:
        performer.open(PortSettings())
        stream = performer.events()
        next(stream)
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert "killed by signal 9" in str(list(stream))


def test_leaving_ends_a_hung_performer(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in the block leaves no process behind, and its notes are released."""
    monkeypatch.setattr(supervisor, "PATIENCE_S", 0.1)
    released = rescuing(monkeypatch)

    def fail() -> None:
        """Raise while the performer plays."""
        with play(f"say('{READY}'); time.sleep(600)") as performer:
            performer.open(PortSettings())
            next(performer.events())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert [[(0, 60)]] == released


def test_a_performer_that_was_told_nothing_is_just_ended(play: Play) -> None:
    """A performer without ports is ended without waiting."""
    begun_s = time.monotonic()
    with play("time.sleep(600)"):
        pass
    assert time.monotonic() - begun_s < supervisor.PATIENCE_S


def test_a_stop_before_the_beginning_is_no_fault(play: Play) -> None:
    """A stop before the performer is ready is not reported as a fault."""
    with play("lines.readline(); lines.readline()") as performer:
        performer.open(PortSettings())
        os.kill(os.getpid(), signal.SIGTERM)
        assert [] == list(performer.events())


def test_with_debugging_stderr_is_the_performers(
    play: Play, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With debugging the performer's stderr is shown directly."""
    monkeypatch.setenv("IMPROVISER_DEBUG", "1")
    mark = tmp_path / "mark"
    script = f"""print('trace', file=sys.stderr); open({str(mark)!r}, 'w').close()
say('{{"event": "summary"}}')"""
    assert [Summary()] == events(play(script))
    wait_for(mark.exists, "the performer's words")
    assert "trace" in capfd.readouterr().err


def test_a_performer_that_dies_is_replaced(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new performer gets the same ports and settings and the position of the music; the old notes are released."""
    released = rescuing(monkeypatch)
    script = f"""ports, told = lines.readline(), lines.readline()
say('{READY}')
if '"resume": null' in told:
    from improviser.ipc.shared_state import JamPosition, mark_position, open_shared
    descriptor = int(ports.split('"shared_state": ')[1].split(',')[0])
    mark_position(open_shared(descriptor), 1, JamPosition(8.0, 9.0, 2.5, 90.0))
    signal.raise_signal(9)
say('{{"event": "notice", "text": "' + told.split('"resume": ')[1].split(']')[0] + '"}}')
say('{{"event": "summary"}}')"""
    performer = play(script)
    monkeypatch.setattr(supervisor, "RESTARTS_MAX", 5)
    with performer:
        performer.open(PortSettings())
        performer.start(SETTINGS)
        told = list(performer.events())
    assert Warned("the performer was killed by signal 9; 1 sounding notes were ended; it plays on") in told
    assert Notice("[8.0, 9.0, 2.5, 90.0") in told
    assert Summary() in told
    assert [(0, 60)] in released


@pytest.mark.parametrize(
    ("ends", "clock"), [("", "midi"), ('{"event": "detached", "at_s": 2.0}', "auto")], ids=["ticks", "gone"]
)
def test_a_successor_follows_the_clock_that_was_followed(
    play: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ends: str, clock: str
) -> None:
    """The next performer follows a clock that ticks on, but not one whose transport is gone."""
    rescuing(monkeypatch)
    performer = play(f"""from pathlib import Path
ports, told = lines.readline(), lines.readline()
say('{READY}')
say('{{"event": "notice", "text": "' + told.split('"clock": "')[1].split('"')[0] + '"}}')
mark = Path({str(tmp_path / "mark")!r})
if not mark.exists():
    mark.touch()
    say('{{"event": "synced", "at_s": 1.0, "beat": 0.0, "tempo_bpm": 90.0}}')
    say('{ends}')
    signal.raise_signal(9)
say('{{"event": "summary"}}')""")
    monkeypatch.setattr(supervisor, "RESTARTS_MAX", 5)
    with performer:
        performer.open(PortSettings())
        performer.start(SETTINGS)
        told = list(performer.events())
    assert [Notice("auto"), Notice(clock)] == [event for event in told if isinstance(event, Notice)]


def test_a_successor_waits_for_the_same_system(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next performer waits for the MIDI system that was used, instead of opening another one."""
    rescuing(monkeypatch)
    script = f"""ports, told = lines.readline(), lines.readline()
backend = ports.split('"backend": ')[1].split(',')[0].replace('"', "")
say('{{"event": "notice", "text": "' + backend + '"}}')
if backend == "auto":
    say('{READY.replace("loopback", "jack")}')
    signal.raise_signal(9)
say('{{"event": "summary"}}')"""
    performer = play(script)
    monkeypatch.setattr(supervisor, "RESTARTS_MAX", 5)
    with performer:
        performer.open(PortSettings())
        performer.start(SETTINGS)
        told = list(performer.events())
    assert [Notice("auto"), Notice("jack")] == [event for event in told if isinstance(event, Notice)]


@pytest.fixture
def losing(play: Play, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], list[Event]]:
    """Return the events when a performer loses the MIDI system, and the next ones find none."""

    def told(missing: int) -> list[Event]:
        """Start the first performer, and return all events."""
        rescuing(monkeypatch)
        tries = str(tmp_path / "tries")
        script = f"""lines.readline(); lines.readline()
with open({tries!r}, "a") as file:
    before = file.tell()
    file.write("x")
if before in (0, {missing + 1}):
    say('{READY}')
if before <= {missing}:
    say('{{"event": "error", "text": "no JACK server answers"}}')
    sys.exit(1)
say('{{"event": "summary"}}')"""
        performer = play(script)
        monkeypatch.setattr(supervisor, "RESTARTS_MAX", 5)
        monkeypatch.setattr(supervisor, "RETRY_S", 0.01)
        return events(performer)

    return told


def test_a_midi_system_that_is_gone_is_waited_for(losing: Callable[[int], list[Event]]) -> None:
    """A performer that lost its ports is replaced until there are ports again."""
    told = losing(2)
    assert [Ready, Warned, Ready, Summary] == [type(event) for event in told[:4]]
    assert Warned("no JACK server answers; it plays on when that is back") == told[1]


def test_a_midi_system_that_stays_away_is_told(
    losing: Callable[[int], list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while without ports the jam ends with the reason."""
    monkeypatch.setattr(supervisor, "RETURN_S", 0.2)
    assert Failed("no JACK server answers") == losing(1000)[-1]


def test_a_performer_that_dies_again_and_again_is_given_up(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """After too many restarts within a minute the jam ends with the fault."""
    performer = play(f"lines.readline(); lines.readline(); say('{READY}'); sys.exit(4)")
    monkeypatch.setattr(supervisor, "RESTARTS_MAX", 2)
    told = events(performer)
    assert 3 == sum(isinstance(event, Ready) for event in told)
    assert Failed("the performer ended unexpectedly with code 4; start again") == told[-1]


def test_a_performer_whose_heart_stands_still_is_replaced(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A performer without a heartbeat is killed and replaced."""
    performer = play(f"lines.readline(); lines.readline(); say('{READY}'); time.sleep(600)")
    monkeypatch.setattr(supervisor, "STILL_S", 0.1)
    monkeypatch.setattr(supervisor, "_LOOK_EVERY_S", 0.02)
    told = events(performer)
    assert "killed by signal 9" in str(told[-1])


def test_a_heart_is_not_still_where_nobody_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor that was itself delayed, as by a machine that slept, starts counting again."""
    now_s = [100.0]
    monkeypatch.setattr(launch, "COMMAND", (sys.executable, "-c", "import sys; sys.stdin.read()"))
    monkeypatch.setattr(time, "monotonic", lambda: now_s[0])
    performer = ChildProcess()
    performer.still_s()
    now_s[0] += 0.5
    assert 0.5 == performer.still_s()
    now_s[0] += 60.0
    assert 0.0 == performer.still_s()
    now_s[0] += 0.5
    assert 0.5 == performer.still_s()
    monkeypatch.undo()
    performer.close()
