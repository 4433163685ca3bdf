"""Input on the page: what a key does where something has the focus, what is refused, what is sent."""

from __future__ import annotations

import json
import math
import signal
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.browsing import PATIENCE_S, Open, opened, soon, start
from tests.live import Command, Partner, Run

pytestmark = [pytest.mark.browser, pytest.mark.jack, pytest.mark.usefixtures("jack_server")]

LOOPBACK = ("--backend", "loopback", "--key", "C", "--tempo", "300")
# Five fingers on an MPE keyboard, each with bend, pressure and CC 74, 46 times a second.
FINGERS, STREAMS, RATE_HZ, SECONDS = 5, 3, 46, 6
# A Web MIDI keyboard played by the test; the real Web MIDI needs a system with MIDI devices.
KEYBOARD = """
navigator.requestMIDIAccess = async () => {
    const input = { id: "one", name: "Test MPE", state: "connected", onmidimessage: null };
    window.testKeyboard = (data) => input.onmidimessage({ data: Uint8Array.from(data) });
    return { inputs: new Map([["one", input]]), addEventListener() {} };
};
"""
FLOOD = """async ([fingers, hertz, seconds]) => {
    const begunMs = performance.now();
    for (let finger = 1; finger <= fingers; finger += 1) testKeyboard([0x90 | finger, 60 + finger, 90]);
    let sent = 0;
    for (let turn = 0; turn < hertz * seconds; turn += 1) {
        const dueMs = begunMs + (1000 * turn) / hertz;
        while (performance.now() < dueMs) await new Promise((resolve) => setTimeout(resolve, 1));
        for (let finger = 1; finger <= fingers; finger += 1) {
            testKeyboard([0xe0 | finger, turn % 128, 64]);
            testKeyboard([0xd0 | finger, turn % 128]);
            testKeyboard([0xb0 | finger, 74, turn % 128]);
            sent += 3;
        }
        if (turn % hertz) continue;
        testKeyboard([0xb0, 64, (turn / hertz) % 2 ? 0 : 127]);
        testKeyboard([0x91, 80, 90]);
        testKeyboard([0x81, 80, 0]);
    }
    for (let finger = 1; finger <= fingers; finger += 1) testKeyboard([0x80 | finger, 60 + finger, 0]);
    return [sent, (performance.now() - begunMs) / 1000];
}"""


def focused(page: Page) -> str:
    """Return the id of the focused element, or its tag where it has no id."""
    return str(page.evaluate("document.activeElement.id || document.activeElement.tagName"))


def notes_heard(jam: Command) -> list[int]:
    """Return the notes from the page that the jam has heard."""
    return [event["note"] for event in of_page(jam, "heard")]


def of_page(jam: Command, kind: str) -> list[dict[str, Any]]:
    """Return the jam's events of one kind that come from a page; the built-in player may have played before."""
    return [event for event in jam.told(kind) if event["port"].startswith("Page")]


@pytest.mark.parametrize("field", ["preset", "lock", "input", "output"])
def test_a_closed_list_eats_no_note(browser: Browser, run: Run, field: str) -> None:
    """With the focus on a closed list, letters play notes and choose nothing; a choice removes the focus."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.page.locator(f"#{field}").focus()
        before = one.page.locator(f"#{field}").input_value()
        one.play("fcea5")  # F, C, E and A begin names of presets and keys; A and F play nothing
        assert soon(lambda: notes_heard(jam) == [52, 64, 66])
        assert before == one.page.locator(f"#{field}").input_value()
        assert field == focused(one.page)
        one.page.locator("#lock").select_option("Am")
        assert "lock" != focused(one.page)
        one.until_state("state.lock === 'Am'")


def test_an_open_list_is_searched_by_letters(browser: Browser, run: Run) -> None:
    """In an open list letters search, and play nothing."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.page.locator("#preset").focus()
        one.page.keyboard.press("Enter")
        one.until("document.querySelector('#preset').matches(':open')")
        one.play("c")
        one.page.keyboard.press("Escape")
        one.until("!document.querySelector('#preset').matches(':open')")
        one.play("v")
        assert soon(lambda: notes_heard(jam) == [53])


