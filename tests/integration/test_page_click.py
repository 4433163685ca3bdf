"""The click and the beat lights of the page in a real browser: heard on the beats, and seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.integration.browsing import Open, opened, soon, start
from tests.live import Command, Partner, Run

pytestmark = [pytest.mark.browser, pytest.mark.jack, pytest.mark.usefixtures("jack_server")]

LOOPBACK = ("--backend", "loopback", "--key", "C", "--tempo", "120")
# A sound that begins within this of its beat is on it: the sound card's clock advances in blocks of up to 10 ms.
ON_BEAT_S = 0.02
# Most lights change within this after their beat.
LIT_S = 0.06
# Records when the page's clicks are to sound, on the sound card's clock, and how that clock runs beside the page's.
RECORD = """
window.heardClicks = [];
const begin = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (at) {
  if (this.buffer && this.buffer.duration < 0.1) window.heardClicks.push({ at, node: this, context: this.context });
  return begin.apply(this, arguments);
};
const end = AudioBufferSourceNode.prototype.stop;
AudioBufferSourceNode.prototype.stop = function () {
  window.heardClicks = window.heardClicks.filter(({ node, context, at }) => node !== this || at < context.currentTime);
  return end.apply(this, arguments);
};
window.clockPairs = [];
setInterval(() => {
  const context = window.heardClicks.at(-1)?.context;
  if (context) window.clockPairs.push(context.currentTime - performance.now() / 1000);
}, 20);
"""
HEARD = """(() => {
  const offset = Math.max(...window.clockPairs);
  return window.heardClicks.map(({ at, context }) =>
    (performance.timeOrigin / 1000) + at - offset + (context.outputLatency || 0));
})()"""


def clicks_s(one: Open, jam: Command) -> list[float]:
    """Return when the clicks of a page are heard, in seconds by the jam's clock, in ascending order."""
    ready = jam.told("ready")[0]
    program_s = time.time() - time.monotonic() + ready["machine_s"] - ready["at_s"]
    return sorted(at_s - program_s for at_s in one.page.evaluate(HEARD))


def beats_s(started: dict[str, Any], tempo_bpm: float, beats: range) -> list[float]:
    """Return the times of beats of a count-in and after it."""
    return [started["at_s"] + (beat - started["beat"]) * 60 / tempo_bpm for beat in beats]


