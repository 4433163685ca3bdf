/** Names of notes, keys and places in the bar, as the program writes them. */

export const PITCH_CLASSES = ["C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B"];

const CLOCKS = { own: "its own", midi: "MIDI clock", link: "Ableton Link" };

/** Where the beat comes from, by `clock` of the state. */
export const clockName = (clock) => CLOCKS[clock] ?? clock;

/** All 24 keys by name, the major ones first. */
export const KEYS = [...PITCH_CLASSES, ...PITCH_CLASSES.map((name) => `${name}m`)];

/** The name of a note, such as "C4" for 60. */
export const noteName = (note) => `${PITCH_CLASSES[note % 12]}${Math.floor(note / 12) - 1}`;

/** Whether a note is a black key. */
export const isBlack = (note) => [1, 3, 6, 8, 10].includes(note % 12);

/** Quarter notes that a bar of `meter`, [num, den], takes. */
export const barBeats = (meter) => (meter[0] * 4) / meter[1];

/** The number of the bar that a beat is in, as the program counts (Meter.bar_at): 1 from beat 0 on, a count-in's are below. */
export const barAt = (beat, meter) => Math.floor(beat / barBeats(meter) + 1e-6) + 1;

/** What a bar is called on the roll. */
export const barName = (bar) => (bar < 1 ? "in" : String(bar));

/** Where a moment is, such as "bar 5 beat 2.5"; a beat is what the meter's lower number says. */
export function placeName(beat, meter) {
  const bar = barAt(beat, meter);
  const inBar = ((beat - (bar - 1) * barBeats(meter)) * meter[1]) / 4;
  return `${bar < 1 ? "count-in" : `bar ${bar}`} beat ${Math.round((inBar + 1) * 100) / 100}`;
}
