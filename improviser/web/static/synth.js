/** Sound from the page: your part at once, the improviser's on the audio clock with a constant delay, the lead. */

import { AudioClock } from "./clock.js";

const YOU = 0;
const IMPROVISER = 1;
// General MIDI programs, counted from 0: a piano for you, an electric piano for the improviser.
const PROGRAMS = [0, 4];
const [LEAD_MS, LEAD_STEP_MS, LEAD_MAX_MS] = [30, 10, 250];
// Notes that are later than this are not played.
const STALE_S = 1;
const SHORTEST_S = 0.02;
// After this many early notes in a row the lead is shortened.
const EARLY_NOTES = 40;
// Browsers measure the latency of the output anew all the time; smaller changes are not followed.
const LATENCY_STEP_S = 0.005;

/** Plays both parts, each with its volume and mute. */
export class Sound {
  #programClock;
  #synth = null;
  #clock = null;
  #isOn = true;
  #volumes = [100, 100];
  #mutes = [false, false];
  // Times on the audio clock at which the improviser's sounding notes began, by channel and note.
  #sounding = new Map();
  #early = 0;
  #latencyS = 0;
  leadMs = LEAD_MS;
  sounded = 0;

  constructor(programClock) {
    this.#programClock = programClock;
  }

  /** Whether sound can be heard. */
  get isRunning() {
    return this.#isOn && this.#synth?.audioContext.state === "running";
  }

  /** Whether the sound is switched on; it may wait for a gesture. */
  get isOn() {
    return this.#isOn;
  }

  /** The AudioContext; undefined before the first gesture. */
  get context() {
    return this.#synth?.audioContext;
  }

  /** Start the sound, if it is switched on. */
  async start() {
    if (this.#isOn) await this.resume();
  }

  /** Start or resume the context if a user gesture permits it; browsers refuse it, with a warning, before a gesture. */
  async resume() {
    if (navigator.userActivation?.isActive === false) return;
    if (!this.#synth) this.#make();
    await this.#synth.audioContext.resume();
  }

  /** Convert the program's seconds to the time on the audio clock at which a sound must begin to be heard then. */
  toHeardS(atS) {
    const latencyS = this.context.outputLatency || 0;
    if (Math.abs(latencyS - this.#latencyS) > LATENCY_STEP_S) this.#latencyS = latencyS;
    return this.#clock.toAudioS(this.#programClock.toPageMs(atS)) - this.#latencyS;
  }

  /** Switch all sound on or off. */
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

  /** Play one of your channel messages now: notes, pedal, wheels. */
  playYours(data) {
    const kind = data[0] & 0xf0;
    const isControl = kind === 0xb0 && (data[1] === 1 || data[1] === 64);
    if (!this.#synth || !this.#isOn || !(kind === 0x80 || kind === 0x90 || kind === 0xe0 || isControl)) return;
    this.#synth.send([kind | YOU, data[1], data[2]]);
  }

  /** Play a `played` note; a note that arrives too late makes the lead longer. */
  play({ channel, note, velocity, due_s: dueS }) {
    if (!this.isRunning) return;
    const nowS = this.#synth.audioContext.currentTime;
    const dueAudioS = this.#clock.toAudioS(this.#programClock.toPageMs(dueS));
    if (nowS - dueAudioS > STALE_S) return;
    this.#fitLead((dueAudioS - nowS) * 1000 + this.leadMs);
    const onS = Math.max(nowS, dueAudioS + this.leadMs / 1000);
    this.#synth.send([0x90 | IMPROVISER, note, velocity], onS);
    this.#sounding.set(`${channel}:${note}`, onS);
    this.sounded += 1;
  }

  /** End the note of a `released` event. */
  release({ channel, note, due_s: dueS }) {
    const onS = this.#sounding.get(`${channel}:${note}`);
    if (onS === undefined) return;
    this.#sounding.delete(`${channel}:${note}`);
    const dueAudioS = this.#clock.toAudioS(this.#programClock.toPageMs(dueS));
    const offS = Math.max(dueAudioS + this.leadMs / 1000, onS + SHORTEST_S, this.#synth.audioContext.currentTime);
    this.#synth.send([0x80 | IMPROVISER, note, 0], offS);
  }

  /** End all notes of the improviser. */
  silenceImproviser() {
    this.#sounding.clear();
    this.#synth?.allSoundOff(IMPROVISER);
  }

  /** End all sound. */
  silence() {
    this.silenceImproviser();
    this.#synth?.setSustain(YOU, 0);
    this.#synth?.allSoundOff(YOU);
  }

  /** Return to the shortest lead, since a new connection may be faster. */
  resetLead() {
    this.leadMs = LEAD_MS;
    this.#early = 0;
  }

  #make() {
    this.#synth = new window.WebAudioTinySynth({ quality: 1, useReverb: 0 });
    this.#clock = new AudioClock(this.#synth.audioContext);
    PROGRAMS.forEach((program, part) => {
      this.#synth.setProgram(part, program);
      this.#applyVolume(part);
    });
  }

  /** Make the lead longer after a late note, and shorter after many early ones in a row. */
  #fitLead(spareMs) {
    this.#early = spareMs > 2 * LEAD_STEP_MS ? this.#early + 1 : 0;
    if (spareMs < 0) {
      this.leadMs = Math.min(LEAD_MAX_MS, this.leadMs + LEAD_STEP_MS);
    } else if (this.#early >= EARLY_NOTES) {
      this.leadMs = Math.max(LEAD_MS, this.leadMs - LEAD_STEP_MS);
      this.#early = 0;
    }
  }

  #applyVolume(part) {
    this.#synth?.setChVol(part, this.#mutes[part] ? 0 : this.#volumes[part]);
  }
}
