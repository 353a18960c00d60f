// Labels the cells of wide tables, so that docs.css can set each row as a record. Without it they stay tables.
for (const table of document.querySelectorAll("table.docutils")) {
  const labels = [...table.querySelectorAll("thead th")].map((cell) => cell.textContent.trim());
  if (labels.length < 3) continue;
  for (const row of table.tBodies[0].rows) {
    [...row.cells].forEach((cell, index) => {
      cell.setAttribute("data-label", labels[index]);
      cell.classList.toggle("empty", !cell.textContent.trim() && !cell.querySelector("img"));
    });
  }
  table.classList.add(labels.length > 3 && labels.includes("Default") ? "records" : "wide");
}
