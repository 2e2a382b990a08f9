// A mapping on the mesh, chip by chip: layers as colours, heat on links and cores, a frame at what
// the slowest step waits for. Heat is in picoseconds a step, on one scale for a problem: it ends at
// the mean step of the reference. The colours are those of drawing/palette.py.

const PITCH = 100, SIDE = 58, ASIDE = 10;
const EDGE = 60; // margin of a lone chip, with room for coordinates
const STUB = 90; // margin of a chip that has neighbours, with room for the links to them
const STEPS = [[1, 0], [-1, 0], [0, 1], [0, -1]]; // of a link's direction: east, west, north, south
const BAR = 0.2; // height of a core's heat bar, as a part of the core's
const HEAT_AT = [0, 0.15, 0.4, 0.7, 1];
const HEAT = {
  light: [[221, 221, 221], [255, 210, 127], [255, 140, 26], [224, 31, 31], [122, 0, 16]],
  dark: [[58, 62, 68], [122, 84, 22], [214, 122, 24], [255, 92, 72], [255, 214, 204]],
};

function heatColour(part) {
  const scale = HEAT[isDark() ? "dark" : "light"], at = Math.min(Math.max(part, 0), 1);
  const low = Math.min(HEAT_AT.findLastIndex((from) => from <= at), scale.length - 2);
  const way = (at - HEAT_AT[low]) / (HEAT_AT[low + 1] - HEAT_AT[low]);
  const mix = scale[low].map((value, i) => Math.round(value + (scale[low + 1][i] - value) * way));
  return `rgb(${mix.join(",")})`;
}

// Violet by blue to cyan, every other one deeper: told apart without an eye for red and green.
function layerColour(layer, layers) {
  const hue = 270 - 80 * layer / Math.max(layers - 1, 1);
  return layer % 2 ? `hsl(${hue.toFixed(0)} 50% 64%)` : `hsl(${hue.toFixed(0)} 95% 82%)`;
}

// Where the heat scale of a problem ends, in ps a step.
function scaleEnd(problem, picture) {
  return problem.reference_latency_ps / picture.step_times_ps.length;
}

// What a picture's per mille of the latency are in ps a step.
function busyPs(picture, shares) {
  return decode(shares, 2).map((share) => share / 1000 * picture.latency_ps / picture.step_times_ps.length);
}

// Cores of a problem's mesh by number: router and port. Those of a router follow each other.
function coresOf(mesh) {
  let port = 0, last = -1;
  return decode(mesh.core_router, mesh.router_digits).map((router) => {
    port = router === last ? port + 1 : 0;
    last = router;
    return { x: router % mesh.width, y: Math.floor(router / mesh.width), port };
  });
}

function layerOfCores(picture, mesh, count) {
  const layers = Array(count).fill(-1), places = decode(picture.placement, mesh.digits);
  let next = 0;
  picture.cores_per_layer.forEach((cores, layer) => {
    for (let piece = 0; piece < cores; piece++) layers[places[next++]] = layer;
  });
  return layers;
}

function routerName(x, y) {
  return `(${x},${y})`;
}

// Busy time of every core.
function heatOfCores(picture, mesh, count) {
  const busy = Array(count).fill(0), places = decode(picture.placement, mesh.digits);
  busyPs(picture, picture.core_heat).forEach((ps, piece) => { busy[places[piece]] = ps; });
  return busy;
}

// All links between routers, the busiest first: {id, x, y, direction, ps}.
function linksOf(picture, mesh) {
  const found = [];
  busyPs(picture, picture.heat).forEach((ps, id) => {
    const router = id >> 2, direction = id & 3;
    const x = router % mesh.width, y = Math.floor(router / mesh.width);
    const [dx, dy] = STEPS[direction];
    if (x + dx < 0 || x + dx >= mesh.width || y + dy < 0 || y + dy >= mesh.height) return;
    found.push({ id, x, y, direction, ps, name: `${routerName(x, y)}→${routerName(x + dx, y + dy)}` });
  });
  return found.sort((a, b) => b.ps - a.ps || a.id - b.id);
}

// Ends of a link in one chip's picture; one that leaves the chip is a stub at its edge.
function ends(link, place, leaves, enters) {
  const [dx, dy] = STEPS[link.direction];
  const [x, y] = place(link.x, link.y);
  const along = [dx, -dy], aside = [ASIDE * dy, ASIDE * dx]; // keep to the right; y is drawn downwards
  const cut = SIDE / 2 + 4;
  const from = enters ? PITCH - STUB + 24 : cut, to = leaves ? STUB - 24 : PITCH - cut;
  return [from, to].map((way) => [x + along[0] * way + aside[0], y + along[1] * way + aside[1]]);
}

