/** The status panel: key, chord, tempo, lateness, ports, and what was learned. */

import { bar, byId, make, sentence, setText } from "./dom.js";
import { clockName, expectation } from "./names.js";

const LAST_NOTES = 64;
// Refusals of these are shown next to their own fields, not here.
const ELSEWHERE = ["preset", "key", "tempo", "next_preset", "count_in", "ports"];
// Words for each preference feature, liked more and liked less. They fit tunes and chords.
const TRAITS = {
  onset: ["busier", "sparser"], rest: ["more rests", "fewer rests"], leap: ["more leaping", "less leaping"],
  rising: ["rising", "falling"], high: ["higher", "lower"], colour: ["more colour", "plainer"],
  outside: ["more foreign", "less foreign"], repeat: ["more repeats", "fewer repeats"], echo: ["more echo", "less echo"],
  offbeat: ["more syncopation", "straighter"], fit: ["with your note", "without your note"],
};

/** The status panel. */
export class Status {
  #errorsMs = [];
  #taste = "";

  /** Show the state. */
  show(state) {
    this.showUnderstood(state);
    setText(byId("stands"), standing(state));
    setText(byId("tempo-now"), `${Math.round(state.tempo_bpm * 10) / 10} bpm, ${state.meter.join("/")}`);
    setText(byId("clock"), `${clockName(state.clock)}${state.clock === "follow" ? followed(state) : ""}`);
    setText(byId("realtime"), state.realtime ? "yes" : "no");
    const gone = (isOutput) => state.gone.filter((name) => (name === state.sends_on) === isOutput).map((name) => `${name} (disconnected)`);
    setText(byId("ports-in"), [...(state.ports.in ?? []), ...gone(false)].join(", ") || "none");
    setText(byId("ports-out"), [`${state.sends_on || "none"} (${state.backend})`, gone(true).length && "disconnected"].filter(Boolean).join(", "));
    byId("silent").hidden = !state.silent || !state.alive || !byId("hint").hidden;
    if (state.silent) setText(byId("silent"), sentence(state.silent));
    for (const id of ["ports-in", "ports-out"]) byId(id).title = byId(id).textContent;
    this.#showLearned(state);
    const refused = ELSEWHERE.includes(state.refused_what) ? "" : sentence(state.refused);
    setText(byId("notice"), [refused, sentence(state.notice)].filter(Boolean).join(" "));
  }

  /** Show key and chord, with their confidence, the place in the chart and in the turn, and what the player is expected to do, if that is not heard. */
  showUnderstood({ key, key_confidence: keySure, chord, chord_confidence: chordSure, expected, coming, chart_bar: place, turn }) {
    setText(byId("key"), key ? `${key}${sure(keySure)}` : "–");
    setText(byId("chord"), chord ? `${chord}${sure(chordSure)}` : "–");
    byId("chart").parentElement.hidden = !place;
    if (place) setText(byId("chart"), `bar ${place[0]} of ${place[1]}${coming.length ? `, then ${coming.join(", ")}` : ""}`);
    byId("turn").parentElement.hidden = !turn;
    if (turn) setText(byId("turn"), `${turn[0] ? "mine" : "yours"}, bar ${turn[1]} of ${turn[2]}`);
    if (expected?.length) {
      setText(byId("expected"), expectation(expected));
      byId("expected").parentElement.hidden = false;
    }
  }

  /** Record how late a note was sent, and show the median and the maximum. */
  takePlayed({ due_s: dueS, actual_s: actualS }) {
    this.#errorsMs.push((actualS - dueS) * 1000);
    if (this.#errorsMs.length > LAST_NOTES) this.#errorsMs.shift();
    const sorted = [...this.#errorsMs].sort((one, other) => one - other);
    const most = sorted[sorted.length - 1];
    const usual = sorted[Math.floor((sorted.length - 1) / 2)];
    setText(byId("onset"), `${figure(usual)}, ${figure(most)} ms`);
    byId("onset-meter").value = Math.max(0, most);
  }

  /** Show that the connection is lost. */
  lose() {
    setText(byId("stands"), "not connected");
  }

  #showLearned(state) {
    const presses = `${count(state.likes, "like")}, ${count(state.dislikes, "dislike")}`;
    const isFresh = state.likes + state.dislikes === 0;
    setText(byId("words"), state.words ? `${state.words} (${presses})` : isFresh ? "Nothing yet. Press Like or Dislike while it plays." : presses);
    const { learned, checkpoint } = state;
    const background = learned ? `${learned.words} (${learned.updates} updates)` : "";
    setText(byId("learned"), [checkpoint > 0 && `It uses checkpoint ${checkpoint}.`, background].filter(Boolean).join(" "));
    const signature = JSON.stringify(state.taste);
    if (signature === this.#taste) return;
    this.#taste = signature;
    byId("taste").replaceChildren(...Object.entries(state.taste).filter(([, value]) => Math.abs(value) >= 0.01).map(tasteItem));
  }
}

/** Make the list item of a preference feature: its bar, and the same in words for screen readers. */
function tasteItem([trait, value]) {
  const [more, less] = TRAITS[trait] ?? [`more ${trait}`, `less ${trait}`];
  const told = `: ${Math.round(Math.abs(value) * 100)} % ${value > 0 ? more : less}`;
  return make("li", {}, make("span", {}, less), make("span", {}, bar(value, 1), make("span", { class: "visually-hidden" }, told)), make("span", {}, more));
}

/** What the improviser does now, in a few words. */
function standing(state) {
  if (!state.alive) return "restarting";
  if (state.silent) return state.silent;
  const player = state.player ? `, built-in player: “${state.player}”` : "";
  return `${state.solo ? "playing solo" : "playing along"}, preset ${state.preset}${player}`;
}

/** How sure the improviser is of your beat, and whether it follows it. */
const followed = (state) => (state.beat_followed ? sure(state.beat_confidence) : ", not found yet");
const sure = (confidence) => (confidence === null || confidence === undefined ? "" : ` (${Math.round(confidence * 100)} %)`);
const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const figure = (ms) => (Math.abs(ms) < 0.995 ? ms.toFixed(2) : ms.toFixed(1));
