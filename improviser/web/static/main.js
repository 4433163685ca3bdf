/**
 * The page of a jam: connects the link, the sound and the panels.
 *
 * The diagnostics and the tests read `window.improviser`; nothing is controlled through it. It has: `drawn` (number of
 * notes on the roll), `lastDrawn` (for `you` and the `improviser`, {note, at_ms}: the newest drawn note, by
 * performance.now()), `fps`, `state` (the program's latest state), `rtt_ms`, `lead_ms`, and `sounded` (number of
 * improviser's notes that were scheduled on the audio clock), and `clicks` (the last clicks that were scheduled).
 */

import { Banner } from "./banner.js";
import { Click } from "./click.js";
import { ProgramClock } from "./clock.js";
import { Controls } from "./controls.js";
import { offerDoctor } from "./doctor.js";
import { byId, setText } from "./dom.js";
import { giveFocusBack } from "./focus.js";
import { Grid } from "./grid.js";
import { Keys } from "./keys.js";
import { Lights } from "./lights.js";
import { Link } from "./link.js";
import { WebMidi } from "./midi.js";
import { Notes } from "./notes.js";
import { Piano } from "./piano.js";
import { Ports } from "./ports.js";
import { Roll } from "./roll.js";
import { Status } from "./status.js";
import { Sound } from "./synth.js";
import { showWhy } from "./why.js";

const DIAGNOSTICS_MS = 500;
// Messages that may move the beat, and with it the clicks.
const BEAT_EVENTS = ["hello", "state", "understood", "started", "synced", "halted", "rested", "restarted"];

let state = null;
// The port of this page. Its notes come back under this name, but have already sounded when they were pressed.
let ownPort = "";
// Whether a synthesizer or a DAW plays the output. The page then makes no sound unless the user wants it.
let wasHeardElsewhere = null;
const clock = new ProgramClock();
const sound = new Sound(clock);
const grid = new Grid();
const click = new Click(sound, clock, grid);
const roll = new Roll(clock, grid, chooseNote);
const notes = new Notes(([decision]) => chooseNote(decision));
const status = new Status();
const banner = new Banner();
const piano = new Piano();
const link = new Link(take, lose);
const send = (message) => link.send(message);
const controls = new Controls(send, silence);
const ports = new Ports(send);
const keys = new Keys(piano, playYours);
const webMidi = new WebMidi(playYours);
new Lights(clock, grid);
offerDoctor();
giveFocusBack();
followSound();
setInterval(showDiagnostics, DIAGNOSTICS_MS);

Object.defineProperty(window, "improviser", {
  value: Object.freeze({
    get drawn() { return roll.drawn; },
    get lastDrawn() { return roll.lastDrawn; },
    get fps() { return roll.fps; },
    get state() { return state; },
    get rtt_ms() { return clock.rttMs; },
    get lead_ms() { return sound.leadMs; },
    get sounded() { return sound.sounded; },
    get clicks() { return click.scheduled; },
  }),
});

/** Play a message of this page: send it first, then sound it. */
function playYours(data) {
  send({ event: "receive", data });
  if (!sound.isRunning) sound.start();
  sound.playYours(data);
}

/** Handle a message of the program. */
function take(message) {
  if (message.event === "hello") begin(message);
  else if (message.event === "pong") clock.take(message.sent_ms, message.now_s);
  else if (message.event === "state") showState(message);
  else if (message.event === "refused") takeRefusal(message);
  else takeEvent(message, true);
  if (BEAT_EVENTS.includes(message.event)) click.update();
}

/** Show a refusal. The state has the reason for a refused command; the text is only for a faulty message. */
function takeRefusal({ what, text }) {
  if (what) controls.refuse({ what });
  else setText(byId("notice"), text);
}

/** Start with a new connection or a new performer, whose clock may differ: show the recent events first. */
function begin({ now_s: nowS, state: stands, recent, port }) {
  silence();
  piano.darken("you", "improviser");
  ownPort = port;
  clock.begin(nowS);
  sound.resetLead();
  for (const panel of [roll, notes, grid, banner]) panel.clear();
  showState(stands);
  grid.setTempo(stands.tempo_bpm, clock.nowS());
  if (!stands.rolling) grid.await();
  for (const event of recent) takeEvent(event, false);
}

/** Release all held keys, and end all sound. */
function silence() {
  keys.releaseAll();
  webMidi.releaseAll();
  sound.silence();
}

/** The connection is lost: end all notes. */
function lose() {
  silence();
  piano.darken("you", "improviser");
  if (clock.isKnown) roll.endAll(clock.nowS());
  status.lose();
  banner.lose();
}

/** Show the state in all panels. */
function showState(stands) {
  const isHeardElsewhere = !stands.is_virtual || stands.heard_by.length > 0;
  // Without a performer nothing can be connected to its port, so this says nothing.
  if (stands.alive) {
    if (isHeardElsewhere !== wasHeardElsewhere) switchSound(!isHeardElsewhere);
    wasHeardElsewhere = isHeardElsewhere;
  }
  state = stands;
  [grid.meter, grid.beats, grid.barBeat, grid.firstBar] = [state.meter, state.beats, state.bar_beat, state.first_bar];
  for (const panel of [controls, status, ports, click]) panel.show(state);
  banner.setAlive(state.alive);
}

