/** A line of the last minute, small: an SVG that stretches with its place. */

const SVG = "http://www.w3.org/2000/svg";
const WIDE = 120;
const HIGH = 32;
/** Values shown; fewer are drawn at the right, where now is. */
const COUNT = 60;

/** Give the path of `values` in a box of WIDE x HIGH, `top` being the highest value it holds. */
export function sparkPath(values, top) {
  const shown = values.slice(-COUNT).map((value) => (Number.isFinite(value) ? value : 0));
  if (shown.length < 2 || !(top > 0)) return "";
  const step = WIDE / (COUNT - 1);
  const first = COUNT - shown.length;
  const points = shown.map((value, n) => {
    const x = (first + n) * step;
    const y = HIGH - 1 - Math.min(1, Math.max(0, value / top)) * (HIGH - 2);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return `M${points.join("L")}`;
}

/** Close a path downwards, to be filled. */
export function areaBelow(path) {
  const first = path.slice(1).split(" ")[0];
  return path ? `${path}V${HIGH}H${first}Z` : "";
}

export class Spark {
  #line = shape("path", { class: "spark-line", "vector-effect": "non-scaling-stroke" });
  #area = shape("path", { class: "spark-area" });

  constructor() {
    const viewBox = `0 0 ${WIDE} ${HIGH}`;
    this.element = shape("svg", { class: "spark", viewBox, preserveAspectRatio: "none", "aria-hidden": "true" });
    this.element.append(this.#area, this.#line);
  }

  /** Show `values`, oldest first; `least` is a top that quiet lines keep below. */
  draw(values, least = 0) {
    const path = sparkPath(values, Math.max(least, ...values) * 1.15);
    this.#line.setAttribute("d", path);
    this.#area.setAttribute("d", areaBelow(path));
  }
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
