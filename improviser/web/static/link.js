/** The websocket to the program: reconnects, pings, and reports its state. */

const PING_MS = 1000;
// The first pings are fast, so that the clock is known soon.
const FIRST_PINGS = 6;
const FIRST_PING_MS = 120;
// The connection is dead after this many unanswered pings over at least this time. Time alone proves nothing: a
// hidden tab's timers are late, and a computer may sleep.
const UNANSWERED_MAX = 5;
const DEAD_MS = 4500;
const [WAIT_MS, WAIT_MAX_MS] = [250, 4000];

/** A connection that calls `onMessage(message)`, and `onLost()` each time that it is lost or cannot be opened. */
export class Link {
  #socket = null;
  #waitMs = WAIT_MS;
  #timer = 0;
  #pings = 0;
  // Times of the pings without a pong, oldest first, since the last `hello`.
  #pinged = new Set();
  #onMessage;
  #onLost;

  constructor(onMessage, onLost) {
    this.#onMessage = onMessage;
    this.#onLost = onLost;
    this.#open();
  }

  /** Send a command; return whether the connection was open. */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  #open() {
    const url = new URL("ws", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("open", () => this.#begin());
    socket.addEventListener("message", ({ data }) => { if (socket === this.#socket) this.#take(JSON.parse(data)); });
    socket.addEventListener("close", () => this.#lose(socket));
  }

  #take(message) {
    const isHello = message.event === "hello";
    // A pong for a ping before the last hello has the time of a former performer's clock.
    if (message.event === "pong" && !this.#pinged.delete(message.sent_ms)) return;
    if (isHello) this.#waitMs = WAIT_MS;
    this.#onMessage(message);
    if (isHello) this.#begin();
  }

  /** Start to ping again, to learn the time anew. */
  #begin() {
    this.#pings = 0;
    this.#pinged.clear();
    this.#ping();
  }

  /** Send a ping, with short intervals at first; close the connection if pings stay unanswered. */
  #ping() {
    clearTimeout(this.#timer);
    const nowMs = performance.now();
    const [oldestMs] = this.#pinged;
    if (this.#pinged.size >= UNANSWERED_MAX && nowMs - oldestMs > DEAD_MS) {
      const socket = this.#socket;
      socket.close();
      this.#lose(socket);
      return;
    }
    if (this.send({ event: "ping", sent_ms: nowMs })) this.#pinged.add(nowMs);
    this.#pings += 1;
    this.#timer = setTimeout(() => this.#ping(), this.#pings < FIRST_PINGS ? FIRST_PING_MS : PING_MS);
  }

  #lose(socket) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    clearTimeout(this.#timer);
    this.#onLost();
    this.#timer = setTimeout(() => this.#open(), this.#waitMs);
    this.#waitMs = Math.min(WAIT_MAX_MS, this.#waitMs * 1.6);
  }
}
