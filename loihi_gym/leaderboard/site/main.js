// Puts the parts together: the first drawing, and what changes it.

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

addEventListener("popstate", showAddress);
let resizing = 0;
addEventListener("resize", () => {
  cancelAnimationFrame(resizing);
  resizing = requestAnimationFrame(draw);
});

setTheme(storedTheme());
if (SUITES.length > 0) showAddress();
else document.getElementById("count").textContent = "No suite on this board yet.";
