// What the script puts into forms: what was typed before, the visitor's details that a host page knows, and where they
// came from.

import { campaignParameters } from "../campaign-parameters.js";
import { body, find, findAll, stateOf, stepCard } from "./dom.js";

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

const fieldsOf = (widget) => findAll(widget, ".kb-field [name]"); // so not the honeypot, nor what a spam check adds

/** Saves what is typed into the step's form, in the memory of this page, before another step takes its place. */
export const saveFields = (widget) => {
  const state = stateOf(widget);
  const fields = fieldsOf(widget).map(({ name, value, checked }) => ({ name, value, checked }));
  if (fields[0]) state.savedFields = { ...state.savedFields, [state.step]: fields };
};

/** Puts it back into the form of a later page, unless that comes with what was typed. */
export const restoreFields = (widget) => {
  const state = stateOf(widget);
  // Booked, rescheduled or canceled: the next one on this page may be somebody else.
  if (stepCard(widget).dataset.kbEvent) state.savedFields = {};
  // Number and contact open the booking that they have found, so they aren't saved for anybody else.
  if (state.step === "booking") delete state.savedFields?.find;
  const saved = state.savedFields?.[state.step];
  if (!saved || find(widget, ".kb-field input[value]:not([type=radio], [type=checkbox], [data-kb-known])")) return;
  fieldsOf(widget).forEach((field, place) => {
    if (field.name === saved[place]?.name) Object.assign(field, saved[place]);
  });
};

export const fillContactForm = (widget) => {
  const form = find(widget, "[data-kb-step=contact] form[method=post]");
  if (!form) return;
  if (parameters) form.attribution.value = JSON.stringify(Object.fromEntries(new URLSearchParams(parameters.join("&"))));
  // The form has come back, with errors or after another step: a field that the visitor has emptied must stay empty.
  if (find(widget, "[role=alert]") || stateOf(widget).savedFields?.contact) return;
  for (const field of form.querySelectorAll("[data-kb-prefill]")) {
    const text = hostDetails[field.dataset.kbPrefill];
    if (field.value || !text || text.length > field.maxLength) continue;
    field.value = text;
    // No details are better than wrong ones that nobody has typed. Browsers check nothing of a phone number.
    if (!field.checkValidity() || (field.type === "tel" && /[^\d\s()+./-]/.test(text))) field.value = "";
  }
};
