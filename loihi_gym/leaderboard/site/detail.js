// One row opened: a mapping of it drawn, and its numbers.

function bestRun(entry) {
  return entry.runs.reduce((best, run) => (run.latency_ps < best.latency_ps ? run : best));
}

function drawDetail() {
  const dialog = document.getElementById("detail");
  if (!state.row) {
    if (dialog.open) dialog.close();
    return;
  }
  const row = rowOf(state.row), problem = problemOf(state.problem), entry = entryOf(row, problem.name);
  const best = bestRun(entry);
  const run = entry.runs.find((found) => String(found.seed) === state.seed) ?? best;
  const picture = problem.pictures[run.picture];
  const solver = track().budget !== undefined;
  const seeds = entry.runs.map((found) => [String(found.seed), `${found.seed}: ${us(found.latency_ps)} µs${found === best ? " (best)" : ""}`]);
  const close = el("button", { type: "button", class: "close", "data-key": "close", onclick: () => dialog.close() }, "Close");
  dialog.replaceChildren(
    el("div", { class: "head" },
      el("h2", { id: "detail-title" }, `#${row.rank} `, told(row.name)), close),
    el("div", { class: "choices" },
      select("detail problem", "problem", suite().problems.map(({ name }) => [name, name]), problem.name, (value) => go({ problem: value, seed: null })),
      solver ? select("seed", "seed", seeds, String(run.seed), (value) => go({ seed: value })) : null),
    el("p", { class: "simulated" }, `${us(run.latency_ps)} µs, simulated, not measured on a chip: `, compared(run, problem), ` (${problem.reference}).`),
    el("p", { class: "bottleneck" }, "Bottleneck: ", bottleneckText(picture)),
    el("div", { class: "columns" },
      meshFigure(problem, picture),
      el("div", {}, numbers(row, problem, entry, run, picture), solver ? runPlot(row, problem, entry, run) : null)));
  if (!dialog.open) {
    dialog.showModal();
    close.focus();
  }
}

function compared(run, problem) {
  const part = run.latency_ps / problem.reference_latency_ps - 1;
  return part === 0 ? "equal to the reference" : `${percent(Math.abs(part))} ${part > 0 ? "above" : "below"} the reference`;
}

function numbers(row, problem, entry, run, picture) {
  const solver = track().budget !== undefined;
  const below = (ps, other) => percent(gap(ps, other));
  const line = (name, ...cells) => el("tr", {}, el("th", { scope: "row" }, name), cells.map((cell) => el("td", { class: "number" }, cell)));
  const median = (text) => (solver ? [text] : []);
  const facts = (name, ...content) => [el("dt", {}, name), el("dd", {}, ...content)];
  return el("div", { class: "numbers" },
    el("table", {},
      el("thead", {}, el("tr", {}, el("td"), solver ? [el("th", { scope: "col" }, `seed ${run.seed}`), el("th", { scope: "col" }, "median")] : el("th", { scope: "col" }, "mapping"), el("th", { scope: "col" }, "reference"))),
      el("tbody", {},
        line("latency (µs)", us(run.latency_ps), ...median(us(entry.latency_ps)), us(problem.reference_latency_ps)),
        line("reduction", percent(gap(problem.reference_latency_ps, run.latency_ps)), ...median(ppm(entry.reduction_ppm)), "–"),
        line("energy (µJ)", uj(run.energy_fj), ...median(uj(entry.energy_fj)), uj(problem.reference_energy_fj)),
        line("gap to best known", below(run.latency_ps, problem.best_latency_ps), ...median(ppm(entry.gap_best_ppm)), below(problem.reference_latency_ps, problem.best_latency_ps)),
        line("gap to lower bound", below(run.latency_ps, problem.lower_bound_ps), ...median(ppm(entry.gap_bound_ppm)), below(problem.reference_latency_ps, problem.lower_bound_ps)))),
    el("dl", {},
      facts("best known", `${us(problem.best_latency_ps)} µs`),
      facts("lower bound", `${us(problem.lower_bound_ps)} µs`),
      facts("toolchain's default", `${us(problem.default_latency_ps)} µs`),
      facts("step times (µs)", picture.step_times_ps.map(us).join(", ")),
      facts("energy by cause (µJ)", Object.entries(picture.energy_fj).map(([cause, fj]) => `${cause.replace("_fj", "")} ${uj(fj)}`).join(", ")),
      facts("chip", told(problem.chip)),
      facts("status", row.status),
      facts("score", `${ratio(row.score_ppm)}${row.interval_ppm ? ` (95 %: ${row.interval_ppm.map(ratio).join(" – ")})` : ""}`),
      solver ? facts("area", ratio(row.auc_ppm)) : [],
      facts("wins", String(row.wins)),
      facts("day", row.date),
      facts("solver", told(row.solver)),
      facts("authors", told(row.authors.join(", "))),
      facts("code", row.code_url ? link(row.code_url) : "–"),
      facts("commit", row.code_commit ? el("code", {}, told(row.code_commit)) : "–"),
      facts("licence", told(row.licence)),
      facts("submission", told(row.submission)),
      facts("mapping sha256", el("code", {}, run.mapping_sha256))));
}

function runPlot(row, problem, entry, run) {
  const index = track().rows.indexOf(row);
  const lines = entry.runs.filter((found) => found.curve).map((found) => (
    { index, points: found.curve, title: `seed ${found.seed}`, wide: found === run, faint: found !== run }));
  if (lines.length === 0) return null;
  const width = Math.max(260, Math.min(520, document.documentElement.clientWidth - 60));
  return el("figure", {}, el("figcaption", {}, `Best so far of each seed; seed ${run.seed} is bold`),
    searchPlot(lines, problem, track().budget, width, "latency", `Best so far of each seed on ${problem.name}`));
}
