"""Makes the pictures of the documentation, and its example: `make pictures`.

`python docs/pictures.py PART..` makes some of the parts: rolls, sound, flow, page. All come from the program:
`improviser render` plays the rolls and `example.mid` with tunes of the built-in player, FluidSynth plays
`example.oga`, and the screenshots and the moving picture show a jam without any MIDI system.
"""  # noqa: INP001 - a script that stands beside the pages, no package

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from improviser.midi.message import NoteOff, NoteOn
from improviser.midi.smf import MeterChange, Song, TempoChange, TimedEvent, Track, read_file, write_file
from improviser.performer.demo.tunes import Tune, find_tune
from improviser.synth.soundfont import find_program, find_soundfont, how_to_install, missing

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS: Final = Path(__file__).resolve().parent
PICTURES: Final = DOCS / "pictures"
IMPROVISER: Final = (sys.executable, "-m", "improviser")
BYTES_MAX: Final = 400_000
TICKS: Final = 480
VELOCITY: Final = 80
# What is rendered: by its preset the tune, quarter notes a minute, and the key where it is told.
DUETS: Final = {"chorale": ("ode_to_joy", 88), "fiddle": ("drowsy_maggie", 112)}
EXAMPLE: Final = "fiddle"
ROUNDS: Final = {"ode_to_joy": 1, "drowsy_maggie": 2}
SECONDS_A_MINUTE, MICROSECONDS = 60, 1_000_000

PLAYER_COLOUR, OWN_COLOUR, BAR_COLOUR = "tab:gray", "tab:red", "0.85"
DOTS_PER_INCH: Final = 90

# The flow: each step, where its code is, and whether it is one of the two ends.
FLOW: Final = (
    ("MIDI in", "ports/", "what you play"),
    ("note window", "listening/window.py", "keys and pedal, cut into steps"),
    ("key and chord", "listening/harmony/", "heard by a network"),
    ("observation", "listening/observation.py", "what the networks see"),
    ("Q-network and prior", "agent/policy.py", "what each action is worth"),
    ("action", "playing/actions.py", "drawn from the softmax"),
    ("phrase", "playing/phrase.py", "touch and length"),
    ("scheduler", "playing/scheduler.py", "knows what sounds"),
    ("MIDI out", "ports/", "in time"),
)
BOX: Final = (214, 74)
GAP: Final = (36, 48)
ACROSS: Final = 3

JAM: Final = (*IMPROVISER, "jam", "--backend", "loopback", "--preset", "fiddle", "--seed", "0", "--no-open")
CHROMIUM_OPTIONS: Final = ("--no-sandbox", "--disable-gpu")
ADDRESS: Final = re.compile(r"http://127\.0\.0\.1:\d+/[^\s\"]+")
START_S: Final = 20.0
# So long the jam plays before the page is taken: the improviser has come in, and the roll is full.
PLAYING_S: Final = 16.0
SETTLING_S: Final = 5.0
# Its reasons are shown when it is chosen.
NEWEST_NOTE: Final = "#notes button >> nth=0"
# The moving picture: its size, its frames, the time from one to the next, and how many colours it has.
MOVING: Final = (600, 700)
FRAMES: Final = 32
FRAME_MS: Final = 160
COLOURS: Final = 24
# Sample rate and gain of the example's sound.
SOUND: Final = ("-r", "22050", "-g", "0.6")
# Name of each screenshot: width, height and colour scheme.
SCREENS: Final = {
    "page-light": (1280, 860, "light"),
    "page-dark": (1280, 860, "dark"),
    "page-phone": (390, 844, "light"),
}


def main() -> int:
    """Make the parts that the command line names; return the exit code."""
    parts = {"rolls": make_rolls, "sound": make_sound, "flow": make_flow, "page": make_screens}
    wanted = sys.argv[1:] or list(parts)
    unknown = [name for name in wanted if name not in parts]
    if unknown:
        sys.stderr.write(f"no part {', '.join(unknown)}; there are {', '.join(parts)}\n")
        return 2
    PICTURES.mkdir(exist_ok=True)
    for name in wanted:
        for path in parts[name]():
            size = path.stat().st_size
            sys.stdout.write(f"{path.relative_to(DOCS.parent)}: {size:,} bytes\n")
            if size > BYTES_MAX:
                sys.stderr.write(f"{path.name} is larger than {BYTES_MAX:,} bytes\n")
                return 1
    return 0


