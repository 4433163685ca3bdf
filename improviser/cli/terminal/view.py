"""Shows a jam: as a status line on a terminal, as one line per bar elsewhere, or as JSON lines."""

from __future__ import annotations

import shutil
import sys
import threading
from typing import TYPE_CHECKING

from improviser.app.beat_lights import BeatLights, LightsThread
from improviser.cli.console import NO_TASTE, say, say_json
from improviser.music.meter import Meter
from improviser.ports import LOOPBACK
from improviser.protocol import (
    Adopted,
    BeatFound,
    Changed,
    Event,
    Failed,
    Halted,
    Heard,
    Judged,
    Learned,
    Locked,
    MeterSet,
    Notice,
    PerformerSettings,
    Played,
    PortChanged,
    Ready,
    Recounted,
    Refused,
    Restarted,
    Rested,
    Routed,
    Started,
    Summary,
    Switched,
    Synced,
    Tasted,
    Understood,
    Undone,
    Warned,
    value_to_json,
)
from improviser.session.timeline import BarCount
from improviser.supervisor.state import RESTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from improviser.app.jam_view import View
    from improviser.supervisor.state import State

_KEPT = "improviser keep saves its last bars as a MIDI file; jam --record FILE.mid records everything."
_CLEAR_LINE = "\r\x1b[2K"


class JsonView:
    """Prints one JSON object per line, with channels 1-16."""

    def show(self, event: Event) -> None:
        """Print an event."""
        values = value_to_json(event)
        if "channel" in values:
            values["channel"] += 1
        say_json(values)

    def page(self, url: str) -> None:
        """Print the page's address."""
        say_json({"event": "page", "url": url})

    def kept(self, path: Path) -> None:
        """Print the path of the session's journal."""
        say_json({"event": "session", "path": str(path)})

    def recorded(self, path: Path) -> None:
        """Print the path of the recording."""
        say_json({"event": "recorded", "path": str(path)})


