/** The click: a metronome and a count-in, scheduled on the sound card's clock before each beat. */

import { byId } from "./dom.js";

// Beats up to this far ahead are scheduled. A hidden tab's timers run once a second.
const AHEAD_S = 1.5;
const CHECK_MS = 100;
// A click that is due earlier than this can no longer be moved; one that is later than this is not played.
const [FIXED_S, LATE_S] = [0.02, 0.01];
// A scheduled click is moved only if its beat has moved by more than this.
const MOVED_S = 0.002;
const [DOWNBEAT_HZ, BEAT_HZ, CLICK_S, ATTACK_S] = [1760, 1175, 0.06, 0.001];
const KEPT = 64;
const [SWITCH_KEY, VOLUME_KEY] = ["improviser.metronome", "improviser.click-volume"];

/** Clicks on the beats of a grid while the metronome is on, and in each count-in that this page has to sound. */
export class Click {
  #sound;
  #clock;
  #grid;
  #gain = null;
  // The clicks that have not sounded yet: {beat, onS, source, ...}.
  #planned = [];
  // The user's own choice on this browser; null if there is none.
  #choice = recall(SWITCH_KEY);
  #isJams = false;
  // The last clicks: {beat, at_s (program's clock), audio_s (sound card's clock), downbeat}.
  scheduled = [];

  constructor(sound, clock, grid) {
    this.#sound = sound;
    this.#clock = clock;
    this.#grid = grid;
    byId("metronome").addEventListener("change", ({ target }) => this.#choose(target.checked));
    byId("click-volume").value = recall(VOLUME_KEY) ?? byId("click-volume").value;
    byId("click-volume").addEventListener("input", ({ target }) => {
      remember(VOLUME_KEY, target.value);
      if (this.#gain) this.#gain.gain.value = loudness();
    });
    setInterval(() => this.update(), CHECK_MS);
  }

  /** Whether the metronome is on: as chosen on this browser, else as in the jam if this page sounds for it. */
  get isOn() {
    return this.#choice === null ? this.#isJams && this.#sound.isOn : this.#choice === "on";
  }

  /** Show the switch. The state says whether the jam has a metronome. */
  show({ metronome }) {
    this.#isJams = metronome;
    byId("metronome").checked = this.isOn;
  }

  /** Schedule the beats that are near, and move or cancel those that are no longer where they were. */
  update() {
    const context = this.#sound.context;
    if (context?.state !== "running" || !this.#clock.isKnown) {
      this.#cancel();
      return;
    }
    const wanted = this.#wanted(context.currentTime);
    this.#planned = this.#planned.filter((click) => this.#stays(click, wanted, context.currentTime));
    for (const click of wanted) {
      if (!this.#planned.some(({ beat }) => beat === click.beat)) this.#schedule(click);
    }
  }

  #choose(isOn) {
    this.#choice = isOn ? "on" : "off";
    remember(SWITCH_KEY, this.#choice);
    if (isOn) this.#sound.resume();
    this.update();
  }

  /** The clicks from now to AHEAD_S, on the sound card's clock. */
  #wanted(audioNowS) {
    const nowS = this.#clock.nowS();
    return this.#grid.counted(nowS - LATE_S, nowS + AHEAD_S)
      .filter(({ isCountIn }) => this.isOn || (isCountIn && this.#sound.isRunning))
      .map((beat) => ({ ...beat, onS: this.#sound.toHeardS(beat.atS) }))
      .filter(({ onS }) => onS >= audioNowS - LATE_S);
  }

  /** Whether a scheduled click is still right. One that is wrong is cancelled, unless it sounds already. */
  #stays(click, wanted, audioNowS) {
    if (click.onS < audioNowS - CLICK_S) return false;
    const isFixed = click.onS < audioNowS + FIXED_S;
    const same = wanted.find(({ beat }) => beat === click.beat);
    if (isFixed || (same && Math.abs(same.onS - click.onS) <= MOVED_S)) return true;
    this.#silence(click);
    return false;
  }

  #schedule(click) {
    const { context } = this.#sound;
    this.#gain ??= this.#connect(context);
    const source = context.createBufferSource();
    source.buffer = blip(context, click.isDownbeat ? DOWNBEAT_HZ : BEAT_HZ);
    source.connect(this.#gain);
    const onS = Math.max(click.onS, context.currentTime);
    source.start(onS);
    const entry = { beat: click.beat, at_s: click.atS, audio_s: onS, downbeat: click.isDownbeat };
    this.#planned.push({ ...click, onS, source, entry });
    this.scheduled = [...this.scheduled, entry].slice(-KEPT);
  }

  #connect(context) {
    const gain = context.createGain();
    gain.gain.value = loudness();
    gain.connect(context.destination);
    return gain;
  }

  #cancel() {
    for (const click of this.#planned) this.#silence(click);
    this.#planned = [];
  }

  #silence({ source, entry }) {
    source.stop();
    source.disconnect();
    this.scheduled = this.scheduled.filter((one) => one !== entry);
  }
}

const loudness = () => (Number(byId("click-volume").value) / 127) ** 2;

const blips = new Map();

/** A short tone that dies away, made once for each pitch. */
function blip(context, hz) {
  const name = `${hz} ${context.sampleRate}`;
  if (!blips.has(name)) {
    const buffer = context.createBuffer(1, Math.round(CLICK_S * context.sampleRate), context.sampleRate);
    const samples = buffer.getChannelData(0);
    for (let at = 0; at < samples.length; at += 1) {
      const s = at / context.sampleRate;
      samples[at] = Math.min(1, s / ATTACK_S) * Math.exp((-7 * s) / CLICK_S) * Math.sin(2 * Math.PI * hz * s);
    }
    blips.set(name, buffer);
  }
  return blips.get(name);
}

/** Read what this browser remembers; null if there is nothing, or if it may not remember. */
function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The browser may not remember: the choice holds until the page is closed.
  }
}
