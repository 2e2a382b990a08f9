// The game: a mapping that the player changes, the server's answer to it, and what may be undone.

const token = location.hash.slice(1);
const game = { picked: null, focused: 0, ghostShown: false, past: [], future: [], moves: 0, asked: 0 };

// The answer of the server to a request, or an error with its reason.
async function ask(path, body) {
  const answer = await fetch(path, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": "application/json" } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail);
  return said;
}

function say(text) {
  document.getElementById("said").textContent = text;
}

// A mapping as {cores_per_layer, placement}; of the picture that the server drew of it.
function mappingOf(picture) {
  return { cores_per_layer: [...picture.cores_per_layer], placement: decode(picture.placement, game.problem.mesh.digits) };
}

const mapping = () => mappingOf(game.picture);
const layersNow = () => layerOfCores(game.picture, game.problem.mesh, game.cores.length);

// Tries a mapping: if it is legal it is the new one, and the old one can be had back.
async function attempt(next) {
  const number = ++game.asked;
  try {
    const { picture, reason } = await ask("/v1/measure", next);
    if (number !== game.asked) return; // the player went on meanwhile
    if (reason) return say(`Not possible: ${reason}`);
    game.past.push(game.picture);
    game.future = [];
    game.moves += 1;
    show(picture);
  } catch (error) {
    say(`No answer: ${error.message}. Is the command still running?`);
  }
}

function show(picture) {
  Object.assign(game, { picture, picked: null });
  say("");
  draw();
}

// Takes a picture from one stack and puts the present one on the other.
function step(from, to, by) {
  if (game[from].length === 0) return;
  game.asked += 1; // an answer that is on its way comes too late
  game[to].push(game.picture);
  game.moves += by;
  show(game[from].pop());
}

const undo = () => step("past", "future", -1);
const redo = () => step("future", "past", 1);

function restart() {
  if (game.picture === game.opening.start.picture) return;
  game.asked += 1;
  game.past.push(game.picture);
  game.future = [];
  game.moves = 0;
  show(game.opening.start.picture);
}

async function save() {
  try {
    const { file, reason } = await ask("/v1/save", mapping());
    say(reason ? `Not saved: ${reason}` : `Saved to ${file}. Check it: loihi-gym evaluate ${game.problem.name} ${file}`);
  } catch (error) {
    say(`Not saved: ${error.message}`);
  }
}

function swap(a, b) {
  if (a === b) return;
  const { cores_per_layer, placement } = mapping();
  if (!placement.includes(a) && !placement.includes(b)) return pick(b);
  const moved = placement.map((core) => (core === a ? b : core === b ? a : core));
  game.focused = b;
  attempt({ cores_per_layer, placement: moved });
}

// First piece of a layer among all pieces.
function firstOf(counts, layer) {
  return counts.slice(0, layer).reduce((a, b) => a + b, 0);
}

function give(layer, core) {
  const { cores_per_layer: counts, placement } = mapping();
  placement.splice(firstOf(counts, layer + 1), 0, core);
  counts[layer] += 1;
  attempt({ cores_per_layer: counts, placement });
}

function take(layer, core) {
  const { cores_per_layer: counts, placement } = mapping();
  placement.splice(placement.indexOf(core), 1);
  counts[layer] -= 1;
  attempt({ cores_per_layer: counts, placement });
}

// The picked core if it is free, else the free one nearest to the middle of the layer's.
function coreFor(layer) {
  const layers = layersNow();
  if (game.picked !== null && layers[game.picked] < 0) return game.picked;
  const own = game.cores.filter((_, core) => layers[core] === layer);
  const middle = (axis) => own.reduce((sum, core) => sum + core[axis], 0) / own.length;
  const [x, y] = [middle("x"), middle("y")];
  const away = (core) => Math.abs(game.cores[core].x - x) + Math.abs(game.cores[core].y - y);
  return layers.flatMap((found, core) => (found < 0 ? [core] : [])).sort((a, b) => away(a) - away(b) || a - b)[0];
}

function more(layer) {
  const core = coreFor(layer);
  if (core === undefined) return say("No core is free: take one from another layer first.");
  give(layer, core);
}

function fewer(layer) {
  const { cores_per_layer: counts, placement } = mapping();
  const picked = game.picked !== null && layersNow()[game.picked] === layer;
  take(layer, picked ? game.picked : placement[firstOf(counts, layer + 1) - 1]);
}

function pick(core) {
  game.picked = core;
  if (core !== null) game.focused = core;
  draw();
}

function press(core) {
  if (game.picked === null) pick(core);
  else if (game.picked === core) pick(null);
  else swap(game.picked, core);
}

// The nearest core in a direction, where what lies aside counts three times.
function neighbour(core, [dx, dy]) {
  const here = game.places[core];
  let best = core, least = Infinity;
  game.places.forEach(([x, y], other) => {
    const along = (x - here[0]) * dx + (y - here[1]) * dy, aside = Math.abs((x - here[0]) * dy) + Math.abs((y - here[1]) * dx);
    if (along > 0.01 && along + 3 * aside < least) [best, least] = [other, along + 3 * aside];
  });
  return best;
}

const ARROWS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

function onCoreKey(event, core) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const layer = layersNow()[core], { key } = event;
  if (key in ARROWS) focusCore(neighbour(core, ARROWS[key]));
  else if (key === "Enter" || key === " ") press(core);
  else if (/^\d$/.test(key) && Number(key) < game.picture.cores_per_layer.length && layer < 0) give(Number(key), core);
  else if ((key === "Delete" || key === "Backspace") && layer >= 0) take(layer, core);
  else return;
  event.preventDefault();
}