@pytest.fixture
def recording(browser: Browser, run: Run) -> Iterator[tuple[Open, Command]]:
    """A page that records its clicks, and its jam at 120 beats per minute."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.page.add_init_script(RECORD)
        one.page.reload()
        one.until("window.improviser?.state")
        one.page.locator("#start").click()
        one.until("document.querySelector('#hint').hidden")
        yield one, jam


def test_a_count_in_is_heard_on_its_beats(recording: tuple[Open, Command]) -> None:
    """The button counts in: four clicks are scheduled on the beats of the bar before bar 1, and no more."""
    one, jam = recording
    one.page.locator("#count-in").click()
    assert soon(lambda: jam.told("started"))
    one.until("window.heardClicks.length >= 4")
    one.page.wait_for_timeout(1500)
    started = jam.told("started")[0]
    assert -4.0 == started["beat"]
    assert beats_s(started, 120.0, range(-4, 0)) == pytest.approx(clicks_s(one, jam), abs=ON_BEAT_S)
    assert [True, False, False, False] == [click["downbeat"] for click in one.value("clicks")]


def test_the_metronome_follows_the_tempo(recording: tuple[Open, Command]) -> None:
    """With the metronome on, every beat clicks; a new tempo moves the clicks that were scheduled already."""
    one, jam = recording
    one.page.locator("#metronome").check()
    one.page.locator("#count-in").click()
    one.until("window.heardClicks.length >= 8")
    one.page.locator("#tempo").fill("90")
    one.page.locator("#tempo").press("Enter")
    assert soon(lambda: jam.told("synced"))
    one.until("window.heardClicks.length >= 14")
    synced = jam.told("synced")[-1]
    begun_s = jam.told("started")[0]["at_s"]
    sounded = [at_s for at_s in clicks_s(one, jam) if at_s > begun_s - 0.1]
    before = [at_s for at_s in beats_s(jam.told("started")[0], 120.0, range(-4, 40)) if at_s < synced["at_s"]]
    after = [synced["at_s"] + (beat - synced["beat"]) * 60 / 90 for beat in range(60) if beat >= synced["beat"]]
    expected = [at_s for at_s in before + after if at_s < sounded[-1] + 0.1]
    assert len(expected) > 10
    # A busy machine may hear of the count-in only after its first beat.
    assert expected[-len(sounded) :] == pytest.approx(sounded, abs=ON_BEAT_S)
    assert len(expected) - len(sounded) <= 1


def test_the_click_is_loud_enough_to_hear(recording: tuple[Open, Command]) -> None:
    """A click makes a sound that is loud and does not clip."""
    one, _ = recording
    peak = """async () => {
      const click = window.heardClicks.at(-1);
      const offline = new OfflineAudioContext(1, 4800, click.context.sampleRate);
      const source = offline.createBufferSource();
      source.buffer = click.node.buffer;
      source.connect(offline.destination);
      source.start();
      return Math.max(...(await offline.startRendering()).getChannelData(0).map(Math.abs));
    }"""
    one.page.locator("#count-in").click()
    one.until("window.heardClicks.length >= 1")
    assert 0.4 < one.page.evaluate(peak) <= 1.0


def test_the_metronome_is_remembered(browser: Browser, run: Run) -> None:
    """The switch is remembered by the browser, and replaces that of the jam."""
    _, url = start(run, *LOOPBACK, "--metronome")
    with opened(browser, url) as one:
        expect(one.page.locator("#metronome")).to_be_checked()
        one.page.locator("#metronome").uncheck()
        one.page.locator("#click-volume").fill("40")
        one.page.reload()
        one.until("window.improviser?.state")
        expect(one.page.locator("#metronome")).not_to_be_checked()
        assert "40" == one.page.locator("#click-volume").input_value()


def lit(one: Open) -> list[int]:
    """Return which lights are lit."""
    classes = one.page.locator("#lights span").evaluate_all("spans => spans.map((span) => span.className)")
    return [place for place, name in enumerate(classes) if "lit" in name]


WATCH = """() => {
  const [box, seen] = [document.querySelector("#lights"), []];
  window.seenLights = seen;
  new MutationObserver(() => {
    const place = [...box.children].findIndex((span) => span.className.includes("lit"));
    const isBegun = seen.length > 0 || box.className === "count-in";
    if (isBegun && place >= 0 && seen.at(-1)?.place !== place) {
      const atS = (performance.timeOrigin + performance.now()) / 1000;
      seen.push({ place, atS, isIn: box.className === "count-in" });
    }
  }).observe(box, { attributes: true, subtree: true, childList: true });
}"""


@pytest.mark.parametrize(("meter", "places"), [("4/4", [0, 1, 2, 3]), ("3/4", [0, 1, 2]), ("6/8", [0, 1])])
def test_lights_follow_the_beat(browser: Browser, run: Run, meter: str, places: list[int]) -> None:
    """There is a light for each counted beat; each is lit on its beat, in the count-in and after it."""
    jam, url = start(run, *LOOPBACK, "--meter", meter)
    with opened(browser, url) as one:
        expect(one.page.locator("#lights span")).to_have_count(len(places))
        one.page.evaluate(WATCH)
        one.page.locator("#count-in").click()
        one.until("window.seenLights.length >= 8")
        seen = one.page.evaluate("window.seenLights.slice(0, 8)")
    first = seen[0]["place"]  # a busy machine may hear of the count-in only after its first beat
    assert (places * 5)[first : first + 8] == [light["place"] for light in seen]
    assert [True] * (len(places) - first) == [light["isIn"] for light in seen][: len(places) - first]
    assert not any(light["isIn"] for light in seen[len(places) - first :])
    ready = jam.told("ready")[0]
    program_s = time.time() - time.monotonic() + ready["machine_s"] - ready["at_s"]
    begun_s = jam.told("started")[0]["at_s"]
    step_s = 0.75 if meter == "6/8" else 0.5
    late = [light["atS"] - program_s - begun_s - step_s * number for number, light in enumerate(seen, first)]
    # A busy machine draws a frame late, but none early, and not every one late.
    assert min(late) > -ON_BEAT_S
    assert sorted(late)[2] < LIT_S


def test_a_clock_that_leads_refuses_a_count_in(browser: Browser, run: Run, partner: Partner) -> None:
    """While a MIDI clock leads, the count-in is refused beside its button; lights follow the clock and stop with it."""
    _, url = start(run, "--key", "C", "--in", "Improviser In")
    with opened(browser, url) as one, ticking(partner, 100.0):
        assert [] == lit(one)
        partner.send(0xFA)
        one.until_state("state.clock === 'midi' && state.rolling")
        seen: list[int] = []
        for _ in range(24):
            one.page.wait_for_timeout(150)
            seen += lit(one)
        one.page.locator("#count-in").click()
        expect(one.page.locator("#steer-says")).to_contain_text("Cannot count in: the MIDI clock on")
        partner.send(0xFC)
        one.until("!document.querySelector('#lights .lit')")
    assert {0, 1, 2, 3} == set(seen)


@contextmanager
def ticking(partner: Partner, tempo_bpm: float) -> Iterator[None]:
    """Send the ticks of a MIDI clock to the jam while the block runs."""
    has_ended = threading.Event()

    def tick() -> None:
        """Send ticks until the block ends."""
        next_s = time.monotonic()
        while not has_ended.wait(max(0.0, next_s - time.monotonic())):
            partner.send(0xF8)
            next_s += 60 / tempo_bpm / 24

    partner.connect()
    thread = threading.Thread(target=tick)
    thread.start()
    try:
        yield
    finally:
        has_ended.set()
        thread.join()
