"""The page of a jam in a real browser: played, heard, drawn, steered, lost and reconnected."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from axe_playwright_python.sync_playwright import Axe
from matplotlib.image import imread
from playwright.sync_api import Browser, expect

from improviser.midi.smf import read_file
from tests.integration.browsing import PATIENCE_S, opened, soon, start
from tests.live import CHECKOUT, Partner, Run
from tests.some import some_files

pytestmark = [pytest.mark.browser, pytest.mark.jack, pytest.mark.usefixtures("jack_server")]

LOOPBACK = ("--backend", "loopback", "--key", "C", "--tempo", "300")
KNOBS = ("harmony", "coherence", "creativity", "temperature", "density", "register", "echo", "velocity", "feel")
TRANSFER_MAX = 300_000
# Largest mean difference in brightness of two pictures that look alike; the notes on the roll differ.
LIKE = 0.05


def state_of(folder: Path) -> dict[str, Any]:
    """Return the jam's own state, as `improviser ctl` reads it."""
    environment = os.environ | {"IMPROVISER_STATE_DIR": str(folder / "state"), "PYTHONPATH": str(CHECKOUT)}
    told = subprocess.run(
        [sys.executable, "-m", "improviser", "ctl", "--json"],
        check=True,
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment,
    )
    return dict(json.loads(told.stdout))


def test_keys_are_played_and_answered_on_the_roll(browser: Browser, run: Run) -> None:
    """Computer keys play notes like a keyboard; the improviser's answer is drawn and sounds."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.play("qwertq" * 3)
        one.until("window.improviser.drawn > 18 && window.improviser.sounded > 0")
        heard = jam.told("heard")
        assert [60, 62, 64, 65, 67, 60] == [event["note"] for event in heard if event["port"] == "Page 1"][:6]
        assert jam.told("played")
        assert 0 <= one.value("lead_ms") <= 200
        one.page.locator("#notes button").first.click()
        expect(one.page.locator("#why")).to_contain_text("%")


def test_the_mouse_plays_and_touch_does(browser: Browser, run: Run) -> None:
    """A click or a tap on the page's piano plays a note and releases it."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url, has_touch=True) as one:
        one.page.locator("#piano [data-note='64']").click()
        assert soon(lambda: jam.told("lifted"))
        one.page.locator("#piano [data-note='67']").tap()
        assert soon(lambda: len(jam.told("lifted")) == 2)
        assert [64, 67] == [event["note"] for event in jam.told("heard") if event["port"].startswith("Page")]


def test_every_knob_turns_that_of_the_jam(browser: Browser, run: Run, tmp_path: Path) -> None:
    """Each slider and the tempo field change the jam, and another page shows the change."""
    _, url = start(run, *LOOPBACK)
    with opened(browser, url) as one, opened(browser, url) as other:
        for place, knob in enumerate(KNOBS):
            one.page.locator(f"#knob-{knob}").fill(str(0.5 + 0.05 * place))
        one.page.locator("#tempo").fill("132")
        one.page.locator("#tempo").press("Enter")
        expected = {knob: pytest.approx(0.5 + 0.05 * place) for place, knob in enumerate(KNOBS)}
        assert soon(lambda: state_of(tmp_path)["panel"] == expected)
        assert 132.0 == state_of(tmp_path)["tempo_bpm"]
        other.until_state("state.panel.velocity > 0.8 && state.tempo_bpm === 132")
        assert "0.85" == other.page.locator("#knob-velocity").input_value()


def test_switches_are_those_of_the_jam(browser: Browser, run: Run, tmp_path: Path) -> None:
    """Mute, solo and freeze switch the jam's own state on and off."""
    _, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        for name in ("mute", "solo", "freeze"):
            one.page.locator(f"#{name}").click()
            one.until_state(f"state.{name}")
            assert "true" == one.page.locator(f"#{name}").get_attribute("aria-pressed")
        assert {True} == {state_of(tmp_path)[name] for name in ("mute", "solo", "freeze")}
        for name in ("mute", "solo", "freeze"):
            one.page.locator(f"#{name}").click()
            one.until_state(f"!state.{name}")


