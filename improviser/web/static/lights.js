/** The beat lights: one for each counted beat of a bar, of which one is lit. */

import { byId, make, setText } from "./dom.js";

/** Lights that follow a grid. */
export class Lights {
  #box = byId("lights");
  #clock;
  #grid;
  #shown = "";

  constructor(clock, grid) {
    this.#clock = clock;
    this.#grid = grid;
    const loop = () => {
      requestAnimationFrame(loop);
      this.#draw();
    };
    requestAnimationFrame(loop);
  }

  #draw() {
    const { beats } = this.#grid;
    const light = this.#clock.isKnown ? this.#grid.lightAt(this.#clock.nowS()) : null;
    const shown = `${beats.length} ${light?.place} ${light?.isCountIn}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    if (this.#box.childElementCount !== beats.length) {
      this.#box.replaceChildren(...beats.map(() => make("span")));
      this.#box.setAttribute("aria-label", `Beat lights: ${beats.length} in a bar`);
    }
    [...this.#box.children].forEach((span, place) => span.classList.toggle("lit", place === light?.place));
    this.#box.classList.toggle("count-in", light?.isCountIn ?? false);
    setText(byId("counting"), light?.isCountIn ? "Count-in" : "");
  }
}
