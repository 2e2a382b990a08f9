// Puts the parts together: theme, first drawing, and what changes it.

const THEMES = ["auto", "light", "dark"];
const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;

// Storage may be forbidden, as in a private window; the page then forgets the theme.
function storedTheme() {
  try {
    return oneOf(localStorage.getItem("loihi-gym-theme"), THEMES, "auto");
  } catch {
    return "auto";
  }
}

function isDark() {
  return root.dataset.theme === "dark" || (root.dataset.theme === "auto" && system.matches);
}

function setTheme(theme) {
  root.dataset.theme = theme;
  root.classList.toggle("dark", isDark());
  document.getElementById("theme").textContent = `theme: ${theme}`;
}

document.getElementById("theme").addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(root.dataset.theme) + 1) % THEMES.length];
  try {
    localStorage.setItem("loihi-gym-theme", next);
  } catch {
    // See storedTheme.
  }
  setTheme(next);
  draw();
});

function draw() {
  keepFocus(() => {
    drawChoice();
    drawRows();
    drawDetail();
  });
}

function drawRows() {
  const rows = shownRows();
  drawTable(rows);
  drawPlots(rows);
}

const dialog = document.getElementById("detail");
// Escape, the button and a press beside the dialog all end here.
dialog.addEventListener("close", () => {
  if (!state.row || dialog.open) return; // told late: it is closed by "back", or open again
  const key = `row ${state.row}`;
  go({ row: null, seed: null }, { step: true });
  document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
});
dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});

function showAddress() {
  readAddress();
  draw();
}

system.addEventListener("change", () => {
  setTheme(root.dataset.theme);
  draw();
});
addEventListener("popstate", showAddress);
let resizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(draw);
});

setTheme(storedTheme());
if (SUITES.length > 0) showAddress();
else document.getElementById("count").textContent = "No suite on this board yet.";
