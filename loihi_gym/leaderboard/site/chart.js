// Plots: best so far over evaluations, and gaps. Lines differ by dash as well as by colour.

const HUES = 8;
const DASHES = ["", "7 3", "2 3", "9 3 2 3"];

// What the upright axis of the search plot can show of a latency.
const SCALES = {
  latency: { label: "latency (µs, simulated)", of: (ps) => ps / 1e6, name: "latency" },
  best: { label: "gap to best known (%)", of: (ps, problem) => 100 * gap(ps, problem.best_latency_ps), name: "gap to best known" },
  bound: { label: "gap to lower bound (%)", of: (ps, problem) => 100 * gap(ps, problem.lower_bound_ps), name: "gap to lower bound" },
};

// About `count` round numbers from `low` to `high`.
function ticks(low, high, count) {
  const rough = Math.max((high - low) / count, 1e-9);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at++) found.push(Number((at * step).toPrecision(12)));
  return found;
}

// Powers of ten up to `high`; with 2 and 5 between them where that makes few.
function powers(high) {
  const found = [];
  for (let at = 1; at <= high; at *= 10) found.push(...(high < 500 ? [at, 2 * at, 5 * at] : [at]));
  return found.filter((at) => at <= high);
}

// Best so far of the seeds together: the median wherever one of them improves.
function medianCurve(curves) {
  const moments = [...new Set(curves.flat().map(([evaluation]) => evaluation))].sort((a, b) => a - b);
  const next = curves.map(() => 0), now = curves.map(() => Infinity);
  const found = [];
  for (const moment of moments) {
    curves.forEach((curve, index) => {
      while (next[index] < curve.length && curve[next[index]][0] <= moment) now[index] = curve[next[index]++][1];
    });
    const value = median(now);
    if (value < Infinity && value !== found.at(-1)?.[1]) found.push([moment, value]);
  }
  return found;
}

function shorten(text, most) {
  const letters = Array.from(String(text));
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
}