class TextView:
    """Prints lines for people: one per bar, and on a terminal a status line that follows the music.

    Threads: The main thread calls all methods. On a terminal, a thread of the view draws the beat lights from Ready
    until the end.
    """

    def __init__(self, settings: PerformerSettings, state: State, *, is_terminal: bool) -> None:
        """Show a jam with the meter of `settings`; `state` is updated with each event before `show` is called."""
        self._state = state
        meter = Meter(*settings.engine["meter"])
        self._count = BarCount(meter, settings.engine["tempo_bpm"])
        self._is_terminal = is_terminal
        self._lights = BeatLights(self._count, sys.stdout.encoding)
        self._thread = LightsThread(self._draw_lights)
        self._lock = threading.RLock()
        self._drawn = ""
        # The bar of the current line; None: the bar of the next note.
        self._bar: int | None = None
        self._harmony = self._tempo = self._chart = ""
        self._is_followed = False
        self._heard: list[str] = []
        self._played: list[str] = []
        self._chord_beat: float | None = None

    def show(self, event: Event) -> None:
        """Show an event."""
        self._light(event)
        with self._lock:
            self._show(event)

    def _show(self, event: Event) -> None:
        """Show an event, while nothing else draws."""
        self._count.follow(event)
        match event:
            case Ready() | Routed() | PortChanged():
                self._show_ports(event)
            case Started() | Restarted() | Rested() | Halted() | Summary():
                self._end_bar()
                self._bar = None
                self._lines(*_sentences(event))
            case Heard(at_s, _, note):
                self._turn_to(self._count.bar_at(at_s))
                self._heard.append(_name(note))
                self._redraw()
            case Played(beat=beat):
                self._turn_to(self._count.bars.bar_at(beat))
                self._harmony = f"{event.key:8} {event.chord or '-':6}"
                self._played += self._struck(event)
                self._redraw()
            case BeatFound() | MeterSet() | Recounted():
                self._show_beat(event)
            case Understood():
                self._chart = _place(event)
            case Synced():
                pass
            case _:
                self._lines(*_sentences(event))

    def _show_beat(self, event: BeatFound | MeterSet | Recounted) -> None:
        """Show whether the player's beat is followed, and where the bars are."""
        match event:
            case BeatFound():
                self._show_found(event)
            case MeterSet(meter=meter):
                self._lines(f"Bars of {Meter(*meter).name} from here on.")
            case Recounted():
                self._end_bar()
                self._bar = None

    def _show_found(self, event: BeatFound) -> None:
        """Print when it begins to follow the player's beat, and when it is no longer sure of it."""
        self._tempo = f"{event.tempo_bpm:3.0f} bpm " if event.is_followed else ""
        if event.is_followed != self._is_followed:
            self._is_followed = event.is_followed
            sure = f"{event.tempo_bpm:.0f} bpm, {event.confidence:.0%} sure"
            self._lines(
                f"It follows your beat: {sure}."
                if event.is_followed
                else f"It is not sure of your beat, and keeps {event.tempo_bpm:.0f} bpm."
            )

    def page(self, url: str) -> None:
        """Print the page's address."""
        self._lines(f"Play and steer it in a browser: {url}")

    def kept(self, path: Path) -> None:
        """Print the path of the session's journal, and what can be done with it."""
        self._lines(f"Session journal: {path}", _KEPT)

    def recorded(self, path: Path) -> None:
        """Print the path of the recording."""
        self._lines(f"Recorded: {path}")

    def _struck(self, event: Played) -> list[str]:
        """Return the name of a note; for a chord, its name with the first note and nothing with the others."""
        chord = event.why[0].get("chord") if event.why else None
        if chord is None:
            return [_name(event.note)]
        is_first, self._chord_beat = event.beat != self._chord_beat, event.beat
        return [chord] if is_first else []

    def _show_ports(self, event: Ready | Routed | PortChanged) -> None:
        """Print the ports whenever they change."""
        match event:
            case Ready():
                self._lines(*_introduction(event))
            case Routed(sends_on=sends_on):
                self._lines(f"{self._listening()} Plays on: {sends_on}.")
            case PortChanged(is_output=False):
                self._lines(self._listening())

    def _listening(self) -> str:
        """Return a sentence with the inputs."""
        return f"Listens to: {', '.join(self._state.input_names) or 'no port'}."

    def _turn_to(self, bar: int) -> None:
        """Start the line of a later bar; notes of an earlier bar stay in the current line."""
        if self._bar is None or bar > self._bar:
            self._end_bar()
            self._bar = bar

    def _end_bar(self) -> None:
        """Print the line of the finished bar."""
        if self._heard or self._played:
            self._lines(self._bar_line())
        self._heard.clear()
        self._played.clear()

    def _bar_line(self) -> str:
        """Return the line of the bar."""
        heard, played = " ".join(self._heard), " ".join(self._played)
        shown = self._bar if heard or played else None
        number = self._count.bar_at(self._state.now_s()) if shown is None else shown
        bar = "count-in" if number < 1 else f"bar {number:3} "
        return f"{bar} {self._tempo}{self._harmony:15} {self._chart} you: {heard:28}  improviser: {played}".rstrip()

    def _redraw(self) -> None:
        """Update the status line of a terminal: the lights, and what was played in this bar."""
        if not self._is_terminal:
            return
        line = f"{self._lights.text(self._state.now_s())}  {self._bar_line()}"[: _columns() - 1]
        if line != self._drawn:
            sys.stdout.write(_CLEAR_LINE + line)
            sys.stdout.flush()
            self._drawn = line

    def _light(self, event: Event) -> None:
        """Run the lights on a terminal from the start of the jam to its end."""
        if self._is_terminal and isinstance(event, Ready) and self._thread.ident is None:
            self._thread.start()
        elif isinstance(event, Summary | Failed):
            self._thread.stop()

    def _draw_lights(self) -> float:
        """Draw the lights if they have changed. Return the seconds until they may change again."""
        with self._lock:
            is_shown = self._drawn or self._count.beat_at(self._state.now_s()) is not None
            if is_shown and not self._thread.is_stopped:
                self._redraw()
            return self._lights.wait_s(self._state.now_s())

    def _lines(self, *texts: str) -> None:
        """Print lines, if any, in place of the status line."""
        if not texts:
            return
        with self._lock:
            if self._is_terminal:
                sys.stdout.write(_CLEAR_LINE)
            self._drawn = ""
            for text in texts:
                say(text)
            sys.stdout.flush()


def choose_view(settings: PerformerSettings, state: State, *, as_json: bool) -> View:
    """Return the view for JSON, or the view for stdout."""
    if as_json:
        return JsonView()
    return TextView(settings, state, is_terminal=sys.stdout.isatty())


def _place(event: Understood) -> str:
    """Return the place in the chart with the next chord, and the bar of the turn."""
    places = []
    if event.chart_bar is not None:
        bar, bars = event.chart_bar
        places.append(f"{bar}/{bars} > {event.coming[0] if event.coming else '':6}")
    if event.turn is not None:
        is_ours, bar, bars = event.turn
        places.append(f"{'my' if is_ours else 'your'} {bar}/{bars}".ljust(8))
    return "".join(f"{place} " for place in places)