def make_rolls() -> Iterator[Path]:
    """Render each duet, draw its piano roll, and keep one of them as the example."""
    with tempfile.TemporaryDirectory() as folder:
        for preset, (tune, tempo_bpm) in DUETS.items():
            player, duet = Path(folder, f"{tune}.mid"), Path(folder, f"{preset}.mid")
            write_file(player, tune_song(find_tune(tune), tempo_bpm, ROUNDS[tune]))
            subprocess.run([*IMPROVISER, "render", str(player), "-o", str(duet), "--preset", preset], check=True)
            path = PICTURES / f"roll-{preset}.png"
            draw_roll(read_file(duet), path, f"{find_tune(tune).title}, and {preset} beside it")
            yield path
            if preset == EXAMPLE:
                yield Path(shutil.copyfile(duet, DOCS / "example.mid"))


def make_sound() -> Iterator[Path]:
    """Play the example as FluidSynth sounds it."""
    program, soundfont = find_program(), find_soundfont()
    if program is None or soundfont is None:
        raise SystemExit(f"{missing()}; {how_to_install()}")
    path = DOCS / "example.oga"
    rendering = ("-q", "-n", "-i", "-F", str(path), "-T", "oga", *SOUND)
    subprocess.run([program, *rendering, str(soundfont), str(DOCS / "example.mid")], check=True)
    yield path


def tune_song(tune: Tune, tempo_bpm: int, rounds: int) -> Song:
    """Return a tune, played so many times, as a song of one track."""
    events: list[TimedEvent] = []
    beat = 0.0
    for note, beats in tune.notes * rounds:
        if note is not None:
            events.append(TimedEvent(round(beat * TICKS), NoteOn(0, note, VELOCITY)))
            events.append(TimedEvent(round((beat + 0.9 * beats) * TICKS), NoteOff(0, note)))
        beat += beats
    tempo = TempoChange(0, round(SECONDS_A_MINUTE * MICROSECONDS / tempo_bpm))
    return Song(TICKS, (tempo,), (MeterChange(0, *tune.meter),), (Track("player", tuple(events)),))


