/** The nine knobs as sliders. */

import { byId, make, setText } from "./dom.js";

const KNOBS = {
  harmony: "0: clashes with you; 2: fits what you play",
  coherence: "0: disjointed; 2: connected",
  creativity: "0: repeats itself; 2: varies and surprises",
  temperature: "0: always the best choice; 2: more random",
  density: "0: few notes; 2: many notes",
  register: "0: an octave lower; 2: an octave higher",
  echo: "0: avoids your phrases; 2: imitates them",
  velocity: "0: softer than you; 2: louder than you",
  feel: "0: on the grid; 1: your timing, accents and lengths",
};
const NEUTRAL = 1;
// At most 20 messages per second.
const SEND_MS = 50;
// Milliseconds after a touch in which the slider ignores values from the program.
const SETTLE_MS = 700;

/** Sliders that send `turn`, and follow the program while nobody moves them. */
export class Knobs {
  #send;
  #knobs = new Map();
  #waiting = new Map();
  #sending = 0;
  #panel = {};

  constructor(send) {
    this.#send = send;
    for (const [knob, hint] of Object.entries(KNOBS)) this.#build(knob, hint);
  }

  /** Show the positions of the knobs. */
  show(panel) {
    this.#panel = panel;
    for (const knob of this.#knobs.keys()) this.#showOne(knob);
  }

  #build(knob, hint) {
    const id = `knob-${knob}`;
    const slider = make("input", {
      type: "range", id, min: "0", max: "2", step: "0.05", value: "1", list: "centre", "aria-describedby": `${id}-hint`,
      title: "Double-click to reset to 1",
    });
    const label = make("label", { for: id }, knob[0].toUpperCase() + knob.slice(1));
    const output = make("output", { for: id }, "1.00");
    byId("knobs").append(make("div", { class: "knob" }, label, slider, output, make("small", { id: `${id}-hint` }, hint)));
    this.#knobs.set(knob, { slider, output, isHeld: false, settledMs: 0 });
    slider.addEventListener("input", () => this.#turn(knob, Number(slider.value)));
    slider.addEventListener("dblclick", () => this.#turn(knob, NEUTRAL));
    slider.addEventListener("pointerdown", () => this.#hold(knob, true));
    for (const end of ["pointerup", "pointercancel", "change"]) slider.addEventListener(end, () => this.#hold(knob, false));
  }

  #hold(knob, isHeld) {
    const one = this.#knobs.get(knob);
    one.isHeld = isHeld;
    one.settledMs = performance.now() + SETTLE_MS;
    setTimeout(() => this.#showOne(knob), SETTLE_MS + 10);
  }

  #turn(knob, position) {
    const { slider, output, isHeld } = this.#knobs.get(knob);
    slider.value = String(position);
    setText(output, position.toFixed(2));
    this.#hold(knob, isHeld);
    this.#waiting.set(knob, position);
    if (!this.#sending) this.#flush();
  }

  /** Send the oldest waiting turn, and the next one after SEND_MS. */
  #flush() {
    const [first] = this.#waiting;
    this.#sending = first ? setTimeout(() => this.#flush(), SEND_MS) : 0;
    if (!first) return;
    this.#waiting.delete(first[0]);
    this.#send({ event: "turn", knob: first[0], position: first[1] });
  }

  #showOne(knob) {
    const { slider, output, isHeld, settledMs } = this.#knobs.get(knob);
    const position = this.#panel[knob];
    if (position === undefined || isHeld || performance.now() < settledMs) return;
    if (Number(slider.value) !== position) slider.value = String(position);
    setText(output, position.toFixed(2));
  }
}