def test_the_mode_is_chosen_and_its_turns_are_counted(browser: Browser, run: Run, tmp_path: Path) -> None:
    """The page chooses turns, which it counts, and another page shows them; End lets the music end and wait."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one, opened(browser, url) as other:
        one.page.locator("#mode").select_option("trade-1")
        one.until_state("state.mode === 'trade-1'")
        one.play("qwertq" * 4)
        expect(one.page.locator("#turn")).to_contain_text("bar 1 of 1")
        assert "trade-1" == state_of(tmp_path)["mode"]
        expect(other.page.locator("#mode")).to_have_value("trade-1")
        one.page.locator("#mode").select_option("alone")
        one.until_state("state.mode === 'alone'")
        one.page.locator("#end").click()
        assert soon(lambda: jam.told("end_asked") and jam.told("rested"))


def test_presses_teach_and_are_taken_back(browser: Browser, run: Run) -> None:
    """Like and dislike change the preference, which the page describes in words; undo and undo all revert them."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.play("qwertq" * 4)
        one.until("window.improviser.sounded > 4")
        one.page.locator("#like").click()
        one.until_state("state.likes === 1")
        one.page.locator("#dislike").click()
        one.until_state("state.dislikes === 1 && Object.values(state.taste).some((weight) => weight !== 0)")
        words = one.value("state.words")
        expect(one.page.locator("#words")).to_contain_text(words)
        one.page.locator("#undo").click()
        assert soon(lambda: len(jam.told("undone")) == 1)
        one.page.locator("#undo-all").click()
        assert soon(lambda: len(jam.told("undone")) == 2)
        one.until_state("Object.values(state.taste).every((weight) => weight === 0)")


def test_key_preset_tempo_and_panic_are_the_jams(browser: Browser, run: Run, tmp_path: Path) -> None:
    """The page locks the key, changes the preset, sends a panic, saves bars, sets the tempo by taps, and follows."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.play("qwertq" * 3)
        one.page.locator("#lock").select_option("F#m")
        one.page.locator("#preset").select_option("fiddle")
        one.play("qwertq" * 2)
        one.until_state("state.lock === 'F#m' && state.key === 'F#m' && state.preset === 'fiddle'")
        assert ("fiddle", "F#m") == tuple(state_of(tmp_path)[name] for name in ("preset", "lock"))
        before = len(jam.told("silenced"))
        one.page.locator("#panic").click()
        assert soon(lambda: len(jam.told("silenced")) > before)
        one.page.locator("#keep").click()
        assert soon(lambda: jam.told("recorded"))
        for _ in range(4):
            one.page.locator("#tap").click()
            one.page.wait_for_timeout(400)
        one.until_state("state.tempo_bpm > 100 && state.tempo_bpm < 200")
        follow = one.page.locator("#follow")
        assert "false" == follow.get_attribute("aria-pressed")
        follow.click()
        one.until_state("state.clock === 'follow'")
        assert "true" == follow.get_attribute("aria-pressed")
        follow.click()
        one.until_state("state.clock === 'own'")
        assert "false" == follow.get_attribute("aria-pressed")


def test_keys_of_the_computer_steer_too(browser: Browser, run: Run) -> None:
    """Shift with the arrows likes and dislikes, Escape is the panic; digits in the tempo field play no note."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.play("qwertq" * 3)
        one.page.keyboard.press("Shift+ArrowUp")
        one.until_state("state.likes === 1")
        one.page.keyboard.press("Shift+ArrowDown")
        one.until_state("state.dislikes === 1")
        before = len(jam.told("silenced"))
        one.page.keyboard.press("Escape")
        assert soon(lambda: len(jam.told("silenced")) > before)
        heard = len(jam.told("heard"))
        one.page.locator("#tempo").focus()
        one.page.keyboard.press("7")
        one.page.wait_for_timeout(200)
        assert heard == len(jam.told("heard"))


def test_ports_are_chosen_on_the_page(browser: Browser, run: Run, partner: Partner, tmp_path: Path) -> None:
    """An input and an output are each chosen without changing the other; after changing back no note sounds."""
    jam, url = start(run, "--backend", "jack", "--key", "C", "--tempo", "150")
    partner.offer()
    synth = Partner()
    synth.receive("Test Synth")
    with opened(browser, url) as one:
        one.until_state("state.offered.in.length > 0 && state.offered.out.length > 0")
        keys = next(name for name in one.value("state.offered.in") if "Test Keys" in name)
        out = next(name for name in one.value("state.offered.out") if "Test Synth" in name)
        one.page.locator("#input").select_option(keys)
        one.until_state(f"state.route.in === {json.dumps(keys)} && state.route.out === null")
        one.page.locator("#output").select_option(out)
        one.until_state(f"state.sends_on === {json.dumps(out)} && state.route.in === {json.dumps(keys)}")
        assert (keys, out) == tuple(state_of(tmp_path)["route"].values())
        one.play("qwertq" * 2)
        assert soon(lambda: synth.ons)
        one.page.locator("#output").select_option(index=0)
        one.until_state("state.is_virtual")
        assert soon(lambda: not synth.sounding)
    jam.process.send_signal(signal.SIGTERM)
    assert 0 == jam.end()[0]
    assert 0 == jam.told("summary")[0]["stuck_notes"]
    synth.close()


