/** Sound from the page: your part at once, the improviser's on the audio clock, a constant lead after its moment. */

import { AudioClock } from "./clock.js";

const YOU = 0;
const IMPROVISER = 1;
const PROGRAMS = [0, 4];
const [LEAD_MS, LEAD_STEP_MS, LEAD_MAX_MS] = [30, 10, 250];
// What is later than that is not worth hearing any more.
const STALE_S = 1;
const SHORTEST_S = 0.02;

/** Both parts, each with its volume and its mute. */
export class Sound {
  #programClock;
  #synth = null;
  #clock = null;
  #isOn = true;
  #volumes = [100, 100];
  #mutes = [false, false];
  // The improviser's notes that sound, by channel and note: the audio moment of their onset.
  #sounding = new Map();
  leadMs = LEAD_MS;
  sounded = 0;

  constructor(programClock) {
    this.#programClock = programClock;
  }

  /** Whether something can be heard. */
  get isRunning() {
    return this.#isOn && this.#synth?.audioContext.state === "running";
  }

  /** Begin, or go on, from a gesture: browsers allow no sound before; tells whether it did. */
  async start() {
    if (!this.#isOn) return false;
    if (!this.#synth) {
      this.#synth = new window.WebAudioTinySynth({ quality: 1, useReverb: 0 });
      this.#clock = new AudioClock(this.#synth.audioContext);
      PROGRAMS.forEach((program, part) => {
        this.#synth.send([0xc0 | part, program]);
        this.#applyVolume(part);
      });
    }
    if (this.#synth.audioContext.state !== "running") await this.#synth.audioContext.resume();
    return this.isRunning;
  }

  /** Switch all of it on or off. */
  switch(isOn) {
    this.#isOn = isOn;
    if (!isOn) this.silence();
  }

  /** Set the volume, 0-127, of "you" or "improviser". */
  setVolume(name, volume) {
    const part = name === "you" ? YOU : IMPROVISER;
    this.#volumes[part] = volume;
    this.#applyVolume(part);
  }

  /** Mute one part. */
  setMute(name, isMuted) {
    const part = name === "you" ? YOU : IMPROVISER;
    this.#mutes[part] = isMuted;
    this.#applyVolume(part);
  }

  /** Sound a channel message of yours now: notes, pedal, wheel. */
  playYours(data) {
    const kind = data[0] & 0xf0;
    const isControl = kind === 0xb0 && (data[1] === 1 || data[1] === 64);
    if (!this.#synth || !this.#isOn || !(kind === 0x80 || kind === 0x90 || kind === 0xe0 || isControl)) return;
    this.#synth.send([kind | YOU, data[1], data[2]]);
  }

  /** Sound a `played` note; one that comes too late for the lead makes the lead longer. */
  play({ channel, note, velocity, due_s: dueS }) {
    if (!this.isRunning) return;
    const nowS = this.#synth.audioContext.currentTime;
    const dueAudioS = this.#clock.toAudioS(this.#programClock.toPageMs(dueS));
    if (nowS - dueAudioS > STALE_S) return;
    if (dueAudioS + this.leadMs / 1000 < nowS) this.leadMs = Math.min(LEAD_MAX_MS, this.leadMs + LEAD_STEP_MS);
    const onS = Math.max(nowS, dueAudioS + this.leadMs / 1000);
    this.#synth.send([0x90 | IMPROVISER, note, velocity], onS);
    this.#sounding.set(`${channel}:${note}`, onS);
    this.sounded += 1;
  }

  /** End a note as `released` says. */
  release({ channel, note, due_s: dueS }) {
    const onS = this.#sounding.get(`${channel}:${note}`);
    if (onS === undefined) return;
    this.#sounding.delete(`${channel}:${note}`);
    const dueAudioS = this.#clock.toAudioS(this.#programClock.toPageMs(dueS));
    const offS = Math.max(dueAudioS + this.leadMs / 1000, onS + SHORTEST_S, this.#synth.audioContext.currentTime);
    this.#synth.send([0x80 | IMPROVISER, note, 0], offS);
  }

  /** End all that the improviser sounds. */
  silenceImproviser() {
    this.#sounding.clear();
    this.#synth?.send([0xb0 | IMPROVISER, 120, 0]);
  }

  /** End all that sounds. */
  silence() {
    this.silenceImproviser();
    this.#synth?.send([0xb0 | YOU, 64, 0]);
    this.#synth?.send([0xb0 | YOU, 120, 0]);
  }

  /** Take the shortest lead again, as a new connection may be a better one. */
  resetLead() {
    this.leadMs = LEAD_MS;
  }

  #applyVolume(part) {
    this.#synth?.send([0xb0 | part, 7, this.#mutes[part] ? 0 : this.#volumes[part]]);
  }
}
