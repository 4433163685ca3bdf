/** Decides which keys belong to a focused field, and when fields and buttons release the focus. */

const TEXTS = "textarea, input[type=number], input[type=text]";
// Keys after which a text field releases the focus.
const LEAVING = ["Enter", "NumpadEnter", "Escape"];
// Numbers have no letters, so letters are notes even in a number field.
const OF_NUMBERS = /[0-9.,]/;

/** Whether text is typed there. */
export const isText = (target) => target.matches?.(TEXTS) ?? false;

/** Whether keys select or type something there. */
export const isField = (target) => target.matches?.(`select, ${TEXTS}`) ?? false;

/** Whether a key types a letter, a digit or a sign; the space bar does not count. */
export const isPrintable = (event) => event.key.length === 1 && event.code !== "Space";

/** Whether a list is open. A browser that cannot tell passes the keys to the list itself, not to the page. */
export const isOpen = (target) => CSS.supports("selector(:open)") && (target.matches?.("select:open") ?? false);

/** Whether a key belongs to the focused field. While computer keys play, letters do not belong to a closed list. */
export function isForField(event, arePlayed) {
  const { target } = event;
  if (!isField(target)) return false;
  if (isOpen(target) || !arePlayed || !isPrintable(event)) return true;
  return target.matches("input[type=number]") ? OF_NUMBERS.test(event.key) : isText(target);
}

/**
 * Release the focus of clicked controls, and of fields after a choice or an entry. The computer's keys then play on,
 * and Space does not repeat a button. Users who navigate with Tab keep their place.
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
    // Wait until the key has had its effect, since Enter causes the change event.
    if (LEAVING.includes(code) && isText(target)) setTimeout(() => target.blur());
  });
}