def draw_roll(song: Song, path: Path, title: str) -> None:
    """Draw the player and the improviser of a rendered song as a piano roll, bar by bar."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - takes a second
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above
    from matplotlib.ticker import MultipleLocator  # noqa: PLC0415 - as above

    figure = Figure(figsize=(10, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    meter = song.meter_map[0]
    bar_ticks = song.ticks_per_beat * 4 * meter.numerator / meter.denominator
    colours = ("player", PLAYER_COLOUR), ("improviser", OWN_COLOUR)
    for track, (name, colour) in zip(song.tracks, colours, strict=True):
        notes = list(sounding(track))
        axes.barh(
            [note for note, _, _ in notes],
            [(end - begin) / bar_ticks for _, begin, end in notes],
            left=[1 + begin / bar_ticks for _, begin, _ in notes],
            height=0.9,
            color=colour,
            edgecolor="white",
            label=name,
        )
    axes.xaxis.set_major_locator(MultipleLocator(1))
    axes.grid(axis="x", color=BAR_COLOUR, zorder=0)
    axes.set_axisbelow(True)
    axes.set(title=title, xlabel="bar", ylabel="MIDI note (60: middle C)")
    axes.yaxis.set_major_locator(MultipleLocator(5))
    axes.set_xlim(1, 1 + math.ceil(song.end_tick / bar_ticks))
    figure.legend(loc="outside upper right", ncols=2)
    figure.savefig(path, dpi=DOTS_PER_INCH, metadata={"Software": None})


def sounding(track: Track) -> Iterator[tuple[int, int, int]]:
    """Return each note of a track with the ticks at which it begins and ends."""
    begun: dict[int, int] = {}
    for event in track.events:
        message = event.message
        if isinstance(message, NoteOn | NoteOff) and message.note in begun:
            yield message.note, begun.pop(message.note), event.tick
        if isinstance(message, NoteOn):
            begun[message.note] = event.tick


def make_flow() -> Iterator[Path]:
    """Draw the way from MIDI in to MIDI out, a serpent of boxes."""
    (wide, high), (across, down) = BOX, GAP
    rows = -(-len(FLOW) // ACROSS)
    parts = []
    for number, (title, place, text) in enumerate(FLOW):
        left, top = box_corner(number)
        kind = "end" if number in {0, len(FLOW) - 1} else "box"
        parts.append(f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" rx="8" class="{kind}"/>')
        middle = left + wide / 2
        lines = ("title", title), ("text", text), ("place", place)
        for line, (kind, words) in enumerate(lines):
            parts.append(f'<text x="{middle}" y="{top + 24 + 19 * line}" class="{kind}">{escape(words)}</text>')
        if number + 1 < len(FLOW):
            parts.append(f'<path d="{arrow(number)}" class="arrow" marker-end="url(#head)"/>')
    width, height = ACROSS * wide + (ACROSS - 1) * across + 8, rows * high + (rows - 1) * down + 8
    path = PICTURES / "flow.svg"
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img" '
        'aria-label="From MIDI in over note window, key and chord, observation, networks, action, phrase and '
        f'scheduler to MIDI out">\n{STYLE}\n' + "\n".join(parts) + "\n</svg>\n",
        "utf-8",
    )
    yield path


STYLE: Final = """<style>
  rect { fill: #f4f6f8; stroke: #8795a1; stroke-width: 1.5 }
  rect.end { fill: #d9e8f6; stroke: #3b74a8 }
  text { font: 13px system-ui, sans-serif; text-anchor: middle; fill: #22292f }
  text.title { font-weight: 600; font-size: 15px }
  text.place { font: 11.5px ui-monospace, monospace; fill: #55606b }
  .arrow { fill: none; stroke: #8795a1; stroke-width: 2 }
  marker path { fill: #8795a1 }
</style>
<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
  <path d="M0 0 L8 4 L0 8 z"/></marker></defs>"""


def box_corner(number: int) -> tuple[int, int]:
    """Return the left and the top of a box: rows go to the right and to the left by turns."""
    row, column = divmod(number, ACROSS)
    place = column if row % 2 == 0 else ACROSS - 1 - column
    return 4 + place * (BOX[0] + GAP[0]), 4 + row * (BOX[1] + GAP[1])


def arrow(number: int) -> str:
    """Return the path from a box to the next one."""
    (left, top), (next_left, next_top) = box_corner(number), box_corner(number + 1)
    wide, high = BOX
    if next_top > top:
        return f"M{left + wide / 2} {top + high} V{next_top - 3}"
    if next_left > left:
        return f"M{left + wide} {top + high / 2} H{next_left - 3}"
    return f"M{left} {top + high / 2} H{next_left + wide + 3}"


def make_screens() -> Iterator[Path]:
    """Take the page of a jam that the built-in player plays in, light, dark, on a phone and moving."""
    for take in (take_screens, take_moving):
        with playing() as address:
            yield from take(address)


@contextlib.contextmanager
def playing() -> Iterator[str]:
    """Play a jam whose page is at the address that is given; what it leaves behind is removed."""
    with tempfile.TemporaryDirectory() as folder:
        places = {f"IMPROVISER_{kind}_DIR": folder for kind in ("CONFIG", "STATE")}
        jam = subprocess.Popen(JAM, stdout=subprocess.PIPE, text=True, cwd=folder, env=os.environ | places)
        try:
            yield printed_address(jam)
        finally:
            jam.terminate()
            jam.communicate(timeout=10)


def printed_address(jam: subprocess.Popen[str]) -> str:
    """Return the address of the page that a jam prints when it starts."""
    give_up_s = time.monotonic() + START_S
    for line in jam.stdout or ():
        if found := ADDRESS.search(line):
            return found[0]
        if time.monotonic() > give_up_s:
            break
    msg = "the jam has not printed the address of its page"
    raise SystemExit(msg)


@contextlib.contextmanager
def browsing() -> Iterator[Any]:
    """Open a browser when a jam has been going on for a while."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - of the tests' tools, for this part only

    time.sleep(PLAYING_S - SETTLING_S)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(CHROMIUM_OPTIONS))
        yield browser
        browser.close()


def take_screens(address: str) -> Iterator[Path]:
    """Take each screen of the page at an address."""
    with browsing() as browser:
        for name, (width, height, scheme) in SCREENS.items():
            yield take_screen(browser, address, PICTURES / f"{name}.png", (width, height, scheme))


def take_screen(browser: Any, address: str, path: Path, screen: tuple[int, int, str]) -> Path:  # noqa: ANN401 - playwright is imported late
    """Open the page on one screen, wait until it follows the music, and take it."""
    width, height, scheme = screen
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(address)
    page.click("#start")
    page.wait_for_timeout(SETTLING_S * 1000)
    if page.locator(NEWEST_NOTE).is_visible():
        page.click(NEWEST_NOTE)
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=str(path))
    page.close()
    return path


def take_moving(address: str) -> Iterator[Path]:
    """Take the roll as it moves."""
    from PIL import Image  # noqa: PLC0415 - of matplotlib's own, for this part only

    width, height = MOVING
    frames = []
    with browsing() as browser:
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
        page.goto(address)
        page.click("#start")
        page.wait_for_timeout(SETTLING_S * 1000)
        begun_s = time.monotonic()
        for number in range(FRAMES):
            page.wait_for_timeout(max(0.0, begun_s * 1000 + number * FRAME_MS - time.monotonic() * 1000))
            frames.append(Image.open(io.BytesIO(page.locator("#see").screenshot())).convert("RGB"))
    palette = frames[-1].quantize(COLOURS, Image.Quantize.MAXCOVERAGE)
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    path = PICTURES / "jam.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=FRAME_MS, loop=0, optimize=True)
    yield path


if __name__ == "__main__":
    sys.exit(main())
