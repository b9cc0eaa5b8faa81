/** A histogram as an SVG drawing with a text alternative. */
import { element } from "./element.ts";
import { countText, numberText } from "./format.ts";
import type { ArrayStatistics } from "./protocol.ts";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 100, BAR = 10;

/** Draws the histogram. */
export function histogram({ bins, min, max }: ArrayStatistics): HTMLElement {
  const most = Math.max(...bins);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "histogram");
  svg.setAttribute("viewBox", `0 0 ${bins.length * BAR} ${HEIGHT}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute(
    "aria-label",
    `Histogram of ${bins.length} parts from ${numberText(min)} to ${numberText(max)}, at most ${
      countText(most)
    } in one`,
  );
  bins.forEach((count, i) => {
    if (count === 0) return;
    const bar = document.createElementNS(SVG, "rect");
    const height = Math.max(1, count / most * HEIGHT);
    const edge = (place: number) => numberText(min * (1 - place / bins.length) + max * (place / bins.length));
    for (
      const [name, value] of Object.entries({ x: i * BAR + 1, y: HEIGHT - height, width: BAR - 2, height })
    ) bar.setAttribute(name, String(value));
    const title = document.createElementNS(SVG, "title");
    title.textContent = `${edge(i)} to ${edge(i + 1)}: ${countText(count)}`;
    bar.append(title);
    svg.append(bar);
  });
  const drawing = element("div");
  drawing.append(
    svg,
    element(
      "p",
      { class: bins.length === 1 ? "axis single" : "axis", "aria-hidden": "true" },
      ...[...new Set([numberText(min), numberText(max)])].map((text) => element("span", {}, text)),
    ),
  );
  return drawing;
}