function arrow([ax, ay], [bx, by], half) {
  const length = Math.hypot(bx - ax, by - ay), [ux, uy] = [(bx - ax) / length, (by - ay) / length];
  const head = half + 3.2, neck = Math.max(length - 2 * head, 0);
  const at = (along, aside) => `${(ax + ux * along - uy * aside).toFixed(1)} ${(ay + uy * along + ux * aside).toFixed(1)}`;
  return `M${[at(0, half), at(neck, half), at(neck, head), at(length, 0), at(neck, -head), at(neck, -half), at(0, -half)].join("L")}Z`;
}

// The picture of chip (cx, cy).
function chipPicture(problem, picture, [cx, cy], cores, layers, busy, links) {
  const { mesh } = problem;
  const left = cx * mesh.chip_width, low = cy * mesh.chip_height;
  const edge = mesh.width > mesh.chip_width || mesh.height > mesh.chip_height ? STUB : EDGE;
  const width = (mesh.chip_width - 1) * PITCH + 2 * edge, height = (mesh.chip_height - 1) * PITCH + 2 * edge;
  const place = (x, y) => [edge + (x - left) * PITCH, height - edge - (y - low) * PITCH];
  const inside = (x, y) => x >= left && x < left + mesh.chip_width && y >= low && y < low + mesh.chip_height;
  const top = scaleEnd(problem, picture);
  const [term, index] = picture.bottleneck;
  const routerLinks = 4 * mesh.width * mesh.height;
  const marks = [];

  const arrows = links.filter(({ x, y, direction }) => inside(x, y) || inside(x + STEPS[direction][0], y + STEPS[direction][1])).map((link) => {
    const starts = inside(link.x, link.y), stops = inside(link.x + STEPS[link.direction][0], link.y + STEPS[link.direction][1]);
    const [from, to] = ends(link, place, !stops, !starts);
    const part = Math.min(link.ps / top, 1);
    if (term === "link" && index === link.id)
      marks.push(svg("rect", { class: "framed", x: Math.min(from[0], to[0]) - 9, y: Math.min(from[1], to[1]) - 9, rx: 9,
        width: Math.abs(from[0] - to[0]) + 18, height: Math.abs(from[1] - to[1]) + 18 }));
    return svg("path", { d: arrow(from, to, 1 + 5 * part), fill: heatColour(part) },
      svg("title", {}, `${link.name}: busy ${us(link.ps)} µs a step`));
  });

  const frames = [];
  for (let y = low; y < low + mesh.chip_height; y++)
    for (let x = left; x < left + mesh.chip_width; x++) {
      const [px, py] = place(x, y);
      frames.push(svg("rect", { class: "router", x: px - SIDE / 2, y: py - SIDE / 2, width: SIDE, height: SIDE },
        svg("title", {}, `router ${routerName(x, y)}`)));
    }

  // Coordinates at the edges, and at each router the number of its first core.
  const labels = [];
  for (let x = left; x < left + mesh.chip_width; x++)
    labels.push(svg("text", { class: "place", x: place(x, low)[0], y: height - 6, "text-anchor": "middle" }, x === left ? `x=${x}` : x));
  for (let y = low; y < low + mesh.chip_height; y++)
    labels.push(svg("text", { class: "place", x: 2, y: place(left, y)[1] + 5 }, y === low ? `y=${y}` : y));
  cores.forEach(({ x, y, port }, core) => {
    if (port === 0 && inside(x, y))
      labels.push(svg("text", { class: "first", x: place(x, y)[0] - SIDE / 2, y: place(x, y)[1] - SIDE / 2 - 3 }, core));
  });

  const across = Math.ceil(Math.sqrt(mesh.cores_per_router)), down = Math.ceil(mesh.cores_per_router / across);
  const marked = term === "link" ? (index - routerLinks) % cores.length : index;
  const cells = cores.flatMap(({ x, y, port }, core) => {
    if (!inside(x, y)) return [];
    const layer = layers[core], [px, py] = place(x, y);
    const box = { x: px - SIDE / 2 + (port % across) * SIDE / across, y: py - SIDE / 2 + Math.floor(port / across) * SIDE / down, width: SIDE / across, height: SIDE / down };
    if (core === marked && (term !== "link" || index >= routerLinks))
      marks.push(svg("rect", { class: "framed", x: box.x - 3, y: box.y - 3, width: box.width + 6, height: box.height + 6, rx: 3 }));
    const cell = svg("rect", { ...box, class: "core", fill: layer < 0 ? null : layerColour(layer, problem.mesh.widths.length) },
      svg("title", {}, `core ${core}, router ${routerName(x, y)}: ${layer < 0 ? "free" : `layer ${layer}, busy ${us(busy[core])} µs a step`}`));
    const part = Math.min(busy[core] / top, 1), bar = { x: box.x, y: box.y + box.height * (1 - BAR), width: box.width * part, height: box.height * BAR };
    return [svg("g", { "data-core": core, "data-layer": layer }, cell,
      part > 0 ? svg("rect", { ...bar, class: "bar", fill: heatColour(part) }) : null,
      layer < 0 ? null : svg("text", { x: box.x + box.width / 2, y: box.y + box.height * (1 - BAR / 2) / 2 + 6, "text-anchor": "middle" }, layer))];
  });
  return svg("svg", { class: "mesh", role: "img", viewBox: `0 0 ${width} ${height}`, "aria-label": `Mesh of ${mesh.chip_width} by ${mesh.chip_height} routers; layers and links are listed below.` },
    arrows, frames, labels, cells, marks);
}

