/** The times of beats and bars, from the program's events. */

import { barBeats } from "./names.js";

const KEEP_S = 20;
const AHEAD_MAX = 64;
// Two computations of one beat differ by less than this.
const NEAR_BEATS = 1e-3;

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
  // Whether the clock that gave the beat has stopped: what is inferred then runs no beat.
  #isHalted = false;
  // A beat announced for later, as in a count-in, begins with #firstBeat.
  #firstBeat = -Infinity;
  meter = [4, 4];
  // The counted beats of a bar, in quarter notes from its downbeat, and a beat on which a bar begins.
  beats = [0, 1, 2, 3];
  barBeat = 0;
  // The number of that bar.
  firstBar = 1;

  /** Forget everything, since the engine has restarted. */
  clear() {
    this.#anchor = null;
    this.#isTold = false;
    this.#past = [];
    this.#awaited = null;
    this.#isGiven = false;
    this.#isHalted = false;
  }

  /** Make your next note the first downbeat, unless a beat is given earlier. */
  await() {
    this.#awaited = 0;
  }

  /** Start a beat from outside: `beat` is at `atS`, and bars are counted from beat 0. */
  start(atS, beat) {
    this.#isGiven = true;
    this.#isHalted = false;
    [this.barBeat, this.firstBar] = [0, 1];
    this.anchor(atS, beat);
    this.#firstBeat = beat;
  }

  /** Set beat and tempo, as the program tells them. While no beat runs, this sets only the tempo. */
  sync(atS, beat, tempoBpm, isRolling) {
    const isRunning = this.#anchor !== null || (isRolling && this.#awaited === null && !this.#isHalted);
    if (isRunning) this.anchor(atS, beat, tempoBpm);
    else this.#tempoBpm = tempoBpm;
  }

  /** The clock that gave the beat has stopped at `atS`. */
  stop(atS) {
    this.halt(atS);
    this.#isHalted = true;
  }

  /** The stopped clock has gone: the next note begins a beat. */
  detach() {
    this.#isGiven = false;
    this.#isHalted = false;
  }

  /** Count the beat at `atS` as `beat`, in bars of `meter`, after a loop, a locate or a change of meter. */
  recount(atS, beat, meter) {
    this.#advance(atS);
    this.meter = meter;
    this.barBeat = 0;
    this.anchor(atS, beat);
    this.#next = Math.ceil(beat / this.#unit - 1e-6);
  }

  /** The improviser rests after the step on `beat`. Without a running clock your next note starts the next bar. */
  rest(atS, beat) {
    if (this.#isGiven) return;
    this.halt(atS);
    this.#awaited = this.barBeat + (this.#barOf(beat) + 1) * barBeats(this.meter);
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
    if (this.#isHalted || (!isTold && this.#isTold)) return;
    this.#advance(atS);
    this.#awaited = null;
    const isNew = this.#anchor === null || Math.abs(this.beatAt(atS) - beat) > 0.5;
    this.#anchor = { atS, beat };
    this.#tempoBpm = tempoBpm;
    this.#isTold = isTold;
    if (isNew) {
      this.#next = Math.ceil(beat / this.#unit - 1e-6);
      this.#firstBeat = -Infinity;
    }
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

  /** Which light is lit at a time: {place, isCountIn}, where place 0 is the downbeat; null if no beat runs. */
  lightAt(atS) {
    const beat = this.beatAt(atS);
    if (beat === null || beat < this.#firstBeat - NEAR_BEATS) return null;
    const inBar = beat - this.barBeat - this.#barOf(beat) * barBeats(this.meter);
    return { place: this.beats.findLastIndex((start) => start <= inBar + NEAR_BEATS), isCountIn: beat < -NEAR_BEATS };
  }

  /** The counted beats between two times: {beat, atS, isDownbeat, isCountIn}. */
  counted(fromS, untilS) {
    const found = [];
    if (!this.#anchor) return found;
    for (let bar = this.#barOf(this.beatAt(fromS)); found.length < AHEAD_MAX; bar += 1) {
      const start = this.barBeat + bar * barBeats(this.meter);
      if (this.timeOf(start) > untilS) break;
      for (const place of this.beats) {
        const [beat, atS] = [start + place, this.timeOf(start + place)];
        const isThere = atS >= fromS && atS <= untilS && beat >= this.#firstBeat - NEAR_BEATS;
        if (isThere) found.push({ beat, atS, isDownbeat: place === 0, isCountIn: beat < -NEAR_BEATS });
      }
    }
    return found;
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

  /** The bar of a beat, counted from `barBeat`; a beat just before a bar line is on it. */
  #barOf(beat) {
    return Math.floor((beat - this.barBeat + NEAR_BEATS) / barBeats(this.meter));
  }

  get #unit() {
    return 4 / this.meter[1];
  }

  #line(place, atS) {
    const beat = place * this.#unit;
    const inBars = (beat - this.barBeat) / barBeats(this.meter);
    const isBar = Math.abs(inBars - Math.round(inBars)) < 1e-6;
    return { atS, bar: isBar ? this.firstBar + this.#barOf(beat) : null };
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
