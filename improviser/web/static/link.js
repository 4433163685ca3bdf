/** The websocket to the program: it comes back by itself, pings, and says how it stands. */

const PING_MS = 1000;
// So many pings come fast at first, so that the clock is known soon.
const FIRST_PINGS = 6;
const FIRST_PING_MS = 120;
const DEAD_MS = 6000;
const [WAIT_MS, WAIT_MAX_MS] = [250, 4000];

/** A link that calls `onMessage(message)`, and `onLost()` each time that it is lost or cannot be had. */
export class Link {
  #socket = null;
  #waitMs = WAIT_MS;
  #timer = 0;
  #pings = 0;
  #heardMs = 0;
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
    socket.addEventListener("open", () => {
      this.#pings = 0;
      this.#heardMs = performance.now();
      this.#ping();
    });
    socket.addEventListener("message", ({ data }) => {
      this.#heardMs = performance.now();
      const message = JSON.parse(data);
      if (message.event === "hello") this.#waitMs = WAIT_MS;
      this.#onMessage(message);
    });
    socket.addEventListener("close", () => this.#lose(socket));
  }

  /** Ping, soon again at first; a link that says nothing for long is dead. */
  #ping() {
    if (performance.now() - this.#heardMs > DEAD_MS) {
      const socket = this.#socket;
      socket.close();
      this.#lose(socket);
      return;
    }
    this.send({ event: "ping", sent_ms: performance.now() });
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
