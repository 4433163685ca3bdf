"""How fast the page sounds, is heard and draws: figures in Debian's Chromium without a screen, printed with -s.

    pytest -m slow -s tests/integration/test_page_speed.py

The page converts the program's time by pings, so the error of a figure is half of the shortest round trip: well under a
millisecond here.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Sequence
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from improviser.ports.base import VIRTUAL_INPUT
from tests.integration.browsing import Open, opened, start
from tests.live import Run

pytestmark = [pytest.mark.slow, pytest.mark.browser, pytest.mark.jack, pytest.mark.timeout(600)]
using_jack = pytest.mark.usefixtures("jack_server")

JAM: Final = ("--backend", "loopback", "--key", "C", "--tempo", "150")
KEYS: Final = "qwertyu"
PRESSES: Final = 300
NOTES_A_SECOND: Final = 20
# The same key comes again after seven presses of 60 ms.
NEXT_SAME_MS: Final = 400.0
# A second connection of the page to the jam, which records when keys went down and when they were heard.
WITNESS: Final = """
async () => {
  const socket = new WebSocket(new URL('ws', location.href).href.replace(/^http/, 'ws'));
  const seen = window.seen = { pressed: [], heard: [], drawn: [], best: 1e9, offset: 0 };
  addEventListener('keydown', (event) => seen.pressed.push(event.timeStamp), true);
  await new Promise((resolve) => { socket.onopen = resolve; });
  socket.onmessage = ({ data }) => {
    const now = performance.now(), message = JSON.parse(data);
    if (message.event === 'pong' && now - message.sent_ms < seen.best) {
      seen.best = now - message.sent_ms;
      seen.offset = message.now_s * 1000 - (now + message.sent_ms) / 2;
    }
    if (message.event === 'heard' && message.port.startsWith('Page')) seen.heard.push(message.at_s * 1000);
  };
  setInterval(() => socket.send(JSON.stringify({ event: 'ping', sent_ms: performance.now() })), 200);
  let last = null;
  const look = () => {
    const drawn = window.improviser.lastDrawn.you;
    if (drawn && drawn !== last) { last = drawn; seen.drawn.push({ note: drawn.note, at: drawn.at_ms }); }
    requestAnimationFrame(look);
  };
  look();
}
"""
FRAMES: Final = """
(seconds) => new Promise((resolve) => {
  let count = 0, begun = performance.now();
  const next = (now) => {
    count += 1;
    if (now - begun > seconds * 1000) resolve(count / ((now - begun) / 1000));
    else requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})
"""


def shown(name: str, values: Sequence[float], unit: str = "ms") -> str:
    """Return a line of the table."""
    ordered = sorted(values)

    def quantile(share: float) -> float:
        """Return a quantile."""
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    return (
        f"{name:44} n {len(ordered):4}  p50 {statistics.median(ordered):6.2f}  p99 {quantile(0.99):6.2f}  "
        f"max {ordered[-1]:6.2f} {unit}"
    )


def pressed(one: Open, count: int) -> dict[str, Any]:
    """Press keys, one every 60 ms; return what the second connection recorded."""
    one.page.evaluate(WITNESS)
    one.page.wait_for_timeout(2000)
    for place in range(count):
        one.page.keyboard.down(KEYS[place % len(KEYS)])
        one.page.wait_for_timeout(30)
        one.page.keyboard.up(KEYS[place % len(KEYS)])
        one.page.wait_for_timeout(30)
    one.page.wait_for_timeout(500)
    return dict(json.loads(one.page.evaluate("JSON.stringify(window.seen)")))


def test_how_soon_a_key_is_heard_and_drawn(browser: Browser, run: Run) -> None:
    """Measure the time from a key's own time stamp to the engine hearing it, and to the drawing of its note."""
    _, url = start(run, *JAM)
    with opened(browser, url) as one:
        seen = pressed(one, PRESSES)
    assert PRESSES == len(seen["pressed"]) == len(seen["heard"])
    heard = [at - seen["offset"] - key for key, at in zip(seen["pressed"], seen["heard"], strict=True)]
    print(shown("key press to the engine", heard))  # noqa: T201 - a figure
    notes = [60, 62, 64, 65, 67, 69, 71]
    drawn = []
    for place, key in enumerate(seen["pressed"]):
        note = notes[place % len(notes)]
        moments = (each["at"] - key for each in seen["drawn"] if each["note"] == note and each["at"] > key)
        late_ms = next(moments, NEXT_SAME_MS)
        if late_ms < NEXT_SAME_MS:
            drawn.append(late_ms)
    print(shown("key press to the drawn roll", drawn))  # noqa: T201
    assert len(drawn) > PRESSES * 0.95


@using_jack
def test_how_many_frames_a_second(browser: Browser, run: Run) -> None:
    """Measure the frame rate with twenty notes a second on the roll, compared with a page that draws nothing."""
    jam, url = start(run, "--backend", "jack", "--in", VIRTUAL_INPUT, "--key", "C", "--tempo", "150")
    del jam
    with opened(browser, url) as one:
        one.page.evaluate(
            """(gap) => {
                let place = 0;
                const socket = new WebSocket(new URL('ws', location.href).href.replace(/^http/, 'ws'));
                socket.onopen = () => setInterval(() => {
                    const note = 48 + (place * 7) % 36;
                    socket.send(JSON.stringify({ event: 'receive', data: [144, note, 80] }));
                    const lifted = JSON.stringify({ event: 'receive', data: [128, note, 0] });
                    setTimeout(() => socket.send(lifted), 120);
                    place += 1;
                }, gap);
            }""",
            1000 / NOTES_A_SECOND,
        )
        one.page.wait_for_timeout(8000)
        busy = [one.page.evaluate(FRAMES, 4) for _ in range(3)]
        assert one.value("drawn") > 150
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_content("<canvas></canvas>")
    empty = [page.evaluate(FRAMES, 4) for _ in range(3)]
    context.close()
    ratio = statistics.median(busy) / statistics.median(empty)
    print(  # noqa: T201 - a figure
        f"frames a second: {statistics.median(busy):.1f} with {NOTES_A_SECOND} notes a second, "
        f"{statistics.median(empty):.1f} on an empty canvas: ratio {ratio:.2f}"
    )


@pytest.mark.parametrize("options", [("--key", "C"), ()], ids=["key locked", "as it comes"])
def test_how_soon_it_answers(browser: Browser, run: Run, options: tuple[str, ...]) -> None:
    """Measure the time from the process start to a loaded page, to the first note, and to the first answer."""
    own, answers, pages = [], [], []
    for _ in range(5):
        begun_s = time.monotonic()
        jam, url = start(run, "--backend", "loopback", *options)
        with opened(browser, url) as one:
            pages.append(time.monotonic() - begun_s)
            one.page.keyboard.down("q")
            one.until("window.improviser.drawn > 0")
            own.append(time.monotonic() - begun_s)
            for key in "ertqwert" * 4:
                if one.value("sounded") > 0:
                    break
                one.page.keyboard.up("q")
                one.page.keyboard.down(key)
                one.page.wait_for_timeout(250)
                one.page.keyboard.up(key)
            one.until("window.improviser.sounded > 0")
            answers.append(time.monotonic() - begun_s)
        jam.process.terminate()
        jam.end()
    print(shown(f"process start to the page {options}", pages, "s"))  # noqa: T201 - figures
    print(shown("process start to the first note of yours", own, "s"))  # noqa: T201
    print(shown("process start to the first answer", answers, "s"))  # noqa: T201
