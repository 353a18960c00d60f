// The widget's frame on the host's page, and the messages to and from it. docs/embed.md lists them.

// The frame reports its content's height, within the same limit as in booking/host-page.js.
const MAX_HEIGHT_PIXELS = 10000;
const MIN_VISIBLE_PIXELS = 150; // of what a step in the frame wants to show, else the page scrolls to it

/** The link's data attributes that become parameters of the frame's address. The widget validates each of them. */
const QUERY_PARAMETERS = ["host", "team", "party", "tz", "lang", "scheme", "accent", "theme"];

export const createElement = (tag, properties) => Object.assign(document.createElement(tag), properties);

/** Adds CSS to the page. Unlike a <style> it is forbidden by no Content-Security-Policy. */
export const addStyles = (css) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  // Assigned as a whole, because browsers of 2022 have a frozen array there.
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
};

/**
 * Makes the frame for a link, and the way out beside it: a link to a new tab, which shows when the frame stays silent.
 *
 * Returns `{ link, title, url, frame, wayOut, dispatch, receive, load }`, to be put onto the page. `url` is the frame's,
 * and may change until `load` is called, which happens once the frame comes near the window. `receive` takes a message of
 * the frame's; for "close" it calls the `close` that whoever has a dialog adds.
 */
export const createWidget = (link, base, parameters) => {
  const { dataset } = link;
  const { width, doneUrl, openLabel = "Open in a new tab" } = dataset;
  const { origin } = new URL(base);
  const title = link.textContent.trim() || "Booking";
  // A frame whose scheme differs from the page's gets an opaque background from the browser.
  const scheme = dataset.scheme || getComputedStyle(link).colorScheme.replace("normal", "light");
  // The page's own is a default, which yields to what the widget's site has set for all pages.
  const chosen = { tz: Intl.DateTimeFormat().resolvedOptions().timeZone, ...dataset, scheme: dataset.scheme || "page " + scheme };
  const url = new URL(dataset.service ? `service/${encodeURIComponent(dataset.service)}/` : link.href, base);
  for (const name of QUERY_PARAMETERS) if (chosen[name]) url.searchParams.set(name, chosen[name]);
  // As a link resolves it: relative to the page, and without failing at what is no address.
  if (doneUrl) url.searchParams.set("thanks", createElement("a", { href: doneUrl }).href);

  const wayOut = createElement("a", { href: url, target: "_blank", textContent: openLabel });
  wayOut.style.cssText = "display: block; animation: kordless 9s"; // the animation, in loader.js, hides it so long

  url.searchParams.set("embed", 1);
  const frame = createElement("iframe", { title, allow: "", referrerPolicy: "strict-origin" });
  // `all: initial`, because many a page has rules for every iframe; some of them, for videos, are `!important`.
  frame.style.cssText = "all: initial";
  // As properties, which take one valid value each: in a text, a value could go on with rules of its own.
  const setStyle = (name, value) => frame.style.setProperty(name, value, "important");
  setStyle("display", "block");
  setStyle("width", "100%");
  setStyle("min-width", "0");
  setStyle("max-width", "none"); // where the next value is none
  if (width) setStyle("max-width", width);
  setStyle("height", "40rem"); // about five weeks on a phone
  setStyle("max-height", "none");
  setStyle("margin", "auto");
  setStyle("color-scheme", scheme);
  // Loaded once it comes near the window, or its dialog is opened. Not by `loading`: in WebKit a frame that is lazy has no
  // part in the page's history, so Back would leave the page.
  const load = () => {
    observer.disconnect();
    if (frame.src) return;
    // On each load: a form that is sent without htmx loads another page into the frame.
    frame.onload = () =>
      frame.contentWindow.postMessage({ kordless: "hello", detail: { attribution: parameters, ...dataset } }, origin);
    frame.src = url;
  };
  const observer = new IntersectionObserver((entries) => entries.some(({ isIntersecting }) => isIntersecting) && load(), {
    rootMargin: "1250px", // as far as Chromium's own lazy frames
  });
  observer.observe(frame);

  const dispatch = (type, detail) =>
    link.dispatchEvent(new CustomEvent("kordless:" + type, { bubbles: true, detail: { version: 1, ...detail } }));

  const scrollTo = (topInFrame) => {
    const top = frame.getBoundingClientRect().top + topInFrame;
    if (top >= 0 && top <= innerHeight - MIN_VISIBLE_PIXELS) return;
    frame.style.scrollMarginTop = -topInFrame + "px";
    frame.scrollIntoView();
  };

  const widget = { link, title, url, frame, wayOut, dispatch, load };
  widget.receive = (type, detail) => {
    if (type === "close") return widget.close?.();
    if (type === "view") return scrollTo(detail.top);
    if (type === "ready") wayOut.remove();
    // In a dialog that isn't open yet the content has no width, and so no height that means anything.
    if (type === "resize" && frame.clientWidth) setStyle("height", Math.min(detail.height, MAX_HEIGHT_PIXELS) + "px");
    dispatch(type, detail);
  };
  return widget;
};
