"""Shows a jam: as a status line on a terminal, as one line per bar elsewhere, or as JSON lines."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from improviser.cli.console import NO_TASTE, say, say_json
from improviser.music.meter import Meter
from improviser.ports import LOOPBACK
from improviser.protocol import (
    Adopted,
    Changed,
    Event,
    Halted,
    Heard,
    Judged,
    Learned,
    Locked,
    Notice,
    PerformerSettings,
    Played,
    PortChanged,
    Ready,
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
    """Prints lines for people: one per bar, and on a terminal a status line that follows the music."""

    def __init__(self, settings: PerformerSettings, state: State, *, is_terminal: bool) -> None:
        """Show a jam with the meter of `settings`; `state` is updated with each event before `show` is called."""
        self._state = state
        self._meter = Meter(*settings.engine["meter"])
        self._count = BarCount(self._meter, settings.engine["tempo_bpm"])
        self._is_terminal = is_terminal
        # The bar of the current line; None: the bar of the next note.
        self._bar: int | None = None
        self._harmony = ""
        self._heard: list[str] = []
        self._played: list[str] = []
        self._chord_beat: float | None = None

    def show(self, event: Event) -> None:
        """Show an event."""
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
                self._turn_to(self._meter.bar_at(beat))
                self._harmony = f"{event.key:8} {event.chord or '-':6}"
                self._played += self._struck(event)
                self._redraw()
            case Synced() | Understood():
                pass
            case _:
                self._lines(*_sentences(event))

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
        bar = "count-in" if self._bar is not None and self._bar < 1 else f"bar {self._bar or 1:3} "
        return f"{bar} {self._harmony:15}  you: {heard:28}  improviser: {played}".rstrip()

    def _redraw(self) -> None:
        """Update the status line of a terminal."""
        if self._is_terminal:
            sys.stdout.write(_CLEAR_LINE + self._bar_line())
            sys.stdout.flush()

    def _lines(self, *texts: str) -> None:
        """Print lines, if any, in place of the status line."""
        if not texts:
            return
        if self._is_terminal:
            sys.stdout.write(_CLEAR_LINE)
        for text in texts:
            say(text)
        sys.stdout.flush()


def choose_view(settings: PerformerSettings, state: State, *, as_json: bool) -> View:
    """Return the view for JSON, or the view for stdout."""
    if as_json:
        return JsonView()
    return TextView(settings, state, is_terminal=sys.stdout.isatty())


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