/** Handle an event. Events before this page connected are not `isLive`: they are shown, but not heard. */
function takeEvent(event, isLive) {
  switch (event.event) {
    case "heard": takeHeard(event, isLive); break;
    case "lifted": takeLifted(event, isLive); break;
    case "controlled": if (isLive && isHeardHere(event)) sound.playYours(event.data); break;
    case "played": takePlayed(event, isLive); break;
    case "released": takeReleased(event, isLive); break;
    case "silenced": takeSilenced(event); break;
    case "planned": roll.plan(event.notes); break;
    case "understood": grid.anchor(event.at_s, event.beat); status.showUnderstood(event); break;
    case "started": grid.start(event.at_s, event.beat); break;
    case "synced": grid.sync(event.at_s, event.beat, event.tempo_bpm, state.rolling); break;
    case "recounted": grid.recount(event.at_s, event.beat, event.meter); break;
    case "halted": grid.stop(event.at_s); roll.plan([]); break;
    case "detached": grid.detach(); break;
    case "rested": grid.rest(event.at_s, event.beat); roll.plan([]); break;
    case "restarted": grid.clear(); grid.await(); roll.plan([]); break;
    case "warning": if (isLive) banner.warn(event.text); break;
    case "ready": banner.connect(); break;
    case "error": if (isLive) banner.end(`${event.text}.`.replace("..", ".")); break;
    case "summary": if (isLive) banner.end("The jam has ended."); break;
    default: break; // The state has the rest.
  }
}

/** Whether a note that you played elsewhere sounds on this page. */
function isHeardHere(event) {
  return event.port !== ownPort && byId("hear").checked && sound.isRunning;
}

function takeHeard(event, isLive) {
  grid.wake(event.at_s);
  roll.begin("you", event, event.at_s);
  if (!isLive || event.port === ownPort) return;
  piano.light(event.note, "you", true);
  if (isHeardHere(event)) sound.playYours([144, event.note, event.velocity]);
}

function takeLifted(event, isLive) {
  roll.end("you", event, event.at_s);
  if (!isLive || event.port === ownPort) return;
  piano.light(event.note, "you", false);
  if (sound.isRunning) sound.playYours([128, event.note, 0]);
}

function takePlayed(event, isLive) {
  if (Number.isInteger(event.beat)) grid.anchor(event.due_s, event.beat, undefined, false);
  const decision = decisionOf(event);
  roll.begin("improviser", event, event.due_s, decision);
  notes.add(decision, state.meter);
  status.takePlayed(event);
  if (!isLive) return;
  piano.light(event.note, "improviser", true);
  sound.play(event);
}

function takeReleased(event, isLive) {
  roll.end("improviser", event, event.due_s);
  piano.light(event.note, "improviser", false);
  if (isLive) sound.release(event);
}

function takeSilenced(event) {
  roll.endAll(event.at_s, "improviser");
  piano.darken("improviser");
  sound.silenceImproviser();
}

/** The parts of a `played` event that are kept. */
function decisionOf({ note, beat, key, chord, due_s, why, allowed, expected }) {
  return { note, beat, key, chord, due_s, why, allowed, expected };
}

/** Show the reasons for a decision. */
function chooseNote(decision) {
  roll.chosen = decision;
  showWhy(notes.mark(decision), state.meter);
}

/** Start the sound with the first gesture, and again with a later one if the browser has suspended it. */
function followSound() {
  const start = async () => {
    if (!sound.isRunning) await (click.isOn ? sound.resume() : sound.start());
    byId("hint").hidden ||= sound.isRunning;
  };
  for (const gesture of ["pointerdown", "pointerup", "keydown"]) {
    // After the panels' own handlers, so that a note is sent before the sound starts.
    window.addEventListener(gesture, () => setTimeout(start));
  }
  byId("start").addEventListener("click", () => { switchSound(true); start(); });
  byId("sound").addEventListener("change", () => { switchSound(byId("sound").checked); start(); });
  for (const name of ["you", "improviser"]) {
    byId(`volume-${name}`).addEventListener("input", (event) => sound.setVolume(name, Number(event.target.value)));
    byId(`mute-${name}`).addEventListener("change", (event) => sound.setMute(name, event.target.checked));
  }
  byId("hear").addEventListener("change", () => sound.silence());
}

/** Switch the sound of the page on or off. It is switched off when a synthesizer plays the output. */
function switchSound(isOn) {
  byId("sound").checked = isOn;
  sound.switch(isOn);
  if (!isOn) byId("hint").hidden = true;
}

function showDiagnostics() {
  const rtt = clock.rttMs === null ? "–" : clock.rttMs.toFixed(1);
  setText(byId("diagnostics"), `${roll.fps} frames per second, round trip ${rtt} ms, sound delay ${sound.leadMs} ms, ${sound.sounded} notes sounded`);
}
