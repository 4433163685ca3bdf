/** Where beats and bars are in time, from what the program tells. */

import { barBeats } from "./names.js";

const KEEP_S = 20;
const AHEAD_MAX = 64;

/** Lines of the past stay where they were; those to come follow the tempo. */
export class Grid {
  #anchor = null;
  #isTold = false;
  #tempoBpm = 100;
  #next = 0;
  #past = [];
  meter = [4, 4];

  /** Forget everything: the engine began anew. */
  clear() {
    this.#anchor = null;
    this.#isTold = false;
    this.#past = [];
  }

  /** No beat comes any more after `atS`. */
  halt(atS) {
    this.#advance(atS);
    this.#anchor = null;
    this.#isTold = false;
  }

  /** `beat` stands at `atS`; what is told comes before what is inferred from notes. */
  anchor(atS, beat, tempoBpm = this.#tempoBpm, isTold = true) {
    if (!isTold && this.#isTold) return;
    this.#advance(atS);
    const isNew = this.#anchor === null || Math.abs(this.beatAt(atS) - beat) > 0.5;
    this.#anchor = { atS, beat };
    this.#tempoBpm = tempoBpm;
    this.#isTold = isTold;
    if (isNew) this.#next = Math.ceil(beat / this.#unit - 1e-6);
  }

  /** Go on at another tempo, where nothing says from when. */
  setTempo(tempoBpm, nowS) {
    if (tempoBpm === this.#tempoBpm) return;
    if (this.#anchor) this.anchor(nowS, this.beatAt(nowS), tempoBpm, this.#isTold);
    this.#tempoBpm = tempoBpm;
  }

  /** The moment of a beat, null where no beat runs. */
  timeOf(beat) {
    return this.#anchor && this.#anchor.atS + ((beat - this.#anchor.beat) * 60) / this.#tempoBpm;
  }

  /** The beat at a moment, null where none runs. */
  beatAt(atS) {
    return this.#anchor && this.#anchor.beat + ((atS - this.#anchor.atS) * this.#tempoBpm) / 60;
  }

  /** The lines up to `untilS`: {atS, bar}, bar being its number, from 1, or 0 within a bar. */
  lines(nowS, untilS) {
    this.#advance(nowS);
    const ahead = [];
    for (let place = this.#next; this.#anchor && ahead.length < AHEAD_MAX; place += 1) {
      const atS = this.timeOf(place * this.#unit);
      if (atS > untilS) break;
      ahead.push(this.#line(place, atS));
    }
    return [...this.#past, ...ahead];
  }

  get #unit() {
    return 4 / this.meter[1];
  }

  #line(place, atS) {
    const inBars = (place * this.#unit) / barBeats(this.meter);
    const isBar = Math.abs(inBars - Math.round(inBars)) < 1e-6;
    return { atS, bar: isBar ? Math.round(inBars) + 1 : 0 };
  }

  #advance(nowS) {
    if (!this.#anchor) return;
    this.#next = Math.max(this.#next, Math.floor(this.beatAt(nowS - KEEP_S) / this.#unit));
    for (; this.timeOf(this.#next * this.#unit) <= nowS; this.#next += 1) {
      this.#past.push(this.#line(this.#next, this.timeOf(this.#next * this.#unit)));
    }
    while (this.#past.length && this.#past[0].atS < nowS - KEEP_S) this.#past.shift();
  }
}