def _introduction(ready: Ready) -> list[str]:
    """Return the lines that introduce a jam when its ports are open."""
    lines = [
        f"Preset {ready.preset}, {ready.tempo_bpm:g} bpm, seed {ready.seed}; MIDI: {ready.backend}.",
        f"Listens to: {', '.join(ready.ports['in'])}. Plays on: {', '.join(ready.ports['out'])}."
        if ready.backend != LOOPBACK
        else "Both parts play inside this program; there is no port to connect to.",
    ]
    if ready.player is None:
        return [*lines, "Play: your first note is the first downbeat. Ctrl-C ends the jam."]
    return [*lines, f"The built-in player plays: {ready.player}. Ctrl-C ends the jam."]


def _sentences(event: Event) -> list[str]:
    """Return the lines for an event that is not music; knobs have none, since they turn too often."""
    match event:
        case Notice(text) | Warned(text):
            return [f"Note: {text}" if isinstance(event, Warned) else _sentence(text)]
        case Refused(_, text):
            return [f"Not done: {text}."]
        case Rested() | Restarted() | Summary():
            return _pause(event)
        case Switched() | Changed() | Locked() | Adopted() | Learned():
            return [_change_text(event)]
        case Judged() | Undone() | Tasted():
            return _taste_text(event)
        case _:
            return []


def _taste_text(event: Judged | Undone | Tasted) -> list[str]:
    """Return the lines for what was learned or forgotten about the player's preferences."""
    match event:
        case Judged(_, liked, _, words):
            return [f"{'Liked' if liked else 'Disliked'}: {words or NO_TASTE}."]
        case Undone(everything, _, words):
            what = "All that was learned" if everything else "The last press"
            return [f"{what} is taken back: {words or NO_TASTE}."]
        case Tasted(_, words):
            return [f"It plays to your taste: {words}."] if words else []


def _pause(event: Rested | Restarted | Summary) -> list[str]:
    """Return the lines for a pause, a restart or the end."""
    match event:
        case Rested():
            return [f"{RESTS[0].upper()}{RESTS[1:]}."]
        case Summary():
            return _conclusion(event)
        case _:
            return []


def _change_text(event: Switched | Changed | Locked | Adopted | Learned) -> str:
    """Return the line for a switch, a preset, a key, or weights learned in the background."""
    match event:
        case Locked(key):
            return "It listens for the key." if key == "auto" else f"The key is locked: {key}."
        case Changed(preset):
            return f"Preset {preset}."
        case Switched(_, action, is_on):
            return f"{action.capitalize()}: {'on' if is_on else 'off'}."
        case Adopted(number, is_back=is_back):
            weights = f"checkpoint {number}" if number else "the original model"
            return f"The last checkpoint is taken back. It uses {weights}." if is_back else f"It uses {weights}."
        case Learned(updates, _, reward, words=words, drift=drift):
            return f"Learned by {updates} updates ({reward:.2f} a step, drift {drift:.2f}): {words}."


def _conclusion(summary: Summary) -> list[str]:
    """Return the lines that sum up a jam."""
    lines = [
        (
            f"Heard {summary.notes_heard} notes, played {summary.notes_played}; "
            f"late decisions: {summary.late_decisions}, stuck notes: {summary.stuck_notes}."
        )
    ]
    if summary.likes or summary.dislikes:
        lines.append(
            f"Liked {summary.likes} times, disliked {summary.dislikes} times; "
            f"your taste: {summary.words or NO_TASTE}. improviser save NAME keeps it."
        )
    if summary.onset_error_ms:
        lines.append(
            f"Notes left {_milliseconds(summary.onset_error_ms)} early or late; "
            f"a decision took {_milliseconds(summary.decision_ms)}."
        )
    kept_back = {
        "not understood": summary.bad_messages,
        "too fast": summary.dropped,
        "improviser's own, returned": summary.feedback,
        "faults in drivers": summary.callback_faults,
    }
    if any(kept_back.values()):
        faults = ", ".join(f"{count} {what}" for what, count in kept_back.items() if count)
        lines.append(f"Messages ignored: {faults}.")
    if summary.untold:
        lines.append(f"Too late to show and record: {summary.untold} events.")
    return lines


def _columns() -> int:
    """Return the width of the terminal: a status line that is longer could not be redrawn."""
    return shutil.get_terminal_size().columns


def _milliseconds(quantiles: Mapping[str, float]) -> str:
    """Return quantiles in milliseconds as text."""
    return ", ".join(f"{name} {value:.2f} ms" for name, value in quantiles.items())


def _name(note: int) -> str:
    """Return the name of a note; the import waits because it loads numpy."""
    from improviser.music.pitch import note_name

    return note_name(note)


def _sentence(text: str) -> str:
    """Return `text` with a capital letter and a full stop."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
