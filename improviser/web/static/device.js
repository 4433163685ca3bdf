/** One MIDI keyboard of the browser: tracks what it holds, and thins out its continuous controls. */

const [OFF, ON, POLY_PRESSURE, CONTROL, PRESSURE, BEND] = [0x80, 0x90, 0xa0, 0xb0, 0xd0, 0xe0];
const SWITCHES = [64, 69];
// Sent without delay: switches, and messages whose order matters (bank, parameter, data entry, channel mode).
const AT_ONCE = [[0, 0], [6, 6], [32, 32], [38, 38], SWITCHES, [96, 101], [120, 127]];

/** Calls `play(data)` for each message of the keyboard, and on release with the ends of all that it holds. */
export class Device {
  #play;
  // The message that ends each held note, pedal and bend, by status and number.
  #ends = new Map();
  #thinner;
  // Prefix for this keyboard's names, since several keyboards share the thinner.
  #name;

  constructor(play, thinner, name) {
    this.#play = play;
    this.#thinner = thinner;
    this.#name = `${name}/`;
  }

  /** Handle a channel message. A note is sent after all earlier messages of its channel. */
  take(data) {
    const group = `${this.#name}${data[0] & 0x0f}`;
    if (isContinuous(data)) {
      this.#thinner.put(`${this.#name}${nameOf(data)}`, group, () => this.#send(data));
    } else {
      this.#thinner.flush(group);
      this.#send(data);
    }
  }

  /** Release everything: keys, pedals and the wheel. */
  releaseAll() {
    this.#thinner.drop(this.#name);
    const ends = [...this.#ends.values()];
    this.#ends.clear();
    for (const end of ends) this.#play(end);
  }

  #send(data) {
    this.#note(data);
    this.#play(data);
  }

  /** Update what has to be ended. */
  #note(data) {
    const [status, number, value] = data;
    const [kind, channel] = [status & 0xf0, status & 0x0f];
    if (kind === ON && value > 0) {
      this.#ends.set(nameOf(data), [OFF | channel, number, 0]);
    } else if (kind === OFF || kind === ON) {
      this.#ends.delete(nameOf([ON | channel, number]));
    } else if (kind === CONTROL && isWithin(number, SWITCHES)) {
      if (value > 0) this.#ends.set(nameOf(data), [status, number, 0]);
      else this.#ends.delete(nameOf(data));
    } else if (kind === BEND) {
      if (number !== 0 || value !== 64) this.#ends.set(nameOf(data), [status, 0, 64]);
      else this.#ends.delete(nameOf(data));
    }
  }
}

/** The name of a message's control: its status, and the number of the key or controller if it has one. */
function nameOf([status, number]) {
  const hasNumber = (status & 0xf0) < PRESSURE;
  return hasNumber ? `${status}:${number}` : String(status);
}

/** Whether only the newest of such messages matters. */
function isContinuous([status, number]) {
  const kind = status & 0xf0;
  if (kind === CONTROL) return !AT_ONCE.some((range) => isWithin(number, range));
  return kind === POLY_PRESSURE || kind === PRESSURE || kind === BEND;
}

const isWithin = (number, [low, high]) => number >= low && number <= high;
