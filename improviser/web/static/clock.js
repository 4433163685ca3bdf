/** Converts between the program's clock, the page's clock and the sound card's clock. */

const PONGS = 30;
// The sound card's clock advances in blocks, so a single reading may be late: use the greatest of the last READING_MS.
const [READING_MS, BETWEEN_MS] = [2000, 5];

/** Maps the program's seconds to performance.now(), by the pong with the shortest round trip. */
export class ProgramClock {
  #pongs = [];
  #offsetMs = null;
  rttMs = null;

  /** Start again with the time in `hello`: a first estimate until a pong arrives. */
  begin(nowS) {
    this.#pongs = [];
    this.rttMs = null;
    this.#offsetMs = nowS * 1000 - performance.now();
  }

  /** Use a pong: the page's time of sending, and the program's time in the middle of the round trip. */
  take(sentMs, nowS) {
    const receivedMs = performance.now();
    this.#pongs.push({ rttMs: receivedMs - sentMs, offsetMs: nowS * 1000 - (sentMs + receivedMs) / 2 });
    if (this.#pongs.length > PONGS) this.#pongs.shift();
    const best = this.#pongs.reduce((least, pong) => (pong.rttMs < least.rttMs ? pong : least));
    this.rttMs = best.rttMs;
    this.#offsetMs = best.offsetMs;
  }

  /** Whether the program's time is known. */
  get isKnown() {
    return this.#offsetMs !== null;
  }

  /** The program's time now, in seconds. */
  nowS() {
    return (performance.now() + (this.#offsetMs ?? 0)) / 1000;
  }

  /** Convert the program's seconds to the milliseconds of performance.now(). */
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

  /** Convert the milliseconds of the page to the seconds of the sound card's clock. */
  toAudioS(pageMs) {
    this.#read();
    return pageMs / 1000 + Math.max(...this.#readings.map(({ offsetS }) => offsetS));
  }

  #read() {
    const nowMs = performance.now();
    if (this.#readings.length && nowMs - this.#readings.at(-1).atMs < BETWEEN_MS) return;
    this.#readings.push({ atMs: nowMs, offsetS: this.#context.currentTime - nowMs / 1000 });
    while (this.#readings[0].atMs < nowMs - READING_MS) this.#readings.shift();
  }
}
