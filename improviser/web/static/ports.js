/** Choosing the ports that it listens to and plays on. */

import { byId, setOptions } from "./dom.js";

/** Two selects that send `route`. */
export class Ports {
  constructor(send) {
    const route = () => send({ event: "route", input: byId("input").value || null, output: byId("output").value || null });
    for (const id of ["input", "output"]) byId(id).addEventListener("change", route);
  }

  /** Show what there is and what is chosen. */
  show(state) {
    const { in: inputs, out: outputs } = state.offered;
    setOptions(byId("input"), [["", "All inputs"], ...inputs.map((name) => [name, name])]);
    setOptions(byId("output"), [["", "Improviser Out (virtual port)"], ...outputs.map((name) => [name, name])]);
    choose(byId("input"), chosen(inputs, state.route.in));
    choose(byId("output"), state.is_virtual ? "" : chosen(outputs, state.sends_on));
  }
}

/** The first name that was meant, by it or by a part of it; nothing where none was. */
function chosen(names, part) {
  return (part && names.find((name) => name.toLowerCase().includes(part.toLowerCase()))) || "";
}

/** Choose a value, but not under somebody's hand. */
function choose(select, value) {
  if (document.activeElement !== select && select.value !== value) select.value = value;
}
