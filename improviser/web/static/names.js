/** Names of notes, keys and places in the bar, as the program writes them. */

export const PITCH_CLASSES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

const CLOCKS = {
  own: "internal clock", follow: "your playing", midi: "MIDI clock", link: "Ableton Link", jack: "JACK transport",
};

/** The name of the clock in the state's `clock`. */
export const clockName = (clock) => CLOCKS[clock] ?? clock;

/** The names of all 24 keys, major keys first. */
export const KEYS = [...PITCH_CLASSES, ...PITCH_CLASSES.map((name) => `${name}m`)];

/** The name of a note, such as "C4" for 60. */
export const noteName = (note) => `${PITCH_CLASSES[note % 12]}${Math.floor(note / 12) - 1}`;

/** Whether a note is a black key. */
export const isBlack = (note) => [1, 3, 6, 8, 10].includes(note % 12);

/** The number of quarter notes in a bar of `meter`, [numerator, denominator]. */
export const barBeats = (meter) => (meter[0] * 4) / meter[1];

/** The bar number of a beat, as in the program (Meter.bar_at): bar 1 starts at beat 0; a count-in is below 1. */
export const barAt = (beat, meter) => Math.floor(beat / barBeats(meter) + 1e-6) + 1;

/** The label of a bar on the piano roll. */
export const barName = (bar) => (bar < 1 ? "in" : String(bar));

/** The place of a beat, such as "bar 5 beat 2.5"; beats are counted in the meter's denominator. */
export function placeName(beat, meter) {
  const bar = barAt(beat, meter);
  const inBar = ((beat - (bar - 1) * barBeats(meter)) * meter[1]) / 4;
  return `${bar < 1 ? "count-in" : `bar ${bar}`} beat ${Math.round((inBar + 1) * 100) / 100}`;
}

/** What the player is expected to do, with probabilities: "hold 60 %, D5 20 %". */
export function expectation(expected) {
  return expected.map(({ does, note, chance }) => `${note === null ? does : noteName(note)} ${Math.round(chance * 100)} %`).join(", ");
}