function meshFigure(problem, picture) {
  const { mesh } = problem;
  const cores = coresOf(mesh), layers = layerOfCores(picture, mesh, cores.length), links = linksOf(picture, mesh);
  const busy = heatOfCores(picture, mesh, cores.length);
  const across = mesh.width / mesh.chip_width, up = mesh.height / mesh.chip_height;
  const chips = [];
  for (let cy = up - 1; cy >= 0; cy--)
    for (let cx = 0; cx < across; cx++) {
      const drawing = chipPicture(problem, picture, [cx, cy], cores, layers, busy, links);
      const chip = across * up === 1 ? drawing : el("div", { class: "chip" }, el("span", {}, `chip ${cy * across + cx}`), drawing);
      chip.style.setProperty("--chip", cy * across + cx);
      chips.push(chip);
    }
  const grid = el("div", { class: across * up === 1 ? "chips single" : "chips" }, chips);
  if (across > 1) grid.style.setProperty("--across", across);
  return el("figure", { class: "mapping" }, grid, layerKey(problem, picture, grid, cores.length), heatKey(problem, picture, links),
    el("p", { class: "note" }, "The small number at a router is that of its first core; the others follow, row by row. A frame is around what the slowest step waits for."),
    new Set(cores.map(({ x, y }) => `${x} ${y}`)).size < mesh.width * mesh.height ? el("p", {}, "Empty squares are routers without cores.") : null);
}

function bottleneckText(picture) {
  const [term, , step, where, share] = picture.bottleneck;
  return `${term} at ${where}, busy ${(share / 10).toFixed(0)} % of step ${step} (framed)`;
}

// Cores per layer; pressing one dims the others.
function layerKey(problem, picture, grid, coreCount) {
  const used = picture.cores_per_layer.reduce((a, b) => a + b, 0);
  const item = (layer, text, colour) => {
    const chip = svg("svg", { width: 12, height: 12, "aria-hidden": "true" }, svg("rect", { class: "core", width: 12, height: 12, fill: colour }));
    return el("li", {}, el("button", { type: "button", "aria-pressed": "false", "data-key": `layer ${layer}`, onclick: (event) => {
      const button = event.currentTarget, on = button.getAttribute("aria-pressed") !== "true";
      for (const other of button.closest("ul").querySelectorAll("button")) other.setAttribute("aria-pressed", String(on && other === button));
      for (const core of grid.querySelectorAll("[data-layer]")) core.classList.toggle("dim", on && core.dataset.layer !== String(layer));
    } }, chip, text));
  };
  const widths = problem.mesh.widths;
  return el("div", {}, el("h4", {}, `Cores per layer: ${used} of ${coreCount} used`),
    el("ul", { class: "layers" }, picture.cores_per_layer.map((count, layer) => item(layer, `layer ${layer}: ${count}`, layerColour(layer, widths.length))),
      used < coreCount ? item(-1, `free: ${coreCount - used}`, null) : null));
}

function heatKey(problem, picture, links) {
  const top = scaleEnd(problem, picture);
  const stops = HEAT_AT.map((at) => svg("stop", { offset: at, "stop-color": heatColour(at) }));
  return el("div", {}, el("h4", {}, "Heat: how long a link (arrow) or a core (bar) is busy, µs a step"),
    el("div", { class: "heat" }, "0", svg("svg", { width: 160, height: 12, "aria-hidden": "true" },
      svg("linearGradient", { id: "heat-scale" }, stops), svg("rect", { width: 160, height: 12, fill: "url(#heat-scale)" })),
      `${us(top)} and more: a step of the reference`),
    el("p", {}, "Busiest links: ", links.slice(0, 5).map(({ name, ps }) => `${name} ${us(ps)} µs`).join(", ")));
}