function focusCore(core) {
  document.querySelector(`[data-core="${game.focused}"]`)?.setAttribute("tabindex", "-1");
  game.focused = core;
  const found = document.querySelector(`[data-core="${core}"]`);
  found.setAttribute("tabindex", "0");
  found.focus();
}

function onKey(event) {
  if (event.target.matches("input, select, textarea")) return;
  const key = event.key.toLowerCase(), command = event.ctrlKey || event.metaKey;
  if (key === "escape") pick(null);
  else if (key === "u" && !command || key === "z" && command && !event.shiftKey) undo();
  else if (key === "r" && !command || key === "z" && command && event.shiftKey) redo();
  else if (key === "g" && !command) toggleGhost();
  else return;
  event.preventDefault();
}

function toggleGhost() {
  game.ghostShown = !game.ghostShown;
  draw();
}

// Where a press began: a release on another core is a drag.
let pressed = null;
function coreAt(event) {
  const found = document.elementFromPoint(event.clientX, event.clientY)?.closest("[data-core]");
  return found ? Number(found.dataset.core) : null;
}

addEventListener("pointerup", (event) => {
  const from = pressed, to = coreAt(event);
  pressed = null;
  if (from === null || to === null) return;
  if (from === to) press(to);
  else swap(from, to);
});
addEventListener("pointercancel", () => { pressed = null; });
addEventListener("keydown", onKey);

function makePlayable(board) {
  const layers = layersNow(), ghost = game.ghostLayers, count = game.picture.cores_per_layer.length;
  for (const cell of board.querySelectorAll("[data-core]")) {
    const core = Number(cell.dataset.core), layer = layers[core], { x, y } = game.cores[core];
    fill(cell, {
      "data-key": `core ${core}`, tabindex: core === game.focused ? 0 : -1, role: "button", "aria-pressed": String(core === game.picked),
      "aria-label": `core ${core}, router ${routerName(x, y)}, ${layer < 0 ? "free" : `layer ${layer}`}${game.ghostShown ? `, ghost: ${ghost[core] < 0 ? "free" : `layer ${ghost[core]}`}` : ""}`,
      onpointerdown: (event) => { if (event.button === 0) pressed = core; },
      onclick: (event) => { if (event.detail === 0) press(core); }, // as assistive technology does
      onkeydown: (event) => onCoreKey(event, core),
      onfocus: () => { game.focused = core; },
    }, []);
    cell.classList.toggle("picked", core === game.picked);
    if (game.ghostShown && ghost[core] !== layer) {
      const box = cell.querySelector(".core"), at = (name) => Number(box.getAttribute(name));
      cell.append(svg("circle", { class: "ghost", cx: at("x") + at("width") - 8, cy: at("y") + 8, r: 5.5,
        fill: ghost[core] < 0 ? "none" : layerColour(ghost[core], count) }));
    }
  }
}