// Frame, grid, ticks and axis labels. x and y: {label, ticks, at(value), text(value)}.
function axes(box, x, y) {
  const { left, top, right, bottom } = box;
  return [
    x.ticks.map((value) => svg("g", {},
      svg("line", { class: "grid", x1: x.at(value), x2: x.at(value), y1: top, y2: bottom }),
      svg("text", { x: x.at(value), y: bottom + 16, "text-anchor": "middle" }, x.text(value)))),
    y ? y.ticks.map((value) => svg("g", {},
      svg("line", { class: "grid", x1: left, x2: right, y1: y.at(value), y2: y.at(value) }),
      svg("text", { x: left - 6, y: y.at(value) + 4, "text-anchor": "end" }, y.text(value)))) : [],
    svg("path", { class: "axis", d: `M${left} ${top}V${bottom}H${right}` }),
    svg("text", { class: "label", x: (left + right) / 2, y: bottom + 36, "text-anchor": "middle" }, x.label),
    y ? svg("text", { class: "label", x: 0, y: 0, transform: `translate(13 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, y.label) : [],
  ].flat();
}

const plain = (value) => value.toLocaleString("en").replace("-", "\u2212");

// lines: [{points: [[evaluation, ps]], index, title, wide, faint}]; those wholly above the frame get `above`.
function searchPlot(lines, problem, budget, width, scale, description) {
  const box = { left: 58, top: 12, right: width - 26, bottom: 268 };
  const { of, label } = SCALES[scale];
  const drawn = lines.map((line) => ({ ...line, values: line.points.map(([evaluation, ps]) => [evaluation, of(ps, problem)]) }));
  const reference = of(problem.reference_latency_ps, problem);
  const all = drawn.flatMap((line) => line.values.map(([, value]) => value)).concat(reference);
  // First tries may be very bad: the scale is for what a search is about.
  const floor = Math.min(...all), ceiling = Math.min(Math.max(...all), reference + 2 * (reference - floor) + 0.2 * Math.abs(reference));
  const low = floor - 0.05 * (ceiling - floor || 1), high = ceiling + 0.05 * (ceiling - floor || 1);
  const x = {
    label: "evaluations (log scale)", ticks: powers(budget), text: plain,
    at: (value) => box.left + (box.right - box.left) * Math.log(value) / Math.log(Math.max(budget, 2)),
  };
  const y = {
    label, ticks: ticks(low, high, 6), text: plain,
    at: (value) => box.bottom - (box.bottom - box.top) * (value - low) / (high - low),
  };
  const step = (values) => {
    if (values.length === 0) return "";
    const [[start, first], ...rest] = values;
    const parts = [`M${x.at(start).toFixed(1)} ${y.at(first).toFixed(1)}`];
    for (const [evaluation, value] of rest) parts.push(`H${x.at(evaluation).toFixed(1)}V${y.at(value).toFixed(1)}`);
    return `${parts.join("")}H${x.at(budget).toFixed(1)}`;
  };
  drawn.forEach(({ values }, i) => { lines[i].above = values.every(([, value]) => value > high); });
  const id = `clip-${clips++}`;
  return svg("svg", { class: "plot", role: "img", "aria-label": description, width, height: 312, viewBox: `0 0 ${width} 312` },
    svg("clipPath", { id }, svg("rect", { x: box.left, y: box.top, width: box.right - box.left, height: box.bottom - box.top })),
    axes(box, x, y),
    svg("g", { "clip-path": `url(#${id})` },
      svg("line", { class: "reference", x1: box.left, x2: box.right, y1: y.at(reference), y2: y.at(reference) }),
      drawn.map((line) => svg("path", { class: `line hue${line.index % HUES}${line.wide ? " wide" : ""}${line.faint ? " faint" : ""}`, d: step(line.values),
        "stroke-dasharray": line.faint ? null : DASHES[Math.floor(line.index / HUES) % DASHES.length], "data-line": line.index },
      svg("title", {}, line.title))),
      svg("text", { class: "hint", x: box.right - 4, y: y.at(reference) - 5, "text-anchor": "end" }, "reference")));
}
let clips = 0;

// Of each row: gap to the best known and to the lower bound, and from the best to the worst seed.
function gapPlot(rows, problem, width, description) {
  const names = Math.min(190, width * 0.36);
  const height = 22 * rows.length;
  const box = { left: names, top: 6, right: width - 16, bottom: 6 + height };
  const marks = rows.map((row) => {
    const entry = entryOf(row, problem.name);
    const runs = entry.runs.map((run) => run.latency_ps);
    return { row, ps: entry.latency_ps, low: Math.min(...runs), high: Math.max(...runs) };
  });
  const worst = Math.max(1, ...marks.map(({ high }) => 100 * gap(high, problem.lower_bound_ps)));
  const x = {
    label: width < 500 ? "gap (% of the latency)" : "gap (%): part of the latency that the best known or the lower bound is below it", ticks: ticks(0, worst, width < 500 ? 4 : 8), text: plain,
    at: (value) => box.left + 6 + (box.right - box.left - 12) * value / worst,
  };
  const kinds = [["best", problem.best_latency_ps, "best known"], ["bound", problem.lower_bound_ps, "lower bound"]];
  return svg("svg", { class: "plot", role: "img", "aria-label": description, width, height: height + 50, viewBox: `0 0 ${width} ${height + 50}` },
    axes(box, x, null),
    marks.map(({ row, ps, low, high }, index) => {
      const y = box.top + 22 * index + 11;
      return svg("g", {},
        svg("text", { class: "told", x: box.left - 8, y: y + 4, "text-anchor": "end" }, shorten(row.name, Math.floor(names / 7.5))),
        kinds.map(([kind, to, name]) => {
          const at = (value) => x.at(100 * gap(value, to)).toFixed(1);
          const title = svg("title", {}, `${row.name}: the ${name} is ${percent(gap(ps, to))} below`);
          return [
            svg("line", { class: `range ${kind}`, x1: at(low), x2: at(high), y1: y, y2: y }),
            kind === "best" ? svg("circle", { class: kind, cx: at(ps), cy: y, r: 4.5 }, title)
              : svg("rect", { class: kind, x: at(ps) - 4, y: y - 4, width: 8, height: 8, transform: `rotate(45 ${at(ps)} ${y})` }, title),
          ];
        }));
    }));
}

function swatch(index) {
  return svg("svg", { class: "swatch", width: 28, height: 10, "aria-hidden": "true" },
    svg("path", { class: `line hue${index % HUES}`, d: "M1 5H27", "stroke-dasharray": DASHES[Math.floor(index / HUES) % DASHES.length] }));
}

function drawPlots(rows) {
  const place = document.getElementById("plots");
  const problem = problemOf(state.problem);
  const width = Math.max(280, Math.min(place.clientWidth, 1100) - 2);
  const parts = [select("plot problem", "plots show", suite().problems.map(({ name }) => [name, name]), state.problem, (value) => go({ problem: value, seed: null }))];
  const best = `best known ${us(problem.best_latency_ps)} µs, lower bound ${us(problem.lower_bound_ps)} µs, reference ${us(problem.reference_latency_ps)} µs (${problem.reference})`;
  if (track().budget !== undefined && rows.length > 0) {
    const lines = rows.map((row) => {
      const index = track().rows.indexOf(row);
      return { index, title: row.name, row, points: medianCurve(entryOf(row, problem.name).runs.map((run) => run.curve ?? [])) };
    });
    parts.push(
      select("scale", "as", Object.entries(SCALES).map(([key, { name }]) => [key, name]), state.scale, (value) => go({ scale: value })),
      el("figure", {},
        el("figcaption", {}, `Best so far on ${problem.name}, median over ${track().seeds.length} seeds`, el("small", {}, best)),
        searchPlot(lines, problem, track().budget, width, state.scale, `Best so far over evaluations on ${problem.name}; the numbers are in the table and in each row's detail.`),
        el("ul", { class: "key" }, lines.map((line) => el("li", {}, el("button", {
          type: "button", "data-key": `key ${line.row.submission}`, onclick: () => open(line.row),
          onpointerenter: () => highlight(line.index), onpointerleave: () => highlight(null),
          onfocus: () => highlight(line.index), onblur: () => highlight(null),
        }, swatch(line.index), told(line.row.name), line.above ? " (above the plot)" : null))))));
  }
  if (rows.length > 0)
    parts.push(el("figure", {},
      el("figcaption", {}, `Gaps on ${problem.name}`, el("small", {}, best),
        el("small", {}, "● to the best known, ◇ to the lower bound", track().budget === undefined ? "" : "; a mark is the median, its line goes from the best seed to the worst")),
      gapPlot(rows, problem, width, `Gaps to the best known latency and to the lower bound on ${problem.name}; the numbers are in the table.`)));
  place.replaceChildren(...parts);
}

function highlight(index) {
  for (const line of document.querySelectorAll("#plots .line[data-line]"))
    line.classList.toggle("faint", index !== null && line.dataset.line !== String(index));
}
