// Numbers as people read them. All come as exact integers: ps, fJ, parts per million.

// value / 10^digits with `places` decimals, rounded half up as in the tables of the README.
function fixed(value, digits, places) {
  const rounded = Math.sign(value) * Math.round(Math.abs(value) / 10 ** (digits - places));
  return (rounded / 10 ** places || 0).toFixed(places); // || 0: no minus zero
}
const us = (ps) => fixed(ps, 6, 3);
const uj = (fj) => fixed(fj, 9, 2);
const ratio = (ppm) => fixed(ppm, 6, 3);
const percent = (part, places = 1) => `${(100 * part).toFixed(places).replace("-", "\u2212")}\u202f%`;
const ppm = (value) => `${fixed(value, 4, 1).replace("-", "\u2212")}\u202f%`;

// What a problem's column can show: label, unit, meaning, value of a row's entry, smaller is better.
const METRICS = {
  latency: { label: "latency", unit: "µs", help: "Simulated; of several seeds the median.", of: (entry) => entry.latency_ps, show: us, less: true },
  reduction: { label: "reduction", unit: "of the reference", help: "Part of the reference's latency that is gone.", of: (entry) => entry.reduction_ppm, show: ppm, less: false },
  energy: { label: "energy", unit: "µJ", help: "Simulated.", of: (entry) => entry.energy_fj, show: uj, less: true },
  best: { label: "gap to best known", unit: "", help: "Part of the latency that the best known one is below it.", of: (entry) => entry.gap_best_ppm, show: ppm, less: true },
  bound: { label: "gap to lower bound", unit: "", help: "Part of the latency that the proven lower bound is below it. No mapping need reach the bound.", of: (entry) => entry.gap_bound_ppm, show: ppm, less: true },
};

// Part of a latency that another one is below it: what the results call a gap.
const gap = (ps, other) => (ps - other) / ps;

// The latency that at least half of the seeds reach or undercut: of an even number, the lower middle.
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1];
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = Object.fromEntries([...DIGITS].map((digit, value) => [digit, value]));

// Undoes `encode` of pictures.py.
function decode(text, width) {
  const values = [];
  for (let at = 0; at < text.length; at += width) {
    let value = 0;
    for (let place = 0; place < width; place++) value = value * 64 + VALUES[text[at + place]];
    values.push(value);
  }
  return values;
}
