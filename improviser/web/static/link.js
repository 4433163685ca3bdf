/** The websocket to the program: it comes back by itself, pings, and says how it stands. */

const PING_MS = 1000;
// So many pings come fast at first, so that the clock is known soon.
const FIRST_PINGS = 6;
const FIRST_PING_MS = 120;
// So many pings without an answer, over so long a time, mean that the link is dead. Time alone does not: a hidden
// tab's timers come late, and a computer sleeps.
const UNANSWERED_MAX = 5;
const DEAD_MS = 4500;
const [WAIT_MS, WAIT_MAX_MS] = [250, 4000];

/** A link that calls `onMessage(message)`, and `onLost()` each time that it is lost or cannot be had. */
export class Link {
  #socket = null;
  #waitMs = WAIT_MS;
  #timer = 0;
  #pings = 0;
  // When the pings were sent that have no pong yet, the oldest first; none of those before the last `hello`.
  #pinged = new Set();
  #onMessage;
  #onLost;

  constructor(onMessage, onLost) {
    this.#onMessage = onMessage;
    this.#onLost = onLost;
    this.#open();
  }

  /** Send a command; tells whether there was somebody to send it to. */
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
    // A pong to what was sent before the last hello tells the time of a clock that is gone.
    if (message.event === "pong" && !this.#pinged.delete(message.sent_ms)) return;
    if (isHello) this.#waitMs = WAIT_MS;
    this.#onMessage(message);
    if (isHello) this.#begin();
  }

  /** Ask what time it is, as if never asked before. */
  #begin() {
    this.#pings = 0;
    this.#pinged.clear();
    this.#ping();
  }

  /** Ping, soon again at first; a link that answers none of them is dead. */
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
