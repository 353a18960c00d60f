"""Finds what should be read as one piece and isn't in one line, in any browser."""

SPLIT = """
(selector) => {
  const range = document.createRange(), found = [];
  for (const element of document.querySelectorAll(selector)) {
    if (!element.checkVisibility()) continue;
    const seen = [...element.childNodes].find((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    range.selectNodeContents(element.querySelector(".kb-sr") ? seen : element);
    const boxes = [...range.getClientRects()].filter(({ width }) => width);
    const cell = (element.closest("td, th, li, dd") || element).getBoundingClientRect();
    const over = boxes.some(({ left, right }) => left < cell.left - 1 || right > cell.right + 1);
    if (boxes.length !== 1 || over) found.push(`${element.textContent}: ${boxes.length} boxes, too wide: ${over}`);
  }
  return found;
}
"""
"""Elements that are in several line boxes, or reach over into their neighbors."""
