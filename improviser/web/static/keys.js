/** Playing on the page: with the mouse and fingers on the piano, and with the computer's keys. */

import { byId } from "./dom.js";
import { isField, isForField, isPrintable } from "./focus.js";

// By position on the keyboard, not by letter: the lower row, and the upper row one octave above it.
const LOWER = ["KeyZ", "KeyS", "KeyX", "KeyD", "KeyC", "KeyV", "KeyG", "KeyB", "KeyH", "KeyN", "KeyJ", "KeyM"];
const UPPER = ["KeyQ", "Digit2", "KeyW", "Digit3", "KeyE", "KeyR", "Digit5", "KeyT", "Digit6", "KeyY", "Digit7", "KeyU",
  "KeyI", "Digit9", "KeyO", "Digit0", "KeyP"];
const STEPS = new Map([...LOWER, ...UPPER].map((code, step) => [code, step]));
const OCTAVE_KEYS = { Minus: -1, Equal: 1 };
const SHORT_MS = 300;

/** Whether computer keys play and steer. */
const arePlayed = () => byId("keys-on").checked;

/** Calls `play(data)` with the bytes of each note-on and note-off on the page. */
export class Keys {
  #piano;
  #play;
  // The note of each holder, which is a key's code or a pointer. A note ends when its last holder releases it.
  #held = new Map();

  constructor(piano, play) {
    this.#piano = piano;
    this.#play = play;
    piano.setCaps(new Map([...STEPS].map(([code, step]) => [step, code.replace(/Key|Digit/, "")])));
    this.#followPointers(byId("piano"));
    this.#followKeys();
    byId("octave-down").addEventListener("click", () => this.#shift(-1));
    byId("octave-up").addEventListener("click", () => this.#shift(1));
    for (const gone of ["blur", "pagehide"]) window.addEventListener(gone, () => this.releaseAll());
  }

  /** Release everything. */
  releaseAll() {
    for (const holder of [...this.#held.keys()]) this.#release(holder);
  }

  #press(holder, note, share = null) {
    if (this.#held.get(holder) === note || note > 127) return;
    this.#release(holder);
    const isNew = ![...this.#held.values()].includes(note);
    this.#held.set(holder, note);
    if (!isNew) return;
    const touch = Number(byId("touch").value);
    const velocity = share === null ? touch : touch * (0.6 + 0.6 * share);
    this.#piano.light(note, "you", true);
    this.#play([144, note, Math.max(1, Math.min(127, Math.round(velocity)))]);
  }

  #release(holder) {
    const note = this.#held.get(holder);
    if (note === undefined) return;
    this.#held.delete(holder);
    if ([...this.#held.values()].includes(note)) return;
    this.#piano.light(note, "you", false);
    this.#play([128, note, 0]);
  }

  #shift(octaves) {
    this.releaseAll();
    this.#piano.shift(octaves);
  }

  /** Follow each pointer over the keys; a touch nearer to the lower edge is louder. */
  #followPointers(box) {
    const follow = (event) => {
      const key = document.elementFromPoint(event.clientX, event.clientY)?.closest?.(".key");
      if (!key) return this.#release(event.pointerId);
      const edges = key.getBoundingClientRect();
      return this.#press(event.pointerId, Number(key.dataset.note), (event.clientY - edges.top) / edges.height);
    };
    box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !event.target.closest(".key")) return;
      this.#piano.choose(Number(event.target.closest(".key").dataset.note));
      box.setPointerCapture(event.pointerId);
      event.preventDefault();
      follow(event);
    });
    box.addEventListener("pointermove", (event) => { if (box.hasPointerCapture(event.pointerId)) follow(event); });
    for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
      box.addEventListener(end, (event) => this.#release(event.pointerId));
    }
    box.addEventListener("contextmenu", (event) => event.preventDefault());
    // A screen reader clicks without a pointer.
    box.addEventListener("click", (event) => {
      const note = event.target.closest(".key")?.dataset.note;
      if (event.pointerId > 0 || event.detail > 0 || note === undefined) return;
      this.#press("click", Number(note));
      setTimeout(() => this.#release("click"), SHORT_MS);
    });
  }

  #followKeys() {
    window.addEventListener("keydown", (event) => {
      // macOS sends no keyup of other keys while this one is down.
      if (event.key === "Meta" || event.key === "OS") this.releaseAll();
      if (event.ctrlKey || event.metaKey || event.altKey || isForField(event, arePlayed())) return;
      // A letter without a note must not change the selection of a list either.
      if (arePlayed() && isPrintable(event) && isField(event.target)) event.preventDefault();
      const focused = event.target.closest?.(".key");
      if (focused && (event.code === "Enter" || event.code === "Space")) {
        event.preventDefault();
        if (!event.repeat) this.#press(event.code, Number(focused.dataset.note));
      } else if (arePlayed() && STEPS.has(event.code)) {
        event.preventDefault();
        if (!event.repeat) this.#press(event.code, this.#piano.lowest + STEPS.get(event.code));
      } else if (arePlayed() && OCTAVE_KEYS[event.code]) {
        event.preventDefault();
        if (!event.repeat) this.#shift(OCTAVE_KEYS[event.code]);
      }
    });
    window.addEventListener("keyup", (event) => this.#release(event.code));
  }
}
