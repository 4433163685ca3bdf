/** The piano on the screen: as many octaves as the width allows, with keys that light up. */

import { byId, make, setText } from "./dom.js";
import { isBlack, noteName } from "./names.js";

const OCTAVE_PX = 300;
const [OCTAVES_MIN, OCTAVES_MAX] = [2, 5];
// Centre of each black key, in white keys from the left edge of the octave.
const BLACK_AT = { 1: 1, 3: 2, 6: 4, 8: 5, 10: 6 };
const HIGHEST_OCTAVE = 108;

/** The keys from `lowest` on. Keys handles what happens when they are pressed. */
export class Piano {
  #box = byId("piano");
  #keys = new Map();
  #lit = { you: new Set(), improviser: new Set() };
  #caps = new Map();
  // The only key that Tab stops at.
  #stop = 0;
  lowest = 48;

  constructor() {
    this.#build();
    new ResizeObserver(() => { if (this.#octaves() !== this.#box.children.length) this.#build(); }).observe(this.#box);
    this.#box.addEventListener("keydown", (event) => this.#walk(event));
    this.#box.addEventListener("focusin", (event) => this.#stopAt(Number(event.target.dataset.note)));
  }

  /** Show these letters on the keys; `caps` maps semitones above the lowest key to letters. */
  setCaps(caps) {
    this.#caps = caps;
    this.#build();
  }

  /** Move the piano by octaves. */
  shift(octaves) {
    this.lowest = Math.max(0, this.lowest + 12 * octaves);
    this.#build();
  }

  /** Make Tab stop at this key. It does not get the focus, since that would take the space bar. */
  choose(note) {
    if (this.#keys.has(note)) this.#stopAt(note);
  }

  /** Light a key for "you" or "improviser", or switch its light off. */
  light(note, part, isOn) {
    this.#lit[part][isOn ? "add" : "delete"](note);
    this.#keys.get(note)?.classList.toggle(part, isOn);
  }

  /** Switch off all lights of the given parts. */
  darken(...parts) {
    for (const part of parts) for (const note of [...this.#lit[part]]) this.light(note, part, false);
  }

  #octaves() {
    return Math.max(OCTAVES_MIN, Math.min(OCTAVES_MAX, Math.floor(this.#box.clientWidth / OCTAVE_PX)));
  }

  #build() {
    const hadFocus = this.#box.contains(document.activeElement);
    this.#keys.clear();
    const octaves = [];
    this.lowest = Math.min(this.lowest, HIGHEST_OCTAVE - 12 * (this.#octaves() - 1));
    for (let octave = 0; octave < this.#octaves(); octave += 1) octaves.push(this.#octave(this.lowest + 12 * octave));
    this.#box.replaceChildren(...octaves);
    const highest = this.lowest + this.#keys.size - 1;
    this.#stopAt(Math.max(this.lowest, Math.min(highest, this.#stop)));
    if (hadFocus) this.#keys.get(this.#stop).focus({ preventScroll: true });
    setText(byId("octave"), noteName(this.lowest));
    for (const part of ["you", "improviser"]) for (const note of this.#lit[part]) this.light(note, part, true);
  }

  #octave(first) {
    const box = make("div", { class: "octave" });
    for (let note = first; note < Math.min(first + 12, 128); note += 1) box.append(this.#key(note));
    return box;
  }

  #key(note) {
    const key = make("button", {
      type: "button", "data-note": note, "aria-label": noteName(note), tabindex: "-1", class: isBlack(note) ? "key black" : "key white",
    });
    const cap = this.#caps.get(note - this.lowest);
    if (cap) key.dataset.cap = cap;
    if (note % 12 === 0) key.append(make("span", { class: "name" }, noteName(note)));
    if (isBlack(note)) key.style.left = `${(BLACK_AT[note % 12] / 7) * 100}%`;
    this.#keys.set(note, key);
    return key;
  }

  /** Move the focus from key to key with the left and right arrows; Tab stops only once. */
  #walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = step && this.#keys.get(Number(event.target.dataset.note) + step);
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  #stopAt(note) {
    const before = this.#keys.get(this.#stop);
    if (before) before.tabIndex = -1;
    this.#stop = note;
    this.#keys.get(note).tabIndex = 0;
  }
}
