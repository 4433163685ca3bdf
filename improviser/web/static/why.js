/** Explains a note: what each term of the decision added for it and for the nearest alternatives. */

import { bar, byId, make } from "./dom.js";
import { expectation, noteName } from "./names.js";
import { decisionName } from "./notes.js";

const PARTS = ["harmony", "coherence", "creativity", "reward", "prior", "preference"];
const TITLES = { prior: "people's habits", preference: "your preferences" };

/** Show the reasons for the decision of these `played` events. */
export function showWhy(events, meter) {
  const reasons = events[0].why;
  const title = decisionName(events, meter);
  if (!reasons?.length) {
    byId("why").replaceChildren(make("p", {}, `${title}: no reasons were recorded.`));
    return;
  }
  const parts = PARTS.filter((part) => reasons.some((reason) => part in reason));
  const most = Math.max(...reasons.flatMap((reason) => parts.map((part) => Math.abs(reason[part] ?? 0))));
  const heads = ["Action", "Chance", ...parts.map((part) => TITLES[part] ?? part)];
  const table = make("table", {},
    make("caption", {}, `${title}: why it was played, and the nearest alternatives`),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...reasons.map((reason, place) => row(reason, place === 0, parts, most))),
  );
  byId("why").replaceChildren(table, make("p", { class: "small" }, explanation(events[0])));
}

/** Make the row of one action; the chosen action comes first. */
function row(reason, isChosen, parts, most) {
  const chance = `${(reason.chance * 100).toFixed(reason.chance < 0.0995 ? 1 : 0)} %`;
  return make("tr", {},
    make("th", { scope: "row" }, `${deed(reason)}${isChosen ? " (chosen)" : ""}`),
    make("td", { class: "figure" }, chance, bar(reason.chance, 1, true)),
    ...parts.map((part) => cell(reason[part] ?? 0, most)),
  );
}

/** Make the cell of one term: its figure and its bar. */
function cell(value, most) {
  const figure = Math.abs(value) < 0.005 ? "0.00" : `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
  return make("td", { class: "figure" }, figure, bar(value, most));
}

/** The name of an action. */
function deed(reason) {
  if (reason.does === "hold") return "hold";
  if (reason.does === "rest") return "rest";
  if (reason.chord) return `play ${reason.chord} (${reason.notes.map(noteName).join(" ")})`;
  return `play ${noteName(reason.note)}`;
}

/** The text that explains the table. */
function explanation(event) {
  const heard = [event.key && `the key ${event.key}`, event.chord && `the chord ${event.chord}`].filter(Boolean).join(" and ");
  return `${heard ? `Detected: ${heard}. ` : ""}${guess(event.expected)}${choice(event.allowed)}`
    + "Figures are in units of the reward, compared with the mean of all allowed actions. "
    + "A bar to the right speaks for the action, a bar to the left against it.";
}

/** What you were expected to do, if your note of that step was not heard before the decision. */
function guess(expected) {
  return expected?.length ? `Decided before your note was heard; expected: ${expectation(expected)}. ` : "";
}

/** How many actions were allowed. */
function choice(allowed) {
  if (!allowed) return "";
  const [number, of] = allowed;
  if (number === of) return `All ${of} actions were allowed. `;
  return `${number} of ${of} actions were allowed. The others are outside the locked key or the register, `
    + "or hold a note when none sounds. ";
}
