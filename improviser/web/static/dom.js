/** Helpers for the page's elements. */

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Set a text only if it differs, so that the same text causes no new layout. */
export function setText(element, text) {
  const written = text || "\u00a0";
  if (element.textContent !== written) element.textContent = written;
}

/** A text with a capital letter and a full stop; an empty text stays empty. */
export const sentence = (text) => text && `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;

/** Make an element with attributes and children; a child is an element or a text. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Set the options of a select from [value, text] pairs, if they differ; return whether they did. */
export function setOptions(select, pairs) {
  const signature = JSON.stringify(pairs);
  if (select.dataset.holds === signature) return false;
  select.dataset.holds = signature;
  const { value } = select;
  select.replaceChildren(...pairs.map(([key, text]) => new Option(text, key)));
  if (pairs.some(([key]) => key === value)) select.value = value;
  return true;
}

/** A small bar for a value from -most to most. It starts in the middle, or at the left with `fromLeft`. */
export function bar(value, most, fromLeft = false) {
  const share = Math.min(1, Math.abs(value) / (most || 1)) * (fromLeft ? 100 : 50);
  const span = make("span", value < 0 ? { class: "minus" } : {});
  span.style.width = `${share}%`;
  if (fromLeft) span.style.left = "0";
  else span.style[value < 0 ? "right" : "left"] = "50%";
  return make("span", { class: fromLeft ? "bar from-left" : "bar", "aria-hidden": "true" }, span);
}