def test_letters_play_while_the_tempo_is_written(browser: Browser, run: Run) -> None:
    """In the tempo field digits are text and letters play notes; Enter and Escape remove the focus."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.page.locator("#tempo").fill("")
        one.page.locator("#tempo").press_sequentially("1e3w2")
        assert "132" == one.page.locator("#tempo").input_value()
        assert soon(lambda: notes_heard(jam) == [64, 62])
        one.page.keyboard.press("Enter")
        one.until_state("state.tempo_bpm === 132")
        assert "tempo" != focused(one.page)
        one.play("2")
        assert soon(lambda: notes_heard(jam) == [64, 62, 61])
        one.page.locator("#tempo").press_sequentially("99")
        before = jam.told("silenced")
        one.page.keyboard.press("Escape")
        one.until("document.activeElement.id !== 'tempo'")
        assert ("132", 132) == (one.page.locator("#tempo").input_value(), one.value("state.tempo_bpm"))
        assert before == jam.told("silenced")


@pytest.mark.parametrize("asked", ["1000", "3", ""])
def test_a_tempo_out_of_range_is_refused(browser: Browser, run: Run, asked: str) -> None:
    """A tempo out of range shows the allowed range and the present tempo; a valid tempo clears the message."""
    _, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        says = one.page.locator("#steer-says")
        one.page.locator("#tempo").fill(asked)
        one.page.locator("#tempo").press("Enter")
        expect(says).to_contain_text("from 20 to 400")
        assert "300" == one.page.locator("#tempo").input_value()
        one.page.locator("#tempo").fill("140")
        one.page.locator("#tempo").press("Enter")
        one.until_state("state.tempo_bpm === 140")
        expect(says).not_to_contain_text("from 20 to 400")


def test_what_the_jam_refuses_is_said_beside_what_asked(browser: Browser, run: Run) -> None:
    """A refused preset or port is reported beside its list, and a refused press in the notices."""
    _, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.page.locator("#like").click()
        expect(one.page.locator("#notice")).to_contain_text("Nothing was played just now")
        add = "(id) => document.getElementById(id).append(new Option('nowhere', 'nowhere'))"
        for field, says, reason in (
            ("preset", "steer-says", "Cannot switch to 'nowhere'; presets with this time grid:"),
            ("output", "ports-says", "the ports stay as they were"),
        ):
            one.page.evaluate(add, field)
            one.page.locator(f"#{field}").select_option("nowhere")
            expect(one.page.locator(f"#{says}")).to_contain_text(reason)
        expect(one.page.locator("#preset")).to_have_value("chorale", timeout=PATIENCE_S * 1000)


def test_what_was_clicked_gives_the_focus_back(browser: Browser, run: Run) -> None:
    """After a click Space taps the tempo; on a button focused by keyboard Space presses that button."""
    _, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.page.locator("#mute").click()
        one.until_state("state.mute")
        for _ in range(4):
            one.page.keyboard.press("Space")
            one.page.wait_for_timeout(400)
        one.until_state("state.mute && state.tempo_bpm > 100 && state.tempo_bpm < 200")
        one.page.locator("#mute").focus()
        one.page.keyboard.press("Space")
        one.until_state("!state.mute")
        assert "mute" == focused(one.page)


def test_a_clicked_white_key_lies_below_its_black_neighbours(browser: Browser, run: Run) -> None:
    """A focused white key does not cover the black key beside it: a click there plays the black key."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.page.locator("#piano [data-note='60']").click(position={"x": 5, "y": 90})
        one.page.locator("#piano [data-note='60']").focus()
        one.page.keyboard.press("ArrowRight")
        one.page.keyboard.press("ArrowLeft")
        black = one.page.locator("#piano [data-note='61']").bounding_box()
        assert black is not None
        one.page.mouse.click(black["x"] + 3, black["y"] + 20)
        assert soon(lambda: notes_heard(jam) == [60, 61])


def test_two_downloads_have_two_names(browser: Browser, run: Run) -> None:
    """The downloads of the whole take and of the last bars have different names."""
    _, url = start(run, *LOOPBACK)
    names = []
    with opened(browser, url) as one:
        one.play("qwertq" * 3)
        for link in ("take", "take-8"):
            with one.page.expect_download() as download:
                one.page.locator(f"#{link}").click()
            names.append(download.value.suggested_filename)
    assert ["improviser-take.mid", "improviser-last-8-bars.mid"] == names


def test_it_says_why_it_is_silent(browser: Browser, run: Run) -> None:
    """The page says over the roll why the improviser is silent: muted, or at rest until the player plays."""
    jam, url = start(run, *LOOPBACK, "--preset", "fiddle")
    with opened(browser, url) as one:
        silent = one.page.locator("#silent")
        one.play("qwertq" * 2)
        expect(silent).to_be_hidden()
        one.page.locator("#mute").click()
        expect(silent).to_contain_text("It is muted")
        one.page.locator("#mute").click()
        expect(silent).to_be_hidden()
        expect(silent).to_contain_text("It rests until you play", timeout=10_000)
        expect(silent).to_be_visible()
        assert jam.told("rested")
        one.play("q")
        expect(silent).to_be_hidden()


def test_ports_that_come_and_go_are_listed(browser: Browser, run: Run, partner: Partner) -> None:
    """The page lists the open inputs, adds a keyboard that is plugged in, and marks one that is gone."""
    _, url = start(run, "--backend", "jack", "--key", "C")
    with opened(browser, url) as one:
        listens = one.page.locator("#ports-in")
        expect(listens).to_have_text("Improviser In")
        partner.offer()
        expect(listens).to_contain_text("Test Keys", timeout=10_000)
        partner.unplug()
        expect(listens).to_contain_text("(disconnected)", timeout=10_000)
        one.until_state("state.gone.length === 1 && state.ports.in.length === 1")
        partner.offer()
        one.until_state("state.gone.length === 0 && state.ports.in.length === 2")


