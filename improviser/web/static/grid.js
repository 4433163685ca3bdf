/** The times of beats and bars, from the program's events. */

import { barAt, barBeats } from "./names.js";

const KEEP_S = 20;
const AHEAD_MAX = 64;

/** The lines of the grid. Past lines stay where they were; future lines follow the tempo. */
export class Grid {
  #anchor = null;
  #isTold = false;
  #tempoBpm = 100;
  #next = 0;
  #past = [];
  // The beat at which your next note starts the grid; null if it does not.
  #awaited = null;
  // Whether the beat comes from outside: it then continues while nobody plays.
  #isGiven = false;
  meter = [4, 4];

  /** Forget everything, since the engine has restarted. */
  clear() {
    this.#anchor = null;
    this.#isTold = false;
    this.#past = [];
    this.#awaited = null;
    this.#isGiven = false;
  }

  /** Make your next note the first downbeat, unless a beat is given earlier. */
  await() {
    this.#awaited = 0;
  }

  /** Start a beat from outside: `beat` is at `atS`. */
  start(atS, beat) {
    this.#isGiven = true;
    this.anchor(atS, beat);
  }

  /** The improviser rests after the step on `beat`. Without a running clock your next note starts the next bar. */
  rest(atS, beat) {
    if (this.#isGiven) return;
    this.halt(atS);
    this.#awaited = barAt(beat, this.meter) * barBeats(this.meter);
  }

  /** Handle a note of yours, which may start the beat. */
  wake(atS) {
    if (this.#awaited !== null) this.anchor(atS, this.#awaited, undefined, false);
  }

  /** Stop the beat after `atS`. */
  halt(atS) {
    this.#advance(atS);
    this.#anchor = null;
    this.#isTold = false;
  }

  /** Set that `beat` is at `atS`. What the program tells overrides what is inferred from notes. */
  anchor(atS, beat, tempoBpm = this.#tempoBpm, isTold = true) {
    if (!isTold && this.#isTold) return;
    this.#advance(atS);
    this.#awaited = null;
    const isNew = this.#anchor === null || Math.abs(this.beatAt(atS) - beat) > 0.5;
    this.#anchor = { atS, beat };
    this.#tempoBpm = tempoBpm;
    this.#isTold = isTold;
    if (isNew) this.#next = Math.ceil(beat / this.#unit - 1e-6);
  }

  /** Continue at another tempo from now, if no event has said when it changed. */
  setTempo(tempoBpm, nowS) {
    if (tempoBpm === this.#tempoBpm) return;
    if (this.#anchor) this.anchor(nowS, this.beatAt(nowS), tempoBpm, this.#isTold);
    this.#tempoBpm = tempoBpm;
  }

  /** The time of a beat; null if no beat runs. */
  timeOf(beat) {
    return this.#anchor && this.#anchor.atS + ((beat - this.#anchor.beat) * 60) / this.#tempoBpm;
  }

  /** The beat at a time; null if no beat runs. */
  beatAt(atS) {
    return this.#anchor && this.#anchor.beat + ((atS - this.#anchor.atS) * this.#tempoBpm) / 60;
  }

  /** The lines up to `untilS`: {atS, bar}, where bar is the number of the bar, or null for a beat within a bar. */
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
    const beat = place * this.#unit;
    const inBars = beat / barBeats(this.meter);
    const isBar = Math.abs(inBars - Math.round(inBars)) < 1e-6;
    return { atS, bar: isBar ? barAt(beat, this.meter) : null };
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
