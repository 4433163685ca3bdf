/** The few things that all panels do with the page. */

/** The element with that id. */
export const byId = (id) => document.getElementById(id);

/** Write a text where it is another one: nothing is laid out anew for the same. */
export function setText(element, text) {
  const written = text || "\u00a0";
  if (element.textContent !== written) element.textContent = written;
}

/** A text as a sentence; nothing for nothing. */
export const sentence = (text) => text && `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;

/** Make an element with attributes and children; a child is an element or a text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Give a select these [value, text] pairs, where they are others than it has; tells whether they were. */
export function setOptions(select, pairs) {
  const signature = JSON.stringify(pairs);
  if (select.dataset.holds === signature) return false;
  select.dataset.holds = signature;
  const { value } = select;
  select.replaceChildren(...pairs.map(([key, text]) => new Option(text, key)));
  if (pairs.some(([key]) => key === value)) select.value = value;
  return true;
}

/** A small bar for a value from -most to most, to the left or right of its middle; from the left where nothing is negative. */
export function bar(value, most, fromLeft = false) {
  const share = Math.min(1, Math.abs(value) / (most || 1)) * (fromLeft ? 100 : 50);
  const span = make("span", value < 0 ? { class: "minus" } : {});
  span.style.width = `${share}%`;
  if (fromLeft) span.style.left = "0";
  else span.style[value < 0 ? "right" : "left"] = "50%";
  return make("span", { class: fromLeft ? "bar from-left" : "bar", "aria-hidden": "true" }, span);
}
