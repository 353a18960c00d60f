// What the script puts into the contact form: the visitor's details that a host page knows, and where they came from.

import { campaignParameters } from "../campaign-parameters.js";
import { body, find } from "./dom.js";

// The first address of a page of our own has them. In a frame they stand in the host page's address, and come by message.
let parameters = campaignParameters();
let hostDetails = {};

/** Takes the data attributes of the host's link. */
export const receiveHostDetails = (details) => {
  hostDetails = details;
  // `data-attribution="off"` comes as that word: a parameter without a value, which the server drops. So the host's
  // choice also overrides what the frame's own address says.
  if (details.attribution) parameters = [].concat(details.attribution);
  fillContactForm(body);
};

export const fillContactForm = (widget) => {
  const form = find(widget, "[data-kb-step=contact] form[method=post]");
  if (!form) return;
  if (parameters) form.attribution.value = JSON.stringify(Object.fromEntries(new URLSearchParams(parameters.join("&"))));
  // The form has come back with errors: a field that the visitor has emptied must stay empty.
  if (find(widget, "[role=alert]")) return;
  for (const field of form.querySelectorAll("[data-kb-prefill]")) {
    const text = hostDetails[field.dataset.kbPrefill];
    if (field.value || !text || text.length > field.maxLength) continue;
    field.value = text;
    // No details are better than wrong ones that nobody has typed. Browsers check nothing of a phone number.
    if (!field.checkValidity() || (field.type === "tel" && /[^\d\s()+./-]/.test(text))) field.value = "";
  }
};
