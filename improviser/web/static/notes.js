/** The latest notes of the improviser as buttons: the roll's content for keyboards and screen readers. */

import { byId, make, setText } from "./dom.js";
import { noteName, placeName } from "./names.js";

const SHOWN = 12;

/** The name of a decision, such as "E4, bar 5 beat 2.5". */
export function decisionName(events, meter) {
  const names = events.map((event) => noteName(event.note)).join(" ");
  return `${names}, ${placeName(events[0].beat, meter)}`;
}

/** The list of notes; notes of one chord share a button. Calls `onChoose(events)`. */
export class Notes {
  #list = byId("notes");
  #decisions = [];
  #onChoose;

  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  /** Add a `played` note at the top. */
  add(event, meter) {
    const last = this.#decisions[0];
    if (last && last.events[0].beat === event.beat && Math.abs(last.events[0].due_s - event.due_s) < 0.1) {
      last.events.push(event);
      last.events.sort((one, other) => one.note - other.note);
      setText(last.button, decisionName(last.events, meter));
      return;
    }
    const events = [event];
    const button = make("button", { type: "button", "aria-pressed": "false" }, decisionName(events, meter));
    button.addEventListener("click", () => this.#onChoose(events));
    const item = make("li", {}, button);
    this.#list.prepend(item);
    this.#decisions.unshift({ events, button, item });
    this.#trim();
  }

  /** Mark the chosen decision; return all its known notes. */
  mark(event) {
    let found = [event];
    for (const { events, button } of this.#decisions) {
      const isChosen = events.includes(event);
      button.setAttribute("aria-pressed", String(isChosen));
      if (isChosen) found = events;
    }
    return found;
  }

  /** Remove all notes. */
  clear() {
    this.#decisions = [];
    this.#list.replaceChildren();
  }

  /** Remove the oldest notes, except one that has the focus, which would be lost. */
  #trim() {
    for (let place = this.#decisions.length - 1; place >= SHOWN; place -= 1) {
      const { item, button } = this.#decisions[place];
      if (button === document.activeElement) continue;
      item.remove();
      this.#decisions.splice(place, 1);
    }
  }
}
