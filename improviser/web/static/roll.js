/** The piano roll: past notes to the left of the line "now", planned notes to its right. */

import { byId } from "./dom.js";
import { barName, isBlack, noteName } from "./names.js";

const NOW_SHARE = 0.75;
const KEEP_S = 20;
// Notes that began longer ago are dropped, even if they never ended, and at most NOTES_MAX notes are kept.
const LONGEST_S = 60;
const NOTES_MAX = 4000;
const NAMES_PX = 36;
const NEAR_PX = 9;
const LEAST_ROWS = 25;
const LEAST_PX = 7;
const CALM_MS = 100;
const LABEL_MS = 4000;
const COLOURS = ["panel", "ink", "soft", "line", "you", "improviser", "ghost", "beat", "bar", "now"];

/** A roll of notes {part, channel, note, startS, endS, decision}; endS is null while a note sounds. */
export class Roll {
  #canvas = byId("roll");
  #pen = this.#canvas.getContext("2d", { alpha: false });
  #clock;
  #grid;
  #notes = [];
  #planned = [];
  #low = 48;
  #high = 48 + LEAST_ROWS;
  #colours = {};
  #size = { width: 0, height: 0 };
  #calm = matchMedia("(prefers-reduced-motion: reduce)");
  #drawnMs = 0;
  #frames = [];
  #labelMs = 0;
  chosen = null;
  drawn = 0;
  lastDrawn = { you: null, improviser: null };

  constructor(clock, grid, onChoose) {
    this.#clock = clock;
    this.#grid = grid;
    this.#readColours();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#readColours());
    new ResizeObserver(() => this.#fit()).observe(this.#canvas);
    this.#fit();
    this.#canvas.addEventListener("click", (event) => {
      const note = this.#nearest(event.offsetX, event.offsetY);
      if (note) onChoose(note.decision);
    });
    const loop = (atMs) => {
      requestAnimationFrame(loop);
      if (!this.#calm.matches || atMs - this.#drawnMs >= CALM_MS) this.#draw(atMs);
    };
    requestAnimationFrame(loop);
  }

  /** Number of frames drawn in the last second. */
  get fps() {
    const nowMs = performance.now();
    return this.#frames.filter((atMs) => atMs > nowMs - 1000).length;
  }

  /** Start a note; notes of the improviser keep their decision. */
  begin(part, { channel, note }, startS, decision = null) {
    this.end(part, { channel, note }, startS);
    this.#notes.push({ part, channel, note, startS, endS: null, decision, isDrawn: false });
    this.#trim();
  }

  /** End a note. */
  end(part, { channel, note }, endS) {
    for (const one of this.#notes) {
      if (one.endS === null && one.part === part && one.note === note && one.channel === channel) one.endS = endS;
    }
  }

  /** End all notes of one part, or of both. */
  endAll(endS, part = null) {
    for (const one of this.#notes) if (one.endS === null && (!part || one.part === part)) one.endS = Math.max(one.startS, endS);
    this.#planned = [];
  }

  /** Replace the planned notes. */
  plan(notes) {
    this.#planned = notes;
  }

  /** Remove all notes. */
  clear() {
    this.#notes = [];
    this.#planned = [];
    this.chosen = null;
  }

  /** Drop notes that are no longer shown; also in a hidden tab, which draws nothing. */
  #trim() {
    const nowS = this.#clock.nowS();
    const oldestS = nowS - Math.max(KEEP_S, (this.#size.width * NOW_SHARE) / this.#perS);
    const isKept = ({ startS, endS }) => (endS ?? nowS) >= oldestS && startS >= oldestS - LONGEST_S;
    this.#notes = this.#notes.filter(isKept).slice(-NOTES_MAX);
  }

  #readColours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of COLOURS) this.#colours[name] = style.getPropertyValue(`--${name}`).trim();
  }

  #fit() {
    const scale = window.devicePixelRatio || 1;
    this.#size = { width: this.#canvas.clientWidth, height: this.#canvas.clientHeight };
    this.#canvas.width = Math.round(this.#size.width * scale);
    this.#canvas.height = Math.round(this.#size.height * scale);
    this.#pen.setTransform(scale, 0, 0, scale, 0, 0);
  }

  get #perS() {
    return Math.max(48, Math.min(110, this.#size.width / 9));
  }

  #x(atS, nowS) {
    return this.#size.width * NOW_SHARE + (atS - nowS) * this.#perS;
  }

  #y(note) {
    return ((this.#high - note) * this.#size.height) / (this.#high - this.#low);
  }

  get #row() {
    return this.#size.height / (this.#high - this.#low);
  }

  /** The vertical place of a note; tall enough to distinguish an outline from a filled note. */
  #place(note) {
    const height = Math.max(LEAST_PX, this.#row - 2);
    return { top: this.#y(note) + (this.#row - height) / 2, height };
  }

  #nearest(x, y) {
    const nowS = this.#clock.nowS();
    let best = null;
    let least = NEAR_PX;
    for (const note of this.#notes) {
      if (note.part !== "improviser") continue;
      const left = this.#x(note.startS, nowS);
      const right = this.#x(note.endS ?? nowS, nowS);
      const { top, height } = this.#place(note.note);
      const away = Math.hypot(Math.max(left - x, 0, x - right), Math.max(top - y, 0, y - top - height));
      if (away < least) [best, least] = [note, away];
    }
    return best;
  }

