/** Which keys belong to a field that has the focus, and when fields and buttons give the focus back. */

const TEXTS = "textarea, input[type=number], input[type=text]";
// Keys after which a text field gives the focus back.
const LEAVING = ["Enter", "NumpadEnter", "Escape"];
// A number has no letters: these are notes even there.
const OF_NUMBERS = /[0-9.,]/;

/** Whether text is written there. */
export const isText = (target) => target.matches?.(TEXTS) ?? false;

/** Whether keys choose or write something there. */
export const isField = (target) => target.matches?.(`select, ${TEXTS}`) ?? false;

/** Whether a key writes a letter, a digit or a sign, but for the space bar. */
export const isPrintable = (event) => event.key.length === 1 && event.code !== "Space";

/** Whether a list is open; a browser that cannot tell gives its keys to the list, not to the page. */
export const isOpen = (target) => CSS.supports("selector(:open)") && (target.matches?.("select:open") ?? false);

/** Whether a key belongs to the field that has the focus; where keys play, letters never belong to a closed one. */
export function isForField(event, arePlayed) {
  const { target } = event;
  if (!isField(target)) return false;
  if (isOpen(target) || !arePlayed || !isPrintable(event)) return true;
  return target.matches("input[type=number]") ? OF_NUMBERS.test(event.key) : isText(target);
}

/**
 * Let what was clicked, and fields in which something was chosen or written, give the focus back: so the computer's
 * keys play on, and Space repeats no button. Whoever goes by Tab keeps the place.
 */
export function giveFocusBack() {
  let isByKey = false;
  window.addEventListener("keydown", (event) => { isByKey = isForField(event, true); }, true);
  window.addEventListener("pointerdown", () => { isByKey = false; }, true);
  window.addEventListener("click", ({ detail }) => {
    const { activeElement } = document;
    if (detail > 0 && activeElement?.matches("button, summary, a, input[type=checkbox]")) activeElement.blur();
  });
  window.addEventListener("change", ({ target }) => { if (!isByKey && isField(target)) target.blur(); });
  window.addEventListener("keydown", ({ code, target }) => {
    // After the key has done what it does: Enter tells of the change.
    if (LEAVING.includes(code) && isText(target)) setTimeout(() => target.blur());
  });
}
