// Messages between the widget in a frame and the page around it, which is another site's. docs/embed.md lists them.

import { body } from "./dom.js";

// Neither side believes a height beyond this: a stylesheet that makes the body as high as its frame would let both grow
// for ever. embed/frame.js has the same limit.
const MAX_HEIGHT_PIXELS = 10000;

// On a page of its own there is no such attribute and it is "undefined", which is no origin.
const allowedOrigins = RegExp(`^(${body.dataset.kbParents})$`);

let hostOrigin; // of the page around the frame, once it is known to be one that may embed
let reportedHeight;

/** Sends a message to the page around the frame, addressed to its very origin: to no other one, and never to "*". */
export const postToHost = (type, detail) => hostOrigin && parent.postMessage({ kordless: type, detail }, hostOrigin);

/** Dispatches an event on a widget inside a page of the host's, as embed/frame.js does for a frame. */
export const dispatch = (widget, type, detail) =>
  widget.dispatchEvent(new CustomEvent("kordless:" + type, { bubbles: true, detail: { version: 1, ...detail } }));

export const reportHeight = () => {
  const height = Math.min(Math.ceil(body.getBoundingClientRect().height), MAX_HEIGHT_PIXELS);
  if (!hostOrigin || height === reportedHeight) return;
  reportedHeight = height;
  // The frame becomes as high as its content. A scroll bar that shows until it has would make the content narrower, and
  // so higher, and so on. Beyond the limit the content must be scrolled inside the frame.
  document.documentElement.style.overflow = height < MAX_HEIGHT_PIXELS ? "hidden" : "";
  postToHost("resize", { height });
};

const accept = (origin) => {
  if (parent === window || hostOrigin || !(allowedOrigins.test(origin) || origin === location.origin)) return;
  hostOrigin = origin;
  postToHost("ready");
  reportHeight();
};

/** Calls `onHello` with the data attributes of the host's link, each time that the host's script sends them. */
export const connectToHost = (onHello) => {
  addEventListener("message", ({ source, origin, data }) => {
    if (source !== parent || data?.kordless !== "hello") return;
    accept(origin);
    if (hostOrigin === origin) onHello(data.detail);
  });
};

/** Finds out who is around the frame without waiting for a message. Firefox has no `ancestorOrigins`. */
export const guessHost = () => accept(location.ancestorOrigins?.[0] || document.referrer.split("/", 3).join("/"));