def test_a_page_that_is_loaded_anew_shows_what_was_played(browser: Browser, run: Run) -> None:
    """After a reload during play the roll shows the earlier notes, and keys that were down are released."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.play("qwertq" * 2)
        one.until("window.improviser.drawn > 12")
        one.page.keyboard.down("q")
        one.page.reload()
        one.until("window.improviser?.drawn > 12")
        assert soon(lambda: len(jam.told("lifted")) == len(jam.told("heard")))
        one.play("qw")
        assert soon(lambda: "Page 2" in {event["port"] for event in jam.told("heard")})


def test_a_performer_that_is_killed_is_told_of_and_replaced(browser: Browser, run: Run) -> None:
    """The page shows that the performer was killed, and the next performer answers."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.play("qwertq" * 2)
        one.until("window.improviser.drawn > 12")
        os.kill(jam.performer(), signal.SIGKILL)
        expect(one.page.locator("#banner")).to_be_visible(timeout=PATIENCE_S * 1000)
        one.until_state("state.alive")
        played = len(jam.told("played"))
        one.play("qwertq" * 2)
        assert soon(lambda: len(jam.told("played")) > played)
        expect(one.page.locator("#banner")).to_be_hidden(timeout=PATIENCE_S * 1000)


def test_a_jam_that_is_gone_is_told_of(browser: Browser, run: Run) -> None:
    """When the whole jam is killed, the page says what to do."""
    jam, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.play("qwer")
        jam.process.kill()
        jam.process.wait(PATIENCE_S)
        banner = one.page.locator("#banner")
        expect(banner).to_be_visible(timeout=PATIENCE_S * 1000)
        expect(banner).to_contain_text("improviser jam")


def test_what_was_played_is_taken_away_as_a_midi_file(browser: Browser, run: Run, tmp_path: Path) -> None:
    """A link on the page downloads both parts as a MIDI file."""
    _, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.play("qwertq" * 3)
        with one.page.expect_download() as download:
            one.page.locator("#take").click()
        path = tmp_path / "take.mid"
        download.value.save_as(path)
    assert {"player", "improviser"} <= {track.name for track in read_file(path).tracks}


def test_the_doctor_says_what_is_missing(browser: Browser, run: Run) -> None:
    """The page lists the doctor's findings."""
    _, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        one.page.locator("#doctor-run").click()
        expect(one.page.locator("#doctor-list > *").first).to_be_visible(timeout=PATIENCE_S * 1000)
        assert one.page.locator("#doctor-list > *").count() > 5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_everybody_can_use_it(browser: Browser, run: Run, scheme: str, width: int) -> None:
    """No accessibility violation is found by axe with every section shown, and nothing is wider than the screen."""
    _, url = start(run, *LOOPBACK)
    with opened(browser, url, color_scheme=scheme, viewport={"width": width, "height": 800}) as one:
        one.play("qwertq" * 2)
        one.until("document.querySelector('#notes button')")
        one.page.locator("#notes button").first.click()
        one.page.locator("#help summary").click()
        one.page.locator("#doctor-run").click()
        expect(one.page.locator("#doctor-list > *").first).to_be_visible(timeout=PATIENCE_S * 1000)
        found = Axe().run(one.page)
        assert 0 == found.violations_count, found.generate_report()
        assert width >= one.page.evaluate("document.documentElement.scrollWidth")


def test_it_loads_light_and_still(browser: Browser, run: Run) -> None:
    """The page transfers less than 300 kB, nothing shifts while it loads, and it contacts no other host."""
    _, url = start(run, *LOOPBACK)
    with opened(browser, url) as one:
        received = one.page.evaluate(
            "performance.getEntriesByType('resource')"
            ".concat(performance.getEntriesByType('navigation'))"
            ".reduce((sum, entry) => sum + entry.transferSize, 0)"
        )
        assert 10_000 < received < TRANSFER_MAX
        shift = one.page.evaluate(
            """() => new Promise((resolve) => {
                let sum = 0;
                new PerformanceObserver((list) => {
                    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
                }).observe({ type: 'layout-shift', buffered: true });
                setTimeout(() => resolve(sum), 500);
            })"""
        )
        assert shift < 0.01


