// Where the focus goes and what is said after a swap, as after the loading of a page.

import { announce, body, find, findAll, headlines, headlineText, stateOf } from "./dom.js";
import { postToHost } from "./host-page.js";

/** After a new step, or another day or other weeks of the same one. `trigger` is the element that was pressed. */
export const focusAfterSwap = (widget, trigger) => {
  const spot = find(widget, "[data-kb-focus]") || (widget.dataset.kbMove === "step" && find(widget, ".kb-title"));
  if (spot) {
    announce(widget, ""); // the focus speaks; "One moment, please." must not come after it
    spot.focus({ preventScroll: true });
    // Only upwards, to the beginning: whoever sees it already must not be moved.
    if (widget.getBoundingClientRect().top < 0) widget.scrollIntoView();
    postToHost("view", { top: 0 });
    return;
  }
  // htmx gives the focus back to the element of the same id. The body has it when there is none anymore.
  const byKey = trigger === stateOf(widget).pagedByKey;
  if (byKey || document.activeElement === body)
    ((byKey && find(widget, '.kb-day[tabindex="0"]')) || headlines(widget)[0])?.focus();
  announce(widget, headlineText(widget));
  if (!trigger.matches(".kb-day")) return;
  // On a phone the times are below the calendar.
  const last = headlines(widget).at(-1);
  last.scrollIntoView({ block: "nearest" });
  postToHost("view", { top: last.getBoundingClientRect().top });
};

// Of a link, or of the button in its place where the page carries form input.
const urlOf = (control) => control.href || control.getAttribute("formaction");

/** Before the open page is brought up to date by itself. */
export const rememberFocus = (widget) => {
  const state = stateOf(widget);
  state.focusedUrl = urlOf(document.activeElement);
  state.headlineText = headlineText(widget);
};

/** After it: nothing is said and nothing moves, unless what was chosen is gone. */
export const restoreFocus = (widget) => {
  const state = stateOf(widget);
  // The day shown is full now, so that another one is shown.
  if (headlineText(widget) !== state.headlineText) announce(widget, headlineText(widget));
  if (!state.focusedUrl || document.activeElement !== body) return;
  // Never another time in the place of the one that is gone: a press on Enter would choose it.
  const same = findAll(widget, ".kb-slot :is(a, button)").find((control) => urlOf(control) === state.focusedUrl);
  (same || headlines(widget).at(-1))?.focus({ preventScroll: true });
};
