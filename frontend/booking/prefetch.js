// Fetches what a visitor is about to open, and hands it to the request that a click makes.
//
// The server answers from what lies in its cache or with an empty 204, so no guess ever causes a request to Kordless. See
// kordless_booking/ahead.py.

import { stage } from "./dom.js";
import { addressOf } from "./time-zone.js";

const HOVER_MILLISECONDS = 80; // a pointer that crosses a link on its way elsewhere has left it by then
const KEEP_MILLISECONDS = 10000;
const TIMEOUT_MILLISECONDS = 3000; // the click waits for a prefetch that is under way, and then asks itself

let hoverTimer;
let latest = {};

const prefetch = (link) => {
  const widget = link.closest(".kb");
  const path = link.dataset.hxGet;
  if (!widget || (path === latest.path && Date.now() < latest.until)) return; // or swapped away while the pointer rested
  const headers = { "HX-Request": "true", "HX-Target": stage(widget).id, "HX-Current-URL": location };
  const ask = (reason, options) =>
    fetch(addressOf(widget, path), { headers: { ...headers, [reason]: "1" }, priority: "low", ...options });
  const answer = ask("KB-Ahead", { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) })
    .then(async (got) => ({ status: got.status, response: await got.text(), responseURL: got.url }))
    .catch(() => {}); // the click asks again, and says what is wrong
  // Tells the server that the page is shown: only then does it count in the funnel.
  const reportShown = () => ask("KB-Taken", { redirect: "manual" }).catch(() => {});
  latest = { path, answer, reportShown, until: Date.now() + KEEP_MILLISECONDS };
};

export const prefetchOnPointer = ({ type, target }) => {
  clearTimeout(hoverTimer);
  // `aria-current`: after a click the pointer still rests on the day that is shown already.
  const link = target.closest?.(".kb-card a[data-hx-get]:not([aria-current])");
  if (!link || navigator.connection?.saveData) return;
  if (type === "pointerdown") prefetch(link);
  else hoverTimer = setTimeout(prefetch, HOVER_MILLISECONDS, link);
};

/** Lets a request that htmx is about to send take the prefetched answer instead. */
export const takePrefetched = (xhr, { path }) => {
  const { answer, reportShown, until } = latest;
  if (path === latest.path && Date.now() < until) {
    let isAborted;
    xhr.abort = () => {
      isAborted = true;
      xhr.onabort();
    };
    xhr.send = async () => {
      const got = await answer;
      if (isAborted) return;
      delete xhr.abort;
      delete xhr.send;
      if (got?.status !== 200) return xhr.send();
      reportShown();
      for (const name in got) Object.defineProperty(xhr, name, { value: got[name] });
      xhr.onload();
    };
  }
  latest = {};
};
