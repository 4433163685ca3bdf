/** One MIDI keyboard that the browser sees: what it holds, and its continuous controls thinned out. */

const [OFF, ON, POLY_PRESSURE, CONTROL, PRESSURE, BEND] = [0x80, 0x90, 0xa0, 0xb0, 0xd0, 0xe0];
const SWITCHES = [64, 69];
// Switches, and what only means something in its order: banks, parameters and their data, the channel's mode.
const AT_ONCE = [[0, 0], [6, 6], [32, 32], [38, 38], SWITCHES, [96, 101], [120, 127]];

/** Calls `play(data)` with what the keyboard says, and with the ends of all that it holds when it is let go. */
export class Device {
  #play;
  // What has to end: the message that ends each note, pedal and bend, by status and number.
  #ends = new Map();
  #thinner;
  // What this keyboard is called among those that share the thinner.
  #name;

  constructor(play, thinner, name) {
    this.#play = play;
    this.#thinner = thinner;
    this.#name = `${name}/`;
  }

  /** Take a channel message: a note comes after all that was said on its channel before it. */
  take(data) {
    const group = `${this.#name}${data[0] & 0x0f}`;
    if (isContinuous(data)) {
      this.#thinner.put(`${this.#name}${nameOf(data)}`, group, () => this.#send(data));
    } else {
      this.#thinner.flush(group);
      this.#send(data);
    }
  }

  /** Let go of everything: keys, pedals and the wheel. */
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

  /** Take note of what has to end, or has ended. */
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

/** What a message is about: its status, and the number of the key or the control where it has one. */
function nameOf([status, number]) {
  const hasNumber = (status & 0xf0) < PRESSURE;
  return hasNumber ? `${status}:${number}` : String(status);
}

/** Whether only the last of many such messages counts. */
function isContinuous([status, number]) {
  const kind = status & 0xf0;
  if (kind === CONTROL) return !AT_ONCE.some((range) => isWithin(number, range));
  return kind === POLY_PRESSURE || kind === PRESSURE || kind === BEND;
}

const isWithin = (number, [low, high]) => number >= low && number <= high;
