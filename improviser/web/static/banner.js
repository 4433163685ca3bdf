/** The banner: what went wrong and what to do. */

import { byId, setText } from "./dom.js";

const AGAIN = "Start it again in a terminal: improviser jam, and open the address that it prints.";
const LOST_AFTER_MS = 1500;
const WARNING_MS = 10000;

/** Says the worst of what is known; nothing where all is well. */
export class Banner {
  #ended = "";
  #isLost = false;
  #isDead = false;
  #warning = "";
  #lostTimer = 0;
  #warningTimer = 0;

  /** The jam is over, for this reason. */
  end(reason) {
    this.#ended = `${reason} ${AGAIN}`;
    this.#show();
  }

  /** The link is lost: said where it does not come back at once. */
  lose() {
    if (this.#lostTimer) return;
    this.#lostTimer = setTimeout(() => { this.#isLost = true; this.#show(); }, LOST_AFTER_MS);
  }

  /** All begins anew: nothing is wrong any more. */
  clear() {
    clearTimeout(this.#warningTimer);
    this.#warning = "";
    this.connect();
  }

  /** The link is there. */
  connect() {
    clearTimeout(this.#lostTimer);
    this.#lostTimer = 0;
    this.#isLost = false;
    this.#ended = "";
    this.#show();
  }

  /** The process that plays is there, or gone. */
  setAlive(isAlive) {
    this.#isDead = !isAlive;
    this.#show();
  }

  /** A fault that the music survives: shown for a while. */
  warn(text) {
    this.#warning = text;
    clearTimeout(this.#warningTimer);
    this.#warningTimer = setTimeout(() => { this.#warning = ""; this.#show(); }, WARNING_MS);
    this.#show();
  }

  #show() {
    const lost = this.#isLost && `The improviser does not answer. Trying again … If it does not come back: ${AGAIN}`;
    const dead = this.#isDead && "The playing process is gone; another one is being started.";
    const text = this.#ended || lost || dead || this.#warning;
    byId("banner").hidden = !text;
    if (text) setText(byId("banner"), text);
  }
}
