/** Make elements. Text goes in as text nodes only, so data can never become markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Make an element. `props` are properties (`className`, `type`, `onclick`) where the element has
 * them, else attributes (`aria-label`, `role`, `data-x`); null, undefined and false leave one out.
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name in element && !name.includes("-") && name !== "role") element[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Change text only when it differs: screen readers announce every write to a live region. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Place an element by pixels of its box. */
export function setBox(element, { x, y, width, height }) {
  const { style } = element;
  style.left = `${x}px`;
  style.top = `${y}px`;
  style.width = `${width}px`;
  style.height = `${height}px`;
}

const PATHS = {
  play: "M8 5.5v13a1 1 0 0 0 1.5.86l10.5-6.5a1 1 0 0 0 0-1.72L9.5 4.64A1 1 0 0 0 8 5.5z",
  pause: "M7 5h3.2v14H7zM13.8 5H17v14h-3.2z",
  sound: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM14.5 8.6a4.6 4.6 0 0 1 0 6.8M17 6a8.2 8.2 0 0 1 0 12",
  muted: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15 9.5l5 5M20 9.5l-5 5",
  bag: "M5.5 8.5h13l.9 11a1 1 0 0 1-1 1H5.6a1 1 0 0 1-1-1zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11",
  expand: "M4.5 9.5v-5h5M14.5 4.5h5v5M19.5 14.5v5h-5M9.5 19.5h-5v-5",
  shrink: "M9.5 4.5v5h-5M19.5 9.5h-5v-5M14.5 19.5v-5h5M4.5 14.5h5v5",
  tune: "M4 8h9M17.5 8H20M4 16h2.5M11 16h9M15.2 5.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4zM8.8 13.8a2.2 2.2 0 1 1 0 4.4 2.2 2.2 0 0 1 0-4.4z",
  edit: "M5 19l.9-3.9L16 5a1.9 1.9 0 0 1 2.7 0l.3.3a1.9 1.9 0 0 1 0 2.7L8.9 18.1zM14.2 6.8l3 3",
  close: "M6 6l12 12M18 6L6 18",
  eye: "M2.8 12S6 5.8 12 5.8 21.2 12 21.2 12 18 18.2 12 18.2 2.8 12 2.8 12zM12 9.4a2.6 2.6 0 1 1 0 5.2 2.6 2.6 0 0 1 0-5.2z",
  pulse: "M3 12.5h4l2.5-7 4.5 13 2.6-6H21",
  copy: "M9 9h10v11H9zM15 6V4H5v11h2",
  pin: "M12 14.5V21M8 3.8h8l-1 6.2 3 2.8v1.7H6v-1.7L9 10z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  mic: "M12 3.5a2.7 2.7 0 0 1 2.7 2.7v5.2a2.7 2.7 0 0 1-5.4 0V6.2A2.7 2.7 0 0 1 12 3.5zM6.2 11a5.8 5.8 0 0 0 11.6 0M12 16.8v3.7M8.8 20.5h6.4",
  micOff: "M14.7 8.5V6.2a2.7 2.7 0 0 0-5.3-.7M9.3 9.3v2.1a2.7 2.7 0 0 0 4.3 2.2M6.2 11a5.8 5.8 0 0 0 9.4 4.5M17.6 12.4a5.8 5.8 0 0 0 .2-1.4M12 16.8v3.7M8.8 20.5h6.4M4.5 4l15 16.5",
  flip: "M4.5 8.5h3l1.4-2h6.2l1.4 2h3v10h-15zM9.2 13.4a2.9 2.9 0 0 1 5-1.9M14.8 13.6a2.9 2.9 0 0 1-5 1.9M14.6 9.9v1.7h-1.7M9.4 17.1v-1.7h1.7",
  screen: "M3.5 5h17v11h-17zM9 19.5h6M12 16v3.5M12 13V8M9.7 10.2L12 8l2.3 2.2",
  out: "M10 5H5v14h14v-5M13.5 4.5h6v6M19.5 4.5L11 13",
};
const FILLED = new Set(["play", "pause"]);

/** Draw an icon, 24 x 24, in the text's colour. Hidden from screen readers. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", FILLED.has(name) ? "icon icon-filled" : "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Make a round icon button with an accessible name. */
export function iconButton(name, label, onclick, props = {}) {
  return h("button", { type: "button", className: "tool", "aria-label": label, title: label, onclick, ...props }, icon(name));
}

/** Change what an icon button shows and says. */
export function setIconButton(button, name, label) {
  if (button.dataset.icon === name && button.ariaLabel === label) return;
  button.dataset.icon = name;
  button.setAttribute("aria-label", label);
  button.title = label;
  button.replaceChildren(icon(name), ...[...button.children].filter((child) => child.localName !== "svg"));
}

/** Read a remembered choice; storage may be denied, which means none. */
export function recall(key, storage = () => localStorage) {
  try {
    return storage().getItem(key);
  } catch {
    return null;
  }
}

/** Remember a choice where storage is allowed; null forgets it. */
export function remember(key, value, storage = () => localStorage) {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, value);
  } catch {
    // A private window without storage: the choice lives as long as the page.
  }
}
