// Light or dark: the reader's choice, else the system's. `draw` is the page's own.

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

system.addEventListener("change", () => {
  setTheme(root.dataset.theme);
  draw();
});
