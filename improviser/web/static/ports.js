/** Chooses the ports of the improviser. */

import { byId, sentence, setOptions, setText } from "./dom.js";

// Milliseconds for which a choice is shown before the program confirms it.
const SETTLE_MS = 1000;
const KINDS = { input: "in", output: "out" };

/** Two selects that send `route` with both ports; for the unchanged one, the port that was requested before. */
export class Ports {
  #state = null;
  #settledMs = { input: 0, output: 0 };

  constructor(send) {
    for (const id of Object.keys(KINDS)) {
      byId(id).addEventListener("change", () => {
        this.#settledMs[id] = performance.now() + SETTLE_MS;
        send({ event: "route", input: this.#asked("input"), output: this.#asked("output") });
        setTimeout(() => { if (this.#state) this.show(this.#state); }, SETTLE_MS + 10);
      });
    }
  }

  /** Show the available and the chosen ports. */
  show(state) {
    this.#state = state;
    const { offered, route, own_ports: [, output] } = state;
    setText(byId("ports-says"), state.refused_what === "ports" ? sentence(state.refused) : "");
    this.#showOne("input", "All inputs", offered.in, route.in);
    this.#showOne("output", `${output} (virtual port)`, offered.out, state.is_virtual ? null : state.sends_on);
  }

  #isSettled(id) {
    return performance.now() >= this.#settledMs[id];
  }

  /** The requested port: a fresh choice of the user, otherwise the program's. */
  #asked(id) {
    return this.#isSettled(id) ? this.#state?.route[KINDS[id]] ?? null : byId(id).value || null;
  }

  #showOne(id, none, names, wanted) {
    const select = byId(id);
    const present = wanted ? chosen(names, wanted) : "";
    const absent = wanted && !present ? [[wanted, absentName(wanted, this.#state.own_ports[0])]] : [];
    const isNew = setOptions(select, [["", none], ...names.map((name) => [name, name]), ...absent]);
    const value = present || wanted || "";
    if ((isNew || this.#isSettled(id)) && select.value !== value) select.value = value;
  }
}

/** The name that equals the pattern, or the first that contains it; an empty text if there is none. */
function chosen(names, part) {
  return names.find((name) => name === part) ?? names.find((name) => hasPart(name, part)) ?? "";
}

/** The text for a port that is not in the list: our own port, a pattern for several, or a disconnected port. */
function absentName(wanted, ownInput) {
  if (hasPart(ownInput, wanted)) return `${wanted} (virtual port)`;
  return /[*?[]/.test(wanted) ? wanted : `${wanted} (not connected)`;
}

const hasPart = (name, part) => name.toLowerCase().includes(part.toLowerCase());
