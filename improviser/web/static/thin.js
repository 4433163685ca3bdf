/**
 * Thins out continuous controls before they are sent: bends, pressures, controllers such as CC 74.
 *
 * Only the newest value of each control waits. Five fingers on an MPE keyboard send 690 messages a second. All
 * keyboards of a page together send at most MOST in each EVERY_MS, and the value that has waited longest goes first.
 * Before a note all waiting values of its channel are sent. Notes and pedals never wait.
 */

const EVERY_MS = 20;
// 250 a second. The program's rate limit for a page is 400, and notes need room.
const MOST = 5;

/** Holds back values by name; each belongs to a group, such as a channel of a keyboard. */
export class Thinner {
  // The waiting values, oldest first, by name: {group, send}.
  #waiting = new Map();
  // The names that were sent in the current EVERY_MS.
  #sent = new Set();
  #sinceMs = -EVERY_MS;
  #timer = 0;

  /** Send a value with `send()`, at once if possible; a newer value with the same name replaces a waiting one. */
  put(name, group, send) {
    this.#turn();
    if (this.#waiting.has(name)) this.#waiting.get(name).send = send;
    else this.#waiting.set(name, { group, send });
    this.#sendSome();
  }

  /** Send all waiting values of a group now. */
  flush(group) {
    for (const [name, one] of this.#waiting) {
      if (one.group !== group) continue;
      this.#waiting.delete(name);
      one.send();
    }
  }

  /** Drop the waiting values of all groups whose names begin with `start`. */
  drop(start) {
    for (const [name, { group }] of this.#waiting) if (group.startsWith(start)) this.#waiting.delete(name);
  }

  /** Start the next period if EVERY_MS have passed; a hidden tab's timers are late. */
  #turn() {
    const nowMs = performance.now();
    if (nowMs - this.#sinceMs < EVERY_MS) return;
    this.#sinceMs = nowMs;
    this.#sent.clear();
  }

  /** Send the oldest waiting values, as many as allowed, each name once; schedule the rest. */
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
