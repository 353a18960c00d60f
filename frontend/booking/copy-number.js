// The button that copies the confirmation number. It is hidden without this script, and where the browser can't copy.

import { announce, find } from "./dom.js";

export const showCopyButton = (widget) => {
  const button = find(widget, "[data-kb-copy]");
  if (button && navigator.clipboard) button.hidden = false; // only https has one
};

export const onCopyClick = async ({ target }) => {
  const button = target.closest("[data-kb-copy]");
  if (!button) return;
  const number = find(button.parentNode, ".kb-number");
  try {
    await navigator.clipboard.writeText(number.textContent);
  } catch {
    // A frame may not, unless the page around it says so. The old way works there. It copies what is selected, and
    // where it fails too, the selection is what the visitor can copy.
    getSelection().selectAllChildren(number);
    if (!document.execCommand("copy")) return;
  }
  announce(button.closest(".kb"), (button.textContent = button.dataset.kbCopy));
};
