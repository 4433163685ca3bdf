/** The banner: reports what went wrong and what to do. */

import { byId, setText } from "./dom.js";

const AGAIN = "Run improviser jam in a terminal, and open the address that it prints.";
const LOST_AFTER_MS = 1500;
const WARNING_MS = 10000;

/** Shows the most serious problem, or nothing. */
export class Banner {
  #ended = "";
  #isLost = false;
  #isDead = false;
  #warning = "";
  #lostTimer = 0;
  #warningTimer = 0;

  /** The jam has ended for this reason. */
  end(reason) {
    this.#ended = `${reason} ${AGAIN}`;
    this.#show();
  }

  /** The connection is lost: report it if it does not return at once. */
  lose() {
    if (this.#lostTimer) return;
    this.#lostTimer = setTimeout(() => { this.#isLost = true; this.#show(); }, LOST_AFTER_MS);
  }

  /** Clear all problems when a session starts. */
  clear() {
    clearTimeout(this.#warningTimer);
    this.#warning = "";
    this.connect();
  }

  /** The connection works. */
  connect() {
    clearTimeout(this.#lostTimer);
    this.#lostTimer = 0;
    this.#isLost = false;
    this.#ended = "";
    this.#show();
  }

  /** Set whether the performer's process runs. */
  setAlive(isAlive) {
    this.#isDead = !isAlive;
    this.#show();
  }

  /** Show a fault that does not stop the music, for WARNING_MS. */
  warn(text) {
    this.#warning = text;
    clearTimeout(this.#warningTimer);
    this.#warningTimer = setTimeout(() => { this.#warning = ""; this.#show(); }, WARNING_MS);
    this.#show();
  }

  #show() {
    const lost = this.#isLost && `The improviser does not answer. Reconnecting … If this fails, start it again. ${AGAIN}`;
    const dead = this.#isDead && "The improviser has stopped. It is restarting.";
    const text = this.#ended || lost || dead || this.#warning;
    byId("banner").hidden = !text;
    if (text) setText(byId("banner"), text);
  }
}
