/** Controls: buttons, tempo, preset, key, and the computer keys that do the same. */

import { byId, sentence, setOptions, setText } from "./dom.js";
import { isForField, isOpen, isText } from "./focus.js";
import { Knobs } from "./knobs.js";
import { KEYS, clockName } from "./names.js";

const ACTIONS = {
  like: "like", dislike: "dislike", undo: "undo", "undo-all": "undo_all", freeze: "freeze", mute: "mute", solo: "solo",
  keep: "keep", end: "end", tap: "tap", panic: "panic",
};
const SHORTCUTS = { Backspace: "undo", Space: "tap" };
// With Shift, since the arrows alone scroll the page.
const SHIFTED = { ArrowUp: "like", ArrowDown: "dislike" };
const SWITCHES = ["mute", "solo", "freeze"];
const TEMPO_BPM = [20, 400];
// Milliseconds for which a choice that takes effect at the next bar is shown before it is given up.
const PATIENCE_MS = 12000;
const REFUSAL_MS = 10000;
// What the program may refuse among the fields here.
const STEERED = ["preset", "key", "tempo", "next_preset", "count_in"];

/** All controls; they send commands with `send`. */
export class Controls {
  #send;
  #onPanic;
  #knobs;
  // Choices that are not confirmed yet, by the id of the field: {value, untilMs}.
  #chosen = new Map();
  #state = null;
  // Why the last entry here was refused.
  #refusal = "";
  #refusalTimer = 0;
  // Whether the user is typing a tempo.
  #isTyped = false;

  constructor(send, onPanic) {
    this.#send = send;
    this.#onPanic = onPanic;
    this.#knobs = new Knobs(send);
    for (const [id, action] of Object.entries(ACTIONS)) byId(id).addEventListener("click", () => this.#act(action));
    byId("follow").addEventListener("click", () => this.#follow());
    byId("count-in").addEventListener("click", () => send({ event: "count_in", bars: 1 }));
    setOptions(byId("lock"), [["auto", "auto: detect the key"], ...KEYS.map((key) => [key, key])]);
    this.#onChange("lock", (key) => send({ event: "lock", key }));
    this.#onChange("timing", (timing) => send({ event: "set_timing", timing }));
    this.#onChange("mode", (mode) => send({ event: "set_mode", mode }));
    this.#onChange("preset", (preset) => send({ event: "choose", preset }));
    byId("tempo").addEventListener("change", () => this.#setTempo());
    byId("tempo").addEventListener("input", () => { this.#isTyped = true; });
    for (const end of ["change", "blur"]) byId("tempo").addEventListener(end, () => { this.#isTyped = false; });
    window.addEventListener("keydown", (event) => this.#shortcut(event));
  }

  /** Show the state. */
  show(state) {
    this.#knobs.show(state.panel);
    for (const name of SWITCHES) byId(name).setAttribute("aria-pressed", String(state[name]));
    const presets = state.presets.includes(state.preset) ? state.presets : [state.preset, ...state.presets];
    setOptions(byId("preset"), presets.map((name) => [name, name]));
    this.#showField("preset", state.preset);
    this.#showField("lock", state.lock || "auto");
    this.#showField("timing", state.timing);
    this.#showField("mode", state.mode);
    this.#showField("tempo", tempoText(state));
    const isOuter = !["own", "follow"].includes(state.clock);
    for (const id of ["tempo", "follow"]) byId(id).disabled = isOuter;
    byId("follow").setAttribute("aria-pressed", String(state.clock === "follow"));
    const isComing = this.#chosen.has("preset");
    const says = [
      this.#refusal || (STEERED.includes(state.refused_what) && sentence(state.refused)),
      isComing && "The preset changes at the next bar.",
      isOuter && `The tempo follows ${clockName(state.clock)}.`,
    ];
    setText(byId("steer-says"), says.filter(Boolean).join(" "));
    this.#state = state;
  }

  /** Handle a refusal: stop showing the refused choice. */
  refuse({ what }) {
    this.#chosen.delete({ preset: "preset", key: "lock", timing: "timing", mode: "mode", tempo: "tempo" }[what]);
  }

  #act(action) {
    this.#send({ event: "act", action });
    if (action === "panic") this.#onPanic();
  }

  /** Follow the player's beat, or keep the tempo that it has now. */
  #follow() {
    const { clock, tempo_bpm: position } = this.#state;
    this.#send(clock === "follow" ? { event: "turn", knob: "tempo", position } : { event: "act", action: "follow" });
  }

  #setTempo() {
    const field = byId("tempo");
    const position = Number(field.value);
    const [low, high] = TEMPO_BPM;
    const isRefused = !(position >= low && position <= high);
    this.#say(isRefused ? `The tempo must be from ${low} to ${high} bpm; ${field.value || "an empty field"} is not.` : "");
    if (isRefused) {
      field.value = tempoText(this.#state);
      return;
    }
    this.#wait("tempo");
    this.#send({ event: "turn", knob: "tempo", position });
  }

  /** Show near the fields why something was refused, for a while or until the next entry. */
  #say(text) {
    clearTimeout(this.#refusalTimer);
    this.#refusal = text;
    if (text) this.#refusalTimer = setTimeout(() => this.#say(""), REFUSAL_MS);
    if (this.#state) this.show(this.#state);
  }

  #onChange(id, tell) {
    byId(id).addEventListener("change", () => {
      this.#wait(id);
      this.#say("");
      tell(byId(id).value);
    });
  }

  #wait(id) {
    const patienceMs = id === "preset" ? PATIENCE_MS : PATIENCE_MS / 8;
    this.#chosen.set(id, { value: byId(id).value, untilMs: performance.now() + patienceMs });
  }

  /** Show a field as the program has it, unless the user types in it or a choice waits for confirmation. */
  #showField(id, value) {
    const chosen = this.#chosen.get(id);
    if (chosen && chosen.value !== value && performance.now() < chosen.untilMs) return;
    this.#chosen.delete(id);
    const field = byId(id);
    const isWritten = id === "tempo" && document.activeElement === field && this.#isTyped;
    if (field.value !== value && !isWritten) field.value = value;
  }

  #shortcut(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.code === "Escape") {
      if (!isEscapeTaken(event.target)) this.#act("panic");
      else if (event.target === byId("tempo")) byId("tempo").value = tempoText(this.#state);
      return;
    }
    const action = SHORTCUTS[event.code] ?? (event.shiftKey ? SHIFTED[event.code] : undefined);
    if (!action || !byId("keys-on").checked || isForField(event, true) || event.defaultPrevented) return;
    const isOwn = event.code === "Space" ? "button, summary, a, input[type=checkbox]" : event.code.startsWith("Arrow") && "input";
    if (isOwn && event.target.matches?.(isOwn)) return;
    event.preventDefault();
    this.#act(action);
  }
}

/** Whether Escape belongs to something open, which it closes, or to a text field. */
function isEscapeTaken(target) {
  const details = target.closest?.("details[open]");
  if (details) {
    details.open = false;
    details.querySelector("summary").focus();
    return true;
  }
  return isOpen(target) || document.querySelector("dialog[open]") !== null || isText(target);
}

/** The tempo as shown in the field. */
const tempoText = (state) => String(Math.round(state.tempo_bpm * 10) / 10);
