// embed-dialog.js: the dialog of links with `popup` and `button`. embed.js loads it when a page has such a link.
//
// A page may hold an embed.js that is up to a day older than this file: `attachDialog` must get along with what that
// gives it, so `link`, `title`, `frame`, `wayOut`, `dispatch`, `close` and `dialog` keep their names and meanings.

import { addStyles, createElement } from "./frame.js";

addStyles(`
html:has(.kordless[open]) { overflow: hidden }
.kordless {
  width: 60rem; max-width: 95%; max-height: 95%; padding: 0; border: 0; border-radius: 20px; background: canvas;
  &::backdrop { background: #000a }
  button { position: sticky; top: 0; width: 100%; padding: 8px 20px; border: 0; background: canvas; color: canvastext; font-size: 28px; text-align: end }
  @media (width < 640px) { & { width: 100%; height: 100%; max-width: none; max-height: none; border-radius: 0 } }
}`);

/** Has a click on the link open the widget in a dialog; with `button` the link floats in a corner of the window. */
export const attachDialog = (widget) => {
  const { link, title, frame, wayOut, dispatch } = widget;
  const { kordlessBooking: mode, accent, closeLabel = "Close", position } = link.dataset;
  const dialog = createElement("dialog", { className: "kordless", ariaLabel: title });
  widget.dialog = dialog;
  widget.close = () => dialog.close();
  dialog.append(createElement("button", { textContent: "×", ariaLabel: closeLabel }), wayOut, frame);
  // Nothing of the frame is loaded before it can be seen, so before the dialog is opened.
  document.body.append(dialog);
  // On the button or beside the dialog: the backdrop is part of it, and clicks in the frame stay there.
  dialog.onclick = widget.close;
  dialog.onclose = () => {
    link.focus(); // Safari doesn't give it back to a link
    dispatch("closed");
  };
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // for a new tab or window
    event.preventDefault();
    dialog.showModal();
  };
  // System colors can be read on each other, whatever the accent around them. 99999 is above what pages use for bars.
  if (mode === "button") {
    const side = position === "left" ? "left" : "right";
    link.style.cssText = `position: fixed; z-index: 99999; bottom: 20px; ${side}: 20px; padding: 8px 20px; border: 3px solid; border-radius: 20px; background: canvas; color: canvastext`;
    link.style.borderColor = accent; // as a property, which takes a color and nothing else
  }
};
