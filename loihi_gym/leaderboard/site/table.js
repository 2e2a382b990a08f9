// The ranking of one suite and track: choosing, filtering, sorting.

let explained = false; // whether what the columns mean stands under their names

// Columns: key, label, unit, what they mean, whether they hold numbers, value to sort by, cell content.
// A number that is better when larger sorts from the largest on at the first press.
function columns() {
  const solver = track().budget !== undefined;
  const metric = METRICS[state.metric];
  return [
    { key: "rank", label: "#", number: true, help: "Rank by score.", of: (row) => row.rank },
    { key: "name", label: "submission", help: "Press it to see its mappings on the mesh.", of: (row) => row.name, cell: nameCell },
    { key: "solver", label: "solver", help: "What searched, in the submitter's words.", of: (row) => row.solver, cell: (row) => [told(row.solver)] },
    { key: "status", label: "status", help: "Verified: all was replayed. Declared: the number of evaluations is the submitter's word. Reproduced: the search was run again and gave the same.", of: (row) => row.status, cell: statusCell },
    { key: "score", label: "score", help: "Reference latency / latency, geometric mean. 1: as fast as the fastest standard heuristic; 1.5: in two thirds of its time.", number: true, more: true, of: (row) => row.score_ppm, show: ratio },
    ...(solver ? [
      { key: "interval", label: "95 % interval", help: "Of the score: bootstrap over the seeds.", number: true, more: true, of: (row) => row.interval_ppm?.[0] ?? null,
        cell: (row) => [row.interval_ppm ? row.interval_ppm.map(ratio).join(" – ") : "–"] },
      { key: "area", label: "area", help: "The score averaged over the search: who is fast early has more.", number: true, more: true, of: (row) => row.auc_ppm, show: ratio },
    ] : []),
    { key: "wins", label: "wins", help: "Problems on which no row here is faster; of equals the older wins.", number: true, more: true, of: (row) => row.wins },
    ...suite().problems.map((problem) => ({
      key: `at ${problem.name}`, label: problem.name, note: [metric.label, metric.unit].filter(Boolean).join(", "),
      help: metric.help, number: true, more: !metric.less, show: metric.show,
      of: (row) => metric.of(entryOf(row, problem.name)),
    })),
    { key: "date", label: "date", help: "Day of the submission.", of: (row) => row.date },
  ];
}

function nameCell(row) {
  return [
    el("button", { type: "button", class: "open", "data-key": `row ${row.submission}`, "aria-haspopup": "dialog",
      onclick: (event) => { event.stopPropagation(); open(row); } }, told(row.name)),
    el("small", {}, told(row.authors.join(", "))),
  ];
}

function statusCell({ status }) {
  return [el("span", { class: `status ${oneOf(status, ["verified", "declared", "reproduced"], "")}` }, status)];
}

function open(row) {
  go({ row: row.submission, seed: null }, { step: true });
}

// Of text, upper and lower case are the same; what a row does not have comes last either way.
function compare(a, b) {
  if (typeof a === "string") [a, b] = [a.toLowerCase(), b.toLowerCase()];
  return a < b ? -1 : a > b ? 1 : 0;
}

function shownRows() {
  const words = state.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (row) => {
    const text = [row.name, row.solver, row.status, row.date, row.submission, row.licence, ...row.authors].join("\n").toLowerCase();
    return words.every((word) => text.includes(word));
  };
  const { of } = columns().find((column) => column.key === state.sort);
  const sign = state.down ? -1 : 1;
  return track().rows.filter(matches).sort((a, b) => {
    const [x, y] = [of(a), of(b)];
    if ((x === null) !== (y === null)) return x === null ? 1 : -1;
    return sign * compare(x, y) || a.rank - b.rank;
  });
}

function sortBy(column) {
  const down = state.sort === column.key ? !state.down : Boolean(column.more);
  go({ sort: column.key, down });
}

function drawChoice() {
  const tracks = Object.keys(suite().tracks).map((name) =>
    el("button", { type: "button", "data-key": `track ${name}`, "aria-pressed": String(name === state.track),
      onclick: () => go({ track: name, row: null }) }, name));
  const filter = el("input", { type: "search", "data-key": "filter", placeholder: "name, author, solver …",
    oninput: (event) => go({ filter: event.target.value }, { redraw: drawRows }) });
  filter.value = state.filter;
  document.getElementById("choice").replaceChildren(
    select("suite", "suite", SUITES.map((found) => [found.suite, found.suite]), state.suite, (value) => go({ suite: value, row: null })),
    el("div", { role: "group", "aria-label": "track", class: "tabs" }, tracks),
    select("metric", "columns show", Object.entries(METRICS).map(([key, { label }]) => [key, label]), state.metric, (value) => go({ metric: value })),
    el("label", { class: "choice" }, el("span", {}, "filter"), filter),
    el("button", { type: "button", "data-key": "explain", "aria-pressed": String(explained), onclick: explain }, "explain the columns"),
  );
  const { budget, seeds } = track();
  document.getElementById("about").replaceChildren(
    told(suite().description), ". ",
    budget === undefined ? "Best mapping by any means, replayed."
      : `${budget.toLocaleString("en")} evaluations, ${seeds.length} seeds; latencies are medians over the seeds.`);
}

function drawTable(rows) {
  const all = columns();
  const head = el("tr", {}, all.map((column) => {
    const sorted = column.key === state.sort;
    const mark = el("span", { class: "mark", "aria-hidden": "true" }, sorted ? (state.down ? "▼" : "▲") : "");
    return el("th", { scope: "col", class: classes(column), title: column.help, "aria-sort": sorted ? (state.down ? "descending" : "ascending") : "none" },
      el("button", { type: "button", "data-key": `sort ${column.key}`, onclick: () => sortBy(column) },
        column.label, mark, column.note ? el("small", {}, column.note) : null),
      explained ? el("p", { class: "help" }, column.help) : null);
  }));
  const body = rows.map((row) => el("tr", { onclick: () => getSelection().isCollapsed && open(row) }, all.map((column) =>
    el(column.key === "name" ? "th" : "td", { scope: column.key === "name" ? "row" : null, class: classes(column) },
      column.cell ? column.cell(row) : [shown(column, row)]))));
  document.getElementById("table").replaceChildren(
    el("caption", {}, el("span", {}, `${state.suite}, track ${state.track}: ranks by simulated latency`)),
    el("thead", {}, head), el("tbody", {}, body));
  const total = track().rows.length;
  document.getElementById("count").textContent = total === 0 ? "No submission on this track yet."
    : `${rows.length} of ${total} submissions shown.`;
}

// Columns that a phone has no room for, all of which an opened row has, go first.
function classes({ key, number }) {
  return [number ? "number" : key === "date" ? "date" : "", ["solver", "interval", "area", "wins", "date"].includes(key) ? "roomy" : ""].join(" ").trim();
}

function explain() {
  explained = !explained;
  draw();
}

function shown(column, row) {
  const value = column.of(row);
  if (value === null || value === undefined) return "–";
  return column.show ? column.show(value) : String(value);
}
