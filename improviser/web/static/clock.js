/** The program's clock on the page, and the page's clock on the sound card. */

const PONGS = 30;
// The sound card's clock is read in jumps of a block: the latest reading of so many is the true one.
const READINGS = 20;

/** Maps the program's seconds to performance.now(), by the pong that took the least time. */
export class ProgramClock {
  #pongs = [];
  #offsetMs = null;
  rttMs = null;

  /** Begin anew with what `hello` says: a first guess, until a pong comes. */
  begin(nowS) {
    this.#pongs = [];
    this.rttMs = null;
    this.#offsetMs = nowS * 1000 - performance.now();
  }

  /** Take a pong: what was sent when, and the program's moment in the middle of the round trip. */
  take(sentMs, nowS) {
    const receivedMs = performance.now();
    this.#pongs.push({ rttMs: receivedMs - sentMs, offsetMs: nowS * 1000 - (sentMs + receivedMs) / 2 });
    if (this.#pongs.length > PONGS) this.#pongs.shift();
    const best = this.#pongs.reduce((least, pong) => (pong.rttMs < least.rttMs ? pong : least));
    this.rttMs = best.rttMs;
    this.#offsetMs = best.offsetMs;
  }

  /** Whether it is known what the time is. */
  get isKnown() {
    return this.#offsetMs !== null;
  }

  /** The program's seconds now. */
  nowS() {
    return (performance.now() + (this.#offsetMs ?? 0)) / 1000;
  }

  /** The program's seconds as performance.now() counts. */
  toPageMs(atS) {
    return atS * 1000 - (this.#offsetMs ?? 0);
  }
}

/** Maps performance.now() to the seconds of an AudioContext. */
export class AudioClock {
  #context;
  #readings = [];

  constructor(context) {
    this.#context = context;
    context.addEventListener("statechange", () => { this.#readings = []; });
    setInterval(() => this.#read(), 100);
  }

  /** A moment of the page on the sound card's clock. */
  toAudioS(pageMs) {
    this.#read();
    return pageMs / 1000 + Math.max(...this.#readings);
  }

  #read() {
    this.#readings.push(this.#context.currentTime - performance.now() / 1000);
    if (this.#readings.length > READINGS) this.#readings.shift();
  }
}
