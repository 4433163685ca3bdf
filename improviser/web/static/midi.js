/** MIDI keyboards that the browser sees: sends their messages to the program. */

import { Device } from "./device.js";
import { byId, setText } from "./dom.js";
import { Thinner } from "./thin.js";

// The program's own ports are left out: they would make a loop.
const OWN = /improviser/i;
const NO_MIDI = "This browser has no Web MIDI. A keyboard on the computer that runs the improviser works without it.";

/** Offers the browser's MIDI inputs; calls `play(data)` with the bytes of each channel message. */
export class WebMidi {
  #play;
  // The open inputs by port id: {input, device}.
  #open = new Map();
  // One thinner for all keyboards, since the rate limit is per page.
  #thinner = new Thinner();

  constructor(play) {
    this.#play = play;
    if (!navigator.requestMIDIAccess) {
      setText(byId("web-midi-says"), NO_MIDI);
      return;
    }
    byId("web-midi").hidden = false;
    byId("web-midi").addEventListener("click", () => this.#ask());
  }

  /** Release everything that the keyboards hold. */
  releaseAll() {
    for (const { device } of this.#open.values()) device.releaseAll();
  }

  async #ask() {
    const button = byId("web-midi");
    button.disabled = true;
    try {
      const access = await navigator.requestMIDIAccess();
      access.addEventListener("statechange", () => this.#listen(access));
      this.#listen(access);
    } catch {
      button.disabled = false;
      setText(byId("web-midi-says"), "The browser blocks MIDI. Allow MIDI for this page in the address bar, then try again.");
    }
  }

  /** Listen to all connected inputs; release what was held on a disconnected one. */
  #listen(access) {
    const inputs = [...access.inputs.values()].filter((input) => input.state !== "disconnected" && !OWN.test(input.name));
    const ids = new Set(inputs.map((input) => input.id));
    for (const id of [...this.#open.keys()]) if (!ids.has(id)) this.#close(id);
    for (const input of inputs) if (!this.#open.has(input.id)) this.#add(input);
    const names = inputs.map((input) => input.name).join(", ");
    setText(byId("web-midi-says"), names ? `Listening to ${names}.` : "No MIDI keyboard found. Plug one in.");
  }

  #add(input) {
    const device = new Device(this.#play, this.#thinner, input.id);
    this.#open.set(input.id, { input, device });
    input.onmidimessage = ({ data }) => { if (data[0] >= 0x80 && data[0] < 0xf0) device.take([...data]); };
  }

  #close(id) {
    const { input, device } = this.#open.get(id);
    this.#open.delete(id);
    input.onmidimessage = null;
    device.releaseAll();
  }
}