def test_it_looks_as_in_the_pictures(browser: Browser, run: Run, tmp_path: Path) -> None:
    """The page looks like the pictures in the documentation, light and dark, in squares of 40 pixels."""
    _, url = start(run, *LOOPBACK, "--preset", "fiddle")
    looks = {}
    for scheme in ("light", "dark"):
        with opened(browser, url, color_scheme=scheme, viewport={"width": 1280, "height": 860}) as one:
            one.play("qwertq" * 2)
            one.until("window.improviser.sounded > 0")
            one.page.screenshot(path=tmp_path / f"{scheme}.png")
        looks[scheme] = squares(tmp_path / f"{scheme}.png")
    pictures = {scheme: squares(CHECKOUT / "docs" / "pictures" / f"page-{scheme}.png") for scheme in looks}
    for scheme, look in looks.items():
        assert np.abs(look - pictures[scheme]).mean() < LIKE
    assert np.abs(looks["light"] - looks["dark"]).mean() > 5 * LIKE


def squares(path: Path) -> npt.NDArray[np.float64]:
    """Return the mean brightness, 0 to 1, of each square of 40 pixels of a picture."""
    pixels = imread(path)[..., :3].mean(axis=2)
    rows, columns = (length // 40 for length in pixels.shape)
    cut = pixels[: rows * 40, : columns * 40].reshape(rows, 40, columns, 40)
    return np.asarray(cut.mean(axis=(1, 3)), dtype=np.float64)


def test_other_sites_get_nothing_through_the_browser(browser: Browser, run: Run) -> None:
    """A page of another origin cannot open the jam's web socket."""
    jam, url = start(run, *LOOPBACK)
    context = browser.new_context()
    page = context.new_page()
    page.route("http://evil.example/*", lambda route: route.fulfill(body="<html></html>"))
    page.goto("http://evil.example/")
    socket = url.replace("http", "ws", 1) + "ws"
    answer = page.evaluate(
        """(address) => new Promise((resolve) => {
            const socket = new WebSocket(address);
            socket.onopen = () => resolve('open');
            socket.onerror = () => resolve('refused');
        })""",
        socket,
    )
    assert "refused" == answer
    context.close()
    assert [] == jam.told("heard")


def test_other_machines_are_served_only_when_asked_for(run: Run) -> None:
    """With --host the jam warns that it is open to the network, and refuses a wrong host name or a missing token."""
    jam, url = start(run, *LOOPBACK, "--host", "0.0.0.0")  # noqa: S104 - the test is about this address
    assert soon(lambda: any("open to your network" in event["text"] for event in jam.told("warning")))
    port = int(url.split(":")[2].split("/")[0])
    path = "/" + url.split("/", 3)[3]
    codes = []
    for host, wanted in (("127.0.0.1", path), ("evil.example", path), ("127.0.0.1", "/")):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        connection.request("GET", wanted, headers={"Host": f"{host}:{port}"})
        codes.append(connection.getresponse().status)
        connection.close()
    assert [200, 404, 404] == codes


def test_a_page_can_be_left_out_or_found_elsewhere(run: Run) -> None:
    """--no-web serves no page; if the port is taken the jam warns and plays on."""
    jam = run("jam", "--json", "--no-web", *LOOPBACK)
    jam.wait_until_told("ready")
    assert [] == jam.told("page")
    first, url = start(run, *LOOPBACK)
    port = url.split(":")[2].split("/")[0]
    second = run("jam", "--json", *LOOPBACK, "--web-port", port)
    second.wait_until_told("ready")
    assert soon(lambda: any("cannot serve the page" in event["text"] for event in second.told("warning")))
    assert [] == second.told("page")
    assert first.process.poll() is None


def test_the_page_does_not_sound_where_another_does(browser: Browser, run: Run, partner: Partner) -> None:
    """The page's sound is off while a synthesizer is connected to the virtual output; it can be switched on again."""
    _, url = start(run, "--backend", "jack", "--key", "C", "--tempo", "150")
    partner.listen()
    with opened(browser, url) as one:
        one.play("qw")
        one.until_state("state.heard_by.length > 0")
        one.until("!document.querySelector('#sound').checked")
        one.page.locator("#sound").check()
        one.play("qwertq" * 2)
        one.until("window.improviser.sounded > 0")


def test_the_token_is_told_once_and_written_nowhere(browser: Browser, run: Run, tmp_path: Path) -> None:
    """The page's token is in one event only: not in the jam's state, and not in any file."""
    jam, url = start(run, *LOOPBACK)
    token = url.split("/")[3]
    with opened(browser, url) as one:
        one.play("qwer")
    assert token not in json.dumps(state_of(tmp_path))
    assert 1 == sum(token in line for line in jam.lines)
    written = [path for path in some_files(tmp_path, "**/*") if path.is_file()]
    assert any(path.name.endswith(".session.jsonl") for path in written)
    assert not [path for path in written if token.encode() in path.read_bytes()]
