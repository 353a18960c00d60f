// What is done each time that a step is shown, loaded or swapped in.

import { initTabStop } from "./calendar-keys.js";
import { fillContactForm, restoreFields } from "./contact-form.js";
import { showCopyButton } from "./copy-number.js";
import { ownsPage, stateOf, stepCard } from "./dom.js";
import { dispatch, postToHost } from "./host-page.js";
import { isPrivate } from "./htmx.js";
import { correctTimeZone } from "./time-zone.js";

export const initStep = (widget) => {
  const state = stateOf(widget);
  // The widget promises to store nothing, but htmx notes the current path; the host's may note
  // that of its own pages. Storage may be forbidden, and then throws.
  try { (!IS_FOR_HOSTS || isPrivate || ownsPage(widget)) && sessionStorage.removeItem("htmx-current-path-for-history"); } catch {}
  initTabStop(widget);
  widget.classList.add("kb-js");
  const { kbStep: step } = stepCard(widget).dataset;
  const before = state.step;
  if (before !== step) postToHost("step", { step });
  state.step = step;
  restoreFields(widget);
  fillContactForm(widget);
  showCopyButton(widget);
  correctTimeZone(widget);
  // At the end: a listener of the host's may do anything. What loads on sight is no step yet.
  if (IS_FOR_HOSTS && step !== before && step !== "lazy") {
    if (!before || before === "lazy") dispatch(widget, "ready");
    dispatch(widget, "step", { step });
  }
};