  #draw(atMs) {
    const nowS = this.#clock.nowS();
    const { width, height } = this.#size;
    this.#trim();
    const leftS = nowS - (width * NOW_SHARE) / this.#perS;
    const shown = this.#notes.filter((note) => (note.endS ?? nowS) > leftS);
    this.#range(shown);
    this.#pen.fillStyle = this.#colours.panel;
    this.#pen.fillRect(0, 0, width, height);
    this.#drawRows();
    this.#drawLines(nowS);
    for (const note of shown) this.#drawNote(note, nowS);
    this.#drawPlanned(nowS);
    this.#pen.fillStyle = this.#colours.now;
    this.#pen.fillRect(width * NOW_SHARE - 1, 0, 2, height);
    this.#drawNames();
    this.#count(shown, atMs);
  }

  /** Move smoothly to the range of the shown notes. */
  #range(shown) {
    const all = [...shown, ...this.#planned].map((note) => note.note);
    if (!all.length) return;
    let low = Math.min(...all) - 3;
    let high = Math.max(...all) + 4;
    const missing = LEAST_ROWS - (high - low);
    if (missing > 0) [low, high] = [low - Math.floor(missing / 2), high + Math.ceil(missing / 2)];
    const share = this.#calm.matches ? 1 : 0.08;
    this.#low += (low - this.#low) * share;
    this.#high += (high - this.#high) * share;
  }

  #drawRows() {
    this.#pen.fillStyle = this.#colours.beat;
    for (let note = Math.floor(this.#low); note <= this.#high; note += 1) {
      if (isBlack((note + 120) % 12)) this.#pen.fillRect(NAMES_PX, this.#y(note), this.#size.width, Math.max(1, this.#row));
    }
  }

  #drawLines(nowS) {
    const pen = this.#pen;
    const untilS = nowS + (this.#size.width * (1 - NOW_SHARE)) / this.#perS;
    pen.font = "12px system-ui, sans-serif";
    pen.textBaseline = "top";
    for (const { atS, bar } of this.#grid.lines(nowS, untilS)) {
      const x = Math.round(this.#x(atS, nowS));
      if (x < NAMES_PX) continue;
      const isBar = bar !== null;
      pen.fillStyle = isBar ? this.#colours.bar : this.#colours.line;
      pen.fillRect(x, 0, isBar ? 2 : 1, this.#size.height);
      if (isBar) {
        pen.fillStyle = this.#colours.soft;
        pen.fillText(barName(bar), x + 5, 3);
      }
    }
  }

  #drawNote(note, nowS) {
    const pen = this.#pen;
    const left = this.#x(note.startS, nowS);
    const width = Math.max(4, this.#x(note.endS ?? Math.max(nowS, note.startS), nowS) - left);
    const { top, height } = this.#place(note.note);
    if (note.part === "you") {
      pen.strokeStyle = this.#colours.you;
      pen.lineWidth = 1.5;
      pen.strokeRect(left + 1, top + 0.75, Math.max(3, width - 2), height - 1.5);
    } else {
      pen.fillStyle = this.#colours.improviser;
      pen.fillRect(left, top, width, height);
    }
    if (note.decision && note.decision === this.chosen) {
      pen.strokeStyle = this.#colours.ink;
      pen.lineWidth = 2;
      pen.strokeRect(left - 2, top - 2, width + 4, height + 4);
    }
  }

  #drawPlanned(nowS) {
    const pen = this.#pen;
    pen.strokeStyle = this.#colours.ghost;
    pen.lineWidth = 1.5;
    pen.setLineDash([3, 3]);
    for (const { beat, beats, note } of this.#planned) {
      const startS = this.#grid.timeOf(beat);
      if (startS === null || startS < nowS) continue;
      const left = this.#x(startS, nowS);
      const right = beats === null ? this.#size.width + 4 : this.#x(this.#grid.timeOf(beat + beats), nowS);
      const { top, height } = this.#place(note);
      pen.strokeRect(left, top, Math.max(4, right - left), height);
    }
    pen.setLineDash([]);
  }

  #drawNames() {
    const pen = this.#pen;
    pen.fillStyle = this.#colours.panel;
    pen.fillRect(0, 0, NAMES_PX, this.#size.height);
    pen.fillStyle = this.#colours.soft;
    pen.font = `${Math.max(10, Math.min(12, this.#row + 1))}px system-ui, sans-serif`;
    pen.textBaseline = "middle";
    for (let note = Math.max(0, Math.floor(this.#low)); note <= this.#high; note += 1) {
      const isShown = this.#row >= 11.5 ? !isBlack(note) : note % 12 === 0 || note % 12 === 7;
      if (isShown) pen.fillText(noteName(note), 5, this.#y(note) + this.#row / 2);
    }
  }

  /** Record what was drawn, for tests and diagnostics; update the label for screen readers at most every LABEL_MS. */
  #count(shown, atMs) {
    const nowMs = performance.now();
    for (const note of shown) {
      if (note.isDrawn) continue;
      note.isDrawn = true;
      this.lastDrawn[note.part] = { note: note.note, at_ms: nowMs };
    }
    this.drawn = shown.length;
    this.#drawnMs = atMs;
    this.#frames.push(nowMs);
    if (this.#frames.length > 150) this.#frames.splice(0, 60);
    if (nowMs - this.#labelMs < LABEL_MS) return;
    this.#labelMs = nowMs;
    const named = (part) => shown.filter((note) => note.part === part).slice(-4).map((note) => noteName(note.note)).join(" ") || "nothing";
    this.#canvas.setAttribute("aria-label", `Piano roll: you played ${named("you")}, the improviser ${named("improviser")}`);
  }
}
