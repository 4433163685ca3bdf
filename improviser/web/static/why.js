/** Explains a note: what each term of the decision added for it and for the nearest alternatives. */

import { bar, byId, make } from "./dom.js";
import { noteName } from "./names.js";
import { decisionName } from "./notes.js";

const PARTS = ["harmony", "coherence", "creativity", "reward", "prior", "preference"];
const TITLES = { prior: "habits of people", preference: "your taste" };

/** Show the reasons for the decision of these `played` events. */
export function showWhy(events, meter) {
  const reasons = events[0].why;
  const title = decisionName(events, meter);
  if (!reasons?.length) {
    byId("why").replaceChildren(make("p", {}, `${title}: nothing was told about why.`));
    return;
  }
  const parts = PARTS.filter((part) => reasons.some((reason) => part in reason));
  const most = Math.max(...reasons.flatMap((reason) => parts.map((part) => Math.abs(reason[part] ?? 0))));
  const heads = ["It could", "Chance", ...parts.map((part) => TITLES[part] ?? part)];
  const table = make("table", {},
    make("caption", {}, `${title}: what spoke for it, and for what came nearest`),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...reasons.map((reason, place) => row(reason, place === 0, parts, most))),
  );
  byId("why").replaceChildren(table, make("p", { class: "small" }, explanation(events[0])));
}

/** Make the row of one action; the chosen action comes first. */
function row(reason, isChosen, parts, most) {
  const chance = `${(reason.chance * 100).toFixed(reason.chance < 0.0995 ? 1 : 0)} %`;
  return make("tr", {},
    make("th", { scope: "row" }, `${deed(reason)}${isChosen ? " (it did)" : ""}`),
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
  if (reason.does === "hold") return "go on as it is";
  if (reason.does === "rest") return "be silent";
  if (reason.chord) return `play ${reason.chord} (${reason.notes.map(noteName).join(" ")})`;
  return `play ${noteName(reason.note)}`;
}

/** The text that explains the table. */
function explanation(event) {
  const heard = [event.key && `the key ${event.key}`, event.chord && `the chord ${event.chord}`].filter(Boolean).join(" and ");
  return `${heard ? `It heard ${heard}. ` : ""}${choice(event.allowed)}`
    + "Figures are in units of its reward, beside the mean of all that it was allowed to do: "
    + "to the right speaks for it, to the left against it.";
}

/** How many actions were allowed. */
function choice(allowed) {
  if (!allowed) return "";
  const [number, of] = allowed;
  if (number === of) return `All ${of} actions were allowed. `;
  return `${number} of ${of} actions were allowed; the others are masked: outside the locked key or register, `
    + "or nothing sounds that could be held. ";
}
