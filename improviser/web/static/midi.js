/** A MIDI keyboard that the browser sees: its messages go to the program. */

import { byId, setText } from "./dom.js";

// The program's own ports lead back to it.
const OWN = /improviser/i;

/** Offer the browser's MIDI; `play(data)` is given the bytes of each channel message. */
export function offerWebMidi(play) {
  const button = byId("web-midi");
  if (!navigator.requestMIDIAccess) {
    setText(byId("web-midi-says"), "This browser gives pages no MIDI. A keyboard on the computer that runs the improviser is heard anyway.");
    return;
  }
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      const access = await navigator.requestMIDIAccess();
      access.addEventListener("statechange", () => listen(access, play));
      listen(access, play);
    } catch {
      setText(byId("web-midi-says"), "The browser did not allow it: allow MIDI for this page beside its address, and try again.");
    }
  });
}

/** Listen to all inputs that are there now. */
function listen(access, play) {
  const inputs = [...access.inputs.values()].filter((input) => !OWN.test(input.name));
  for (const input of inputs) {
    input.onmidimessage = ({ data }) => { if (data[0] >= 0x80 && data[0] < 0xf0) play([...data]); };
  }
  const names = inputs.map((input) => input.name).join(", ");
  setText(byId("web-midi-says"), names ? `Listening to ${names}.` : "No MIDI keyboard is there yet: plug one in.");
}