def test_bars_are_the_same_everywhere(browser: Browser, run: Run) -> None:
    """The page, the jam's events and `improviser explain` number the bars alike, also after a rest."""
    jam, url = start(run, *LOOPBACK, "--preset", "fiddle")
    with opened(browser, url) as one:
        one.play("qwertq" * 2)
        assert soon(lambda: jam.told("rested"))
        one.page.wait_for_timeout(1500)  # empty bars are not counted anywhere
        one.play("qwertq" * 2)
        assert soon(lambda: len(jam.told("rested")) == 2)
        shown = one.page.locator("#notes button").all_text_contents()
    bars_on_page = {int(text.split("bar ")[1].split(" ")[0]) for text in shown}
    jam.process.send_signal(signal.SIGTERM)
    assert 0 == jam.end()[0]
    played = jam.told("played")
    assert bars_on_page <= {math.floor(event["beat"] / 4) + 1 for event in played}
    woken = next(event for event in jam.told("heard") if event["at_s"] > jam.told("rested")[0]["at_s"])
    rested = jam.told("rested")[0]
    first = min(event["beat"] for event in played if event["due_s"] > woken["at_s"])
    assert math.floor(rested["beat"] / 4) + 1 == math.floor(first / 4)
    path = jam.told("recorded")[0]["path"]
    for bar in bars_on_page:
        explained = run("explain", path, str(bar), "--json")
        assert 0 == explained.end()[0]
        told = [json.loads(line) for line in explained.lines]
        on_page = sorted(text.split(",")[0] for text in shown if f"bar {bar} " in text)
        assert len({(line["time"], line["beat"]) for line in told}) >= len(on_page) > 0


def flood(one: Open) -> tuple[int, float]:
    """Play five gliding fingers on the browser's keyboard; return the number of messages and the seconds."""
    one.page.locator("#web-midi").click()
    one.until("window.testKeyboard !== undefined")
    sent, seconds = one.page.evaluate(FLOOD, [FINGERS, RATE_HZ, SECONDS])
    return int(sent), float(seconds)


def test_an_mpe_keyboard_is_thinned_out_and_never_cut_off(browser: Browser, run: Run) -> None:
    """Of 690 messages a second the newest values arrive before each note-off, and the page stays connected."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.page.evaluate(KEYBOARD)
        sent, seconds = flood(one)
        assert sent / seconds > 0.9 * FINGERS * STREAMS * RATE_HZ
        last = RATE_HZ * SECONDS - 1
        assert soon(lambda: newest(jam) == dict.fromkeys(streams(), last % 128))
        assert {"Page 1"} == {event["port"] for event in of_page(jam, "heard")}
        assert not one.page.locator("#banner").is_visible()
    notes = [(event["channel"], event["note"]) for event in of_page(jam, "heard")]
    fingers = [(finger + 1, 60 + finger) for finger in range(1, FINGERS + 1)]
    assert sorted([*fingers, *[(2, 80)] * SECONDS]) == sorted(notes)
    assert len(notes) == len(of_page(jam, "lifted"))
    controls = [event["data"] for event in jam.told("controlled")]
    pedals = [data for data in controls if data[0] == 0xB0 and data[1] == 64]
    assert [127, 0] * (SECONDS // 2) == [value for _, _, value in pedals]
    thinned = len(controls) - len(pedals)
    assert FINGERS * STREAMS * SECONDS < thinned < 300 * seconds
    for finger in range(1, 6):
        ends = next(e for e in of_page(jam, "lifted") if (e["channel"], e["note"]) == (finger + 1, 60 + finger))
        before = [e for e in jam.told("controlled") if e["at_s"] <= ends["at_s"]]
        assert last % 128 in {e["data"][1] for e in before if e["data"][0] == 0xE0 | finger}


def streams() -> list[tuple[int, int]]:
    """Return the status and the number of each gliding control."""
    fingers = range(1, FINGERS + 1)
    return [stream for finger in fingers for stream in ((0xE0 | finger, 0), (0xD0 | finger, 0), (0xB0 | finger, 74))]


def newest(jam: Command) -> dict[tuple[int, int], int]:
    """Return the newest value of each gliding control that the jam has heard."""
    values: dict[tuple[int, int], int] = {}
    for event in jam.told("controlled"):
        status, *data = event["data"]
        is_control = status & 0xF0 == 0xB0
        if not (is_control and data[0] == 64) and (status & 0x0F):
            values[status, data[0] if is_control else 0] = data[1] if is_control else data[0]
    return values
