/** Steering: buttons, tempo, preset, key, and the keys of the computer that do the same. */

import { byId, setOptions, setText } from "./dom.js";
import { isText, isTyping } from "./keys.js";
import { Knobs } from "./knobs.js";
import { KEYS, clockName } from "./names.js";

const ACTIONS = {
  like: "like", dislike: "dislike", undo: "undo", "undo-all": "undo_all", freeze: "freeze", mute: "mute", solo: "solo",
  keep: "keep", tap: "tap", panic: "panic",
};
const SHORTCUTS = { Backspace: "undo", Space: "tap" };
// With Shift: the arrows alone scroll the page.
const SHIFTED = { ArrowUp: "like", ArrowDown: "dislike" };
const SWITCHES = ["mute", "solo", "freeze"];
const TEMPO_BPM = [20, 400];
// A choice that is made at the next bar line is shown until then, or given up.
const PATIENCE_MS = 12000;

/** All that steers, sending commands by `send`. */
export class Controls {
  #send;
  #onPanic;
  #knobs;
  // What was chosen and not confirmed yet, by the id of the field: {value, untilMs}.
  #chosen = new Map();

  constructor(send, onPanic) {
    this.#send = send;
    this.#onPanic = onPanic;
    this.#knobs = new Knobs(send);
    for (const [id, action] of Object.entries(ACTIONS)) byId(id).addEventListener("click", () => this.#act(action));
    setOptions(byId("lock"), [["auto", "auto: it hears the key"], ...KEYS.map((key) => [key, key])]);
    this.#onChange("lock", (key) => send({ event: "lock", key }));
    this.#onChange("preset", (preset) => send({ event: "choose", preset }));
    byId("tempo").addEventListener("change", () => this.#setTempo());
    window.addEventListener("keydown", (event) => this.#shortcut(event));
  }

  /** Show how it stands. */
  show(state) {
    this.#knobs.show(state.panel);
    for (const name of SWITCHES) byId(name).setAttribute("aria-pressed", String(state[name]));
    const presets = state.presets.includes(state.preset) ? state.presets : [state.preset, ...state.presets];
    setOptions(byId("preset"), presets.map((name) => [name, name]));
    this.#showField("preset", state.preset);
    this.#showField("lock", state.lock || "auto");
    this.#showField("tempo", String(Math.round(state.tempo_bpm * 10) / 10));
    const isOuter = state.clock !== "own";
    byId("tempo").disabled = isOuter;
    const isComing = this.#chosen.has("preset");
    const says = [
      isComing && "The other preset comes with the next bar.",
      isOuter && `The tempo comes from ${clockName(state.clock)}.`,
    ];
    setText(byId("steer-says"), says.filter(Boolean).join(" "));
  }

  #act(action) {
    this.#send({ event: "act", action });
    if (action === "panic") this.#onPanic();
  }

  #setTempo() {
    const field = byId("tempo");
    const asked = Number(field.value);
    if (!asked) return;
    const position = Math.max(TEMPO_BPM[0], Math.min(TEMPO_BPM[1], asked));
    field.value = String(position);
    this.#wait("tempo");
    this.#send({ event: "turn", knob: "tempo", position });
  }

  #onChange(id, tell) {
    byId(id).addEventListener("change", () => {
      this.#wait(id);
      tell(byId(id).value);
    });
  }

  #wait(id) {
    const patienceMs = id === "preset" ? PATIENCE_MS : PATIENCE_MS / 8;
    this.#chosen.set(id, { value: byId(id).value, untilMs: performance.now() + patienceMs });
  }

  /** Show a field as the program has it, but while it is written in or its choice is on the way. */
  #showField(id, value) {
    const chosen = this.#chosen.get(id);
    if (chosen && chosen.value !== value && performance.now() < chosen.untilMs) return;
    this.#chosen.delete(id);
    const field = byId(id);
    const isWritten = id === "tempo" && document.activeElement === field;
    if (field.value !== value && !isWritten) field.value = value;
  }

  #shortcut(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.code === "Escape") {
      if (!isEscapeTaken(event.target)) this.#act("panic");
      return;
    }
    const action = SHORTCUTS[event.code] ?? (event.shiftKey ? SHIFTED[event.code] : undefined);
    if (!action || !byId("keys-on").checked || isTyping(event.target) || event.defaultPrevented) return;
    const isOwn = event.code === "Space" ? "button, summary, a, input" : event.code.startsWith("Arrow") && "input";
    if (isOwn && event.target.matches?.(isOwn)) return;
    event.preventDefault();
    this.#act(action);
  }
}

/** Whether Escape is meant for what is open there, which it closes, or for a text field. */
function isEscapeTaken(target) {
  const details = target.closest?.("details[open]");
  if (details) {
    details.open = false;
    details.querySelector("summary").focus();
    return true;
  }
  const isOpenSelect = CSS.supports("selector(:open)") && (target.matches?.("select:open") ?? false);
  return isOpenSelect || document.querySelector("dialog[open]") !== null || isText(target);
}