function drawScore() {
  const { picture, problem, opening } = game, ghost = opening.ghost.picture;
  const than = (ps, name) => {
    const part = picture.latency_ps / ps - 1;
    return part === 0 ? `as fast as ${name}` : `${percent(Math.abs(part))} ${part > 0 ? "above" : "below"} ${name}`;
  };
  const won = picture.latency_ps < ghost.latency_ps;
  document.getElementById("score").replaceChildren(
    el("b", {}, `${us(picture.latency_ps)} µs`), ` simulated, ${than(problem.reference_latency_ps, "the reference")}; `,
    won ? "you beat the ghost: " : "the ghost to beat: ", `${us(ghost.latency_ps)} µs (`, told(opening.ghost_name), `), you are ${than(ghost.latency_ps, "it")}.`,
    ` ${game.moves} ${game.moves === 1 ? "move" : "moves"}.`);
  document.getElementById("bottleneck").textContent = `Bottleneck: ${bottleneckText(picture)}`;
}

function drawTools() {
  const tool = (key, text, onclick, disabled = false, pressed = null) =>
    el("button", { type: "button", "data-key": key, disabled, "aria-pressed": pressed, onclick }, text);
  document.getElementById("tools").replaceChildren(
    tool("undo", "undo (u)", undo, game.past.length === 0), tool("redo", "redo (r)", redo, game.future.length === 0),
    tool("ghost", "ghost (g)", toggleGhost, false, String(game.ghostShown)),
    tool("restart", "start again", restart), tool("save", `save to ${game.opening.file}`, save));
}

function drawLayers() {
  const counts = game.picture.cores_per_layer, free = game.cores.length - firstOf(counts, counts.length);
  document.getElementById("layers").replaceChildren(...counts.map((count, layer) =>
    el("div", { class: "layer" },
      svg("svg", { class: "swatch", width: 14, height: 14, "aria-hidden": "true" }, svg("rect", { width: 14, height: 14, fill: layerColour(layer, counts.length) })),
      el("span", {}, `layer ${layer}: ${count}`),
      el("button", { type: "button", "data-key": `fewer ${layer}`, "aria-label": `take a core from layer ${layer}`, disabled: count <= 1, onclick: () => fewer(layer) }, "−"),
      el("button", { type: "button", "data-key": `more ${layer}`, "aria-label": `give layer ${layer} a core`, disabled: free === 0, onclick: () => more(layer) }, "+"))));
}

function draw() {
  if (!game.picture) return;
  keepFocus(() => {
    drawScore();
    drawTools();
    drawLayers();
    const board = document.getElementById("board");
    board.replaceChildren(meshFigure(game.problem, game.picture));
    makePlayable(board);
  });
}

// Where each core is drawn, y upwards, for going from one to the next.
function placesOf(cores, perRouter) {
  const across = Math.ceil(Math.sqrt(perRouter));
  return cores.map(({ x, y, port }) => [x + 0.4 * (port % across) / across, y - 0.4 * Math.floor(port / across) / across]);
}

async function begin() {
  setTheme(storedTheme());
  if (!token) return say("Open the address that the command printed, with what follows the #.");
  try {
    const opening = await ask("/v1/game");
    const { name, chip, mesh, reference_latency_ps } = opening, problem = { name, mesh, reference_latency_ps };
    const cores = coresOf(mesh), places = placesOf(cores, mesh.cores_per_router);
    const ghostLayers = layerOfCores(opening.ghost.picture, mesh, cores.length);
    Object.assign(game, { opening, problem, cores, places, ghostLayers });
    document.getElementById("title").replaceChildren(told(name), " on ", told(chip));
    if (innerWidth < 700) document.getElementById("help").open = false;
    show(opening.start.picture);
  } catch (error) {
    say(`No game: ${error.message}`);
  }
}

begin();
