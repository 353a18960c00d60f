// embed-dialog.js: the dialog of links with `popup` and `button`. embed.js loads it when a page has such a link.
//
// A page may hold an embed.js that is up to a day older than this file: `attachDialog` must get along with what that
// gives it, so `link`, `title`, `url`, `frame`, `wayOut`, `dispatch`, `close` and `dialog` keep their names and meanings.

import { addStyles, createElement } from "./frame.js";

const INLINE = "[data-kordless-booking=inline]";

// The frame leaves room for the button at its upper corner; see `.kb-dialog` in booking.css. `!important` beats the
// frame's own `all: initial`: on a phone the widget's ground fills the screen under a short step, too.
addStyles(`
html:has(.kordless[open]) { overflow: hidden }
.kordless {
  width: 60rem; max-width: 95%; max-height: 95%; padding: 0; border: 0; border-radius: 20px; background: canvas; color: canvastext;
  &::backdrop { background: #000a }
  button { position: sticky; z-index: 1; top: clamp(4px, 1.5vw, 16px); display: block; width: 44px; height: 44px; margin-inline: auto 8px; margin-bottom: -44px; padding: 0; border: 0; border-radius: 50%; background: canvas; color: inherit; font: 28px/1 sans-serif }
  a { padding: 1em 4em; color: inherit }
  @media (width < 640px) { & { width: 100%; height: 100%; max-width: none; max-height: none; border-radius: 0; iframe { min-height: 100% !important } } }
}`);

/** Fills the floating button in the accent, with black or white text, whichever can be read on it. */
const dress = (link, accent, side) => {
  // 99999 is above what pages use for bars. The border shows where forced colors take the fill away.
  link.style.cssText = `position: fixed; z-index: 99999; bottom: 20px; ${side}: 20px; display: flex; gap: 8px; align-items: center; max-width: 60%; padding: 11px 20px; border: 1px solid transparent; border-radius: 24px; background: canvastext; color: canvas; box-shadow: 0 4px 16px #0004; font-weight: 600; line-height: 1.5; text-decoration: none`;
  link.style.backgroundColor = accent; // as a property, which takes a color and nothing else
  const [red, green, blue] = getComputedStyle(link).backgroundColor.match(/[\d.]+/g).map((part) => (part / 255) ** 2.2);
  // On a luminance of 0.179 black and white have the same contrast (WCAG 2): above 4.5.
  link.style.color = 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? "#000" : "#fff";
  if (link.querySelector("svg, img, i")) return; // its own picture, or ours when the page has put the link back
  // A calendar of borders, with two rings of shadow: a picture would need the page's policy, or attributes in a script.
  const icon = createElement("i");
  icon.style.cssText = "box-sizing: content-box; flex: none; width: 14px; height: 10px; border: 2px solid; border-top-width: 6px; border-radius: 3px; box-shadow: -4px -10px 0 -8px, 4px -10px 0 -8px";
  link.prepend(icon);
};

/** Hides the floating button while a widget in the page is in sight: two ways to the same are one too many. */
const yieldToInline = (link) => {
  const inSight = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) inSight[isIntersecting ? "add" : "delete"](target);
    link.style.visibility = inSight.size ? "hidden" : "";
  }, { rootMargin: "-20%" }); // an edge of it alone is not in sight
  // Such a frame stands behind its link and the way out of it, or, once it is ready, right behind its link.
  const observe = () => {
    for (const each of document.querySelectorAll(`${INLINE} + iframe, ${INLINE} + a + iframe`)) observer.observe(each);
  };
  observe();
  document.addEventListener("kordless:ready", observe); // of a widget that comes later
};

/** Has a click on the link open the widget in a dialog; with `button` the link floats in a corner of the window. */
export const attachDialog = (widget) => {
  const { link, title, url, frame, wayOut, dispatch } = widget;
  const { kordlessBooking: mode, accent, closeLabel = "Close", position } = link.dataset;
  const dialog = createElement("dialog", { className: "kordless", ariaLabel: title });
  widget.dialog = dialog;
  widget.close = () => dialog.close();
  dialog.style.colorScheme = frame.style.colorScheme;
  dialog.append(createElement("button", { textContent: "×", ariaLabel: closeLabel }), wayOut, frame);
  document.body.append(dialog);
  // The frame isn't loaded before it can be seen, so before the dialog is opened, or is about to be.
  url.searchParams.set("embed", getComputedStyle(dialog).direction === "rtl" ? "left" : "right");
  // On the button or beside the dialog: the backdrop is part of it, and clicks in the frame stay there.
  dialog.onclick = widget.close;
  dialog.onclose = () => {
    link.focus(); // Safari doesn't give it back to a link
    dispatch("closed");
  };
  // A finger or a button stays down for about a tenth of a second. A loader of an older release has no `load`.
  link.onpointerdown = ({ button }) => button || widget.load?.();
  link.onclick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // for a new tab or window
    event.preventDefault();
    dialog.showModal();
  };
  if (mode === "button") {
    dress(link, accent, position === "left" ? "left" : "right");
    yieldToInline(link);
  }
};
