// Fetches what a visitor is about to open, so that the click finds it in the browser's HTTP cache.
//
// The server answers from what lies in its cache or with an empty 204 that isn't stored, so no guess ever causes a
// request to Kordless. What it does answer may be used for a few seconds (`max-age`), so that to point at a link twice costs
// nothing either; and `Vary` keeps it apart from whole pages. See kordless_booking/prefetch.py.

import { shownAddress, stage } from "./dom.js";
import { styleHeaders, takeLaterStyles } from "./later-styles.js";
import { addressOf } from "./time-zone.js";

const HOVER_MILLISECONDS = 80; // a pointer that crosses a link on its way elsewhere has left it by then
const TIMEOUT_MILLISECONDS = 3000; // the click waits for a prefetch that is under way, and then asks itself

let hoverTimer;

const prefetch = (link) => {
  const widget = link.closest(".kb");
  if (!widget) return; // swapped away while the pointer rested
  // All but the last as htmx sends them.
  const headers = {
    "HX-Request": "true",
    "HX-Target": stage(widget).id,
    "HX-Current-URL": shownAddress(widget),
    "KB-Ahead": "1",
    ...styleHeaders(link),
  };
  fetch(addressOf(widget, link.dataset.hxGet), { headers, signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) })
    .then((response) => response.text()) // a body that nobody reads may not get into the cache
    .then(takeLaterStyles) // at once: a finger that scrolls may touch several times, and only the first brings it
    .catch(() => {}); // the click asks again, and says what is wrong
};

export const prefetchOnPointer = ({ type, target }) => {
  clearTimeout(hoverTimer);
  // `aria-current`: after a click the pointer still rests on the day that is shown already.
  const link = target.closest?.(".kb-card a[data-hx-get]:not([aria-current])");
  if (!link || navigator.connection?.saveData) return;
  if (type === "pointerdown") prefetch(link);
  else hoverTimer = setTimeout(prefetch, HOVER_MILLISECONDS, link);
};

const forms = new Map(); // by widget: the report of the form that it shows

const send = ({ pathInfo, requestConfig }) =>
  // A time that was lost has led to the free ones: these were shown, and no form.
  fetch(pathInfo.responsePath || pathInfo.finalRequestPath, {
    headers: { ...requestConfig.headers, "KB-Taken": "1" },
    cache: "no-store",
    redirect: "manual",
    keepalive: true, // also when the page is being left
  }).catch(() => {});

/**
 * Tells the server that a prefetched page is shown now, if it asked for that: at once where something of it should be
 * refreshed by now, as times. That a form was shown only counts, so it is reported with the form, or when it is left.
 */
export const reportShown = (widget, detail, step) => {
  if (!detail.xhr.getResponseHeader("KB-Ahead")) return;
  if (step === "contact") forms.set(widget, detail);
  else send(detail);
};

/** Adds the report to the parameters of the form when it is sent. Any other request leaves the form: then it goes alone. */
export const reportForm = (widget, control, parameters) => {
  const form = forms.get(widget);
  if (!form) return;
  forms.delete(widget);
  if (control.matches("form")) parameters["kb-taken"] = "1";
  else send(form);
};

/** Sends what is left to report when the page may be about to go: nothing is certain to run after that. */
export const reportOnLeave = ({ type }) => {
  if (type !== "pagehide" && !document.hidden) return;
  forms.forEach(send);
  forms.clear();
};
