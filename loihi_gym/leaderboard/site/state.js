// What is shown, kept in the address after "#" so that a link shows the same. Whatever stands there
// is checked against the data: an address is no more to be trusted than a submission.

const SUITES = JSON.parse(document.getElementById("data").textContent);
const state = {};

function suite() {
  return SUITES.find((found) => found.suite === state.suite);
}

function track() {
  return suite().tracks[state.track];
}

function problemOf(name) {
  return suite().problems.find((found) => found.name === name);
}

function rowOf(submission) {
  return track().rows.find((found) => found.submission === submission);
}

function entryOf(row, problem) {
  return row.problems.find((found) => found.name === problem);
}

function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  state.suite = oneOf(said.get("suite"), SUITES.map((found) => found.suite), SUITES[0].suite);
  const tracks = Object.keys(suite().tracks);
  state.track = oneOf(said.get("track"), tracks, tracks[0]);
  const problems = suite().problems.map((found) => found.name);
  state.problem = oneOf(said.get("problem"), problems, problems[0]);
  state.metric = oneOf(said.get("metric"), Object.keys(METRICS), "latency");
  state.scale = oneOf(said.get("scale"), Object.keys(SCALES), "latency");
  state.sort = oneOf(said.get("sort"), columns().map((column) => column.key), "rank");
  state.down = said.get("down") === "1";
  state.filter = said.get("filter") ?? "";
  state.row = oneOf(said.get("row"), track().rows.map((row) => row.submission), null);
  const seeds = state.row ? entryOf(rowOf(state.row), state.problem).runs.map((run) => String(run.seed)) : [];
  state.seed = oneOf(said.get("seed"), seeds, null);
}

function address() {
  const said = new URLSearchParams({ suite: state.suite, track: state.track, problem: state.problem });
  if (state.metric !== "latency") said.set("metric", state.metric);
  if (state.scale !== "latency") said.set("scale", state.scale);
  if (state.sort !== "rank" || state.down) said.set("sort", state.sort);
  if (state.down) said.set("down", "1");
  if (state.filter) said.set("filter", state.filter);
  if (state.row) said.set("row", state.row);
  if (state.row && state.seed !== null) said.set("seed", state.seed);
  return `#${said}`;
}

// Opening and closing a row are steps that "back" undoes; other changes are not worth one.
function go(changes, { step = false, redraw = draw } = {}) {
  Object.assign(state, changes);
  history[step ? "pushState" : "replaceState"](null, "", address());
  readAddress();
  history.replaceState(null, "", address()); // what a change of suite made void is gone from it
  redraw();
}
