/** The piano on the screen: octaves as the width allows, keys that light up. */

import { byId, make, setText } from "./dom.js";
import { isBlack, noteName } from "./names.js";

const OCTAVE_PX = 300;
const [OCTAVES_MIN, OCTAVES_MAX] = [2, 5];
// Left edges of the black keys' middles, in white keys.
const BLACK_AT = { 1: 1, 3: 2, 6: 4, 8: 5, 10: 6 };
const HIGHEST_OCTAVE = 108;

/** The keys from `lowest` on; what they say when they are pressed is up to Keys. */
export class Piano {
  #box = byId("piano");
  #keys = new Map();
  #lit = { you: new Set(), improviser: new Set() };
  #caps = new Map();
  // The one key that Tab stops at.
  #stop = 0;
  lowest = 48;

  constructor() {
    this.#build();
    new ResizeObserver(() => { if (this.#octaves() !== this.#box.children.length) this.#build(); }).observe(this.#box);
    this.#box.addEventListener("keydown", (event) => this.#walk(event));
    this.#box.addEventListener("focusin", (event) => this.#stopAt(Number(event.target.dataset.note)));
  }

  /** Show these letters on the keys: by note, above the lowest one. */
  setCaps(caps) {
    this.#caps = caps;
    this.#build();
  }

  /** Begin octaves higher, or lower. */
  shift(octaves) {
    this.lowest = Math.max(0, this.lowest + 12 * octaves);
    this.#build();
  }

  /** Let Tab stop at this key from now on; it does not get the focus, which would take the space bar. */
  choose(note) {
    if (this.#keys.has(note)) this.#stopAt(note);
  }

  /** Light a key for "you" or "improviser", or not. */
  light(note, part, isOn) {
    this.#lit[part][isOn ? "add" : "delete"](note);
    this.#keys.get(note)?.classList.toggle(part, isOn);
  }

  /** Light none, of one part or of both. */
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

  /** One stop for Tab; left and right go from key to key. */
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
