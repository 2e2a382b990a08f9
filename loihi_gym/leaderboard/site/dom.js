// Elements. Text goes in as text nodes only: no string of a submission is ever parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

// Attributes that start with "on" are listeners; null and false leave an attribute out.
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null));
  return element;
}

function oneOf(value, known, otherwise) {
  return known.includes(value) ? value : otherwise;
}

// A submission's text: isolated, so that its writing direction turns nothing around it.
function told(text) {
  return el("bdi", {}, String(text));
}

// A link only where it is plain https, without a user's name in it; else the address as text.
function link(address) {
  let url = null;
  try {
    url = new URL(address);
  } catch {
    // Shown as text.
  }
  if (!url || url.protocol !== "https:" || url.username || url.password) return told(address);
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, told(url.href));
}

// Runs what replaces elements, then gives the focus back to the one with the same data-key.
function keepFocus(change) {
  const key = document.activeElement?.dataset?.key;
  change();
  if (key && document.activeElement?.dataset?.key !== key)
    document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

function select(key, label, choices, chosen, onchange) {
  const options = choices.map(([value, text]) =>
    el("option", { value, selected: String(value) === String(chosen) }, text));
  const input = el("select", { "data-key": key, onchange: (event) => onchange(event.target.value) }, options);
  return el("label", { class: "choice" }, el("span", {}, label), input);
}
