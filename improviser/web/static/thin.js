/**
 * Thins out continuous controls before they are sent: bends, pressures, controllers such as CC 74.
 *
 * Of each only the newest value waits. Five fingers on an MPE keyboard send 690 messages a second, all keyboards of a
 * page together at most MOST each EVERY_MS, and what waits longest goes first. A note takes what waits on its channel
 * with it, before it; notes and pedals never wait.
 */

const EVERY_MS = 20;
// 250 a second: the program lets a page send 400, and notes need room.
const MOST = 5;

/** Lets values wait that are told apart by their name, each in a group, such as a channel of a keyboard. */
export class Thinner {
  // What waits, the oldest first: by name {group, send}.
  #waiting = new Map();
  // What was sent in these EVERY_MS.
  #sent = new Set();
  #sinceMs = -EVERY_MS;
  #timer = 0;

  /** Send a value by `send()`, at once where it may be; of one that waits the newest is sent. */
  put(name, group, send) {
    this.#turn();
    if (this.#waiting.has(name)) this.#waiting.get(name).send = send;
    else this.#waiting.set(name, { group, send });
    this.#sendSome();
  }

  /** Send all that waits in a group now. */
  flush(group) {
    for (const [name, one] of this.#waiting) {
      if (one.group !== group) continue;
      this.#waiting.delete(name);
      one.send();
    }
  }

  /** Forget what waits in groups that begin so. */
  drop(start) {
    for (const [name, { group }] of this.#waiting) if (group.startsWith(start)) this.#waiting.delete(name);
  }

  /** Begin with the next EVERY_MS, where these are over; a hidden tab's timers come late. */
  #turn() {
    const nowMs = performance.now();
    if (nowMs - this.#sinceMs < EVERY_MS) return;
    this.#sinceMs = nowMs;
    this.#sent.clear();
  }

  /** Send what waits longest, as much as may be, each name once; come back for the rest. */
  #sendSome() {
    for (const [name, { send }] of this.#waiting) {
      if (this.#sent.size >= MOST) break;
      if (this.#sent.has(name)) continue;
      this.#waiting.delete(name);
      this.#sent.add(name);
      send();
    }
    if (this.#waiting.size && !this.#timer) this.#timer = setTimeout(() => this.#comeBack(), EVERY_MS);
  }

  #comeBack() {
    this.#timer = 0;
    this.#turn();
    this.#sendSome();
  }
}
