// What htmx asks for and what it does with the answer: waiting states, failures, swaps.

import { saveFields } from "./contact-form.js";
import { announce, body, find, findAll, shownAddress, stage, stateOf, stepCard } from "./dom.js";
import { focusAfterSwap, rememberFocus, restoreFocus } from "./focus.js";
import { recordStep, showAddress } from "./history.js";
import { htmx, isPrivate, lacksHtmx, loadHtmx } from "./htmx.js";
import { dispatch, postToHost } from "./host-page.js";
import { loadLaterStyles, loadStylesFor, styleHeaders, takeLaterStyles } from "./later-styles.js";
import { takeLook } from "./look.js";
import { reportForm, reportShown } from "./prefetch.js";
import { initStep } from "./step.js";
import { addTimeZone, offerOwnClock } from "./time-zone.js";

const POLL = "[data-kb-poll]"; // asks whether a booking has been made by now
const WATCH = "[data-kb-watch]"; // asks whether the times are still as an open page shows them

const BUSY_AFTER_MILLISECONDS = 300; // an earlier sign of waiting would only flash
const POLL_AGAIN_MILLISECONDS = 5000; // after a failure: as long as a short outage

/** Listens to an htmx event of the widgets alone: the host's page may use htmx as well. */
const onHtmx = (name, act) =>
  document.addEventListener(
    "htmx:" + name,
    (event) => {
      const { detail } = event;
      const widget = detail.target?.closest?.(".kb"); // another version's events may have none
      if (widget) act(widget, detail, detail.requestConfig?.elt, event);
    },
    true, // before the listeners of anybody else, which `beforeOnLoad` keeps from running
  );

/** Does what the visitor has done, as if they did it now. */
const press = (control, submitter) => (control.matches("form") ? control.requestSubmit(submitter) : control.click());

const showProblem = (widget, detail, trigger) => {
  // Nobody has asked for these, so nobody needs to hear that they failed: the zone's correction, and the watch.
  if (trigger.matches("[data-kb-step]")) offerOwnClock(trigger);
  if (trigger.matches("[data-kb-step]," + WATCH)) return;
  const retry = () =>
    trigger === stage(widget)
      ? showAddress(widget, stateOf(widget).address)
      : htmx
        ? htmx.trigger(trigger, trigger.matches("form") ? "submit" : "click")
        : press(trigger);
  findAll(widget, "[data-kb-offline]").forEach((text) => (text.hidden = navigator.onLine));
  find(widget, "[data-kb-again]").onclick = retry;
  find(widget, "[data-kb-trouble]").hidden = false;
  if (trigger.matches(POLL)) setTimeout(retry, POLL_AGAIN_MILLISECONDS);
};

const endWaiting = (widget) => {
  const state = stateOf(widget);
  state.isPosting = false;
  clearTimeout(state.busyTimer);
  state.pressed?.removeAttribute("data-kb-pressed");
  state.pressed = state.waitsFor = null;
  stage(widget).ariaBusy = null;
  findAll(widget, "[type=submit]").forEach((button) => (button.ariaDisabled = null));
};

/**
 * Returns the control that was pressed: of a form the button that sent it. Nobody has pressed the stage or the card. Enter
 * presses a button outside of the contact form, which can't be seen and stands for the one inside.
 */
const pressedControl = (trigger, { triggeringEvent }) => {
  const sender = triggeringEvent?.submitter;
  if (trigger.matches("form")) return trigger.contains(sender) ? sender : find(trigger, "[type=submit]");
  return trigger.closest("a, button");
};

/** Puts the line that shows the wait at the top of what can be seen of the frame: this alone knows, in any frame. */
const showBarInSight = (widget) =>
  new IntersectionObserver(([{ intersectionRect }], observer) => {
    observer.disconnect();
    body.style.setProperty("--in-sight", intersectionRect.top + "px");
  }).observe(stage(widget));

const beginWaiting = (widget, { requestConfig }, trigger) => {
  if (trigger.matches(WATCH)) return;
  // Whoever goes on while the zone's correction is under way must not be taken back by it.
  if (!trigger.matches("[data-kb-step]")) htmx?.trigger(stepCard(widget), "htmx:abort");
  endWaiting(widget); // this request replaces the one before
  find(widget, "[data-kb-trouble]").hidden = true;
  if (trigger.matches(POLL)) return;
  const state = stateOf(widget);
  const pressed = pressedControl(trigger, requestConfig);
  state.isPosting = requestConfig.verb !== "get";
  state.waitsFor = trigger;
  // `disabled` would take the focus from the button.
  if (trigger.matches("form")) findAll(trigger, "[type=submit]").forEach((button) => (button.ariaDisabled = "true"));
  state.busyTimer = setTimeout(() => {
    state.pressed = pressed;
    pressed?.setAttribute("data-kb-pressed", "");
    stage(widget).ariaBusy = "true";
    if (widget.matches(".kb-framed")) showBarInSight(widget);
    announce(widget, (pressed?.matches("[data-kb-wait]") ? pressed : widget).dataset.kbWait);
  }, BUSY_AFTER_MILLISECONDS);
};

const chooseSwap = (widget, detail, trigger) => {
  const state = stateOf(widget);
  // An error page of ours is a step like any other, and is shown. A proxy's is none: what was typed must not be lost to it.
  const step = /data-kb-step="(\w+)"/.exec(detail.serverResponse)?.[1];
  const isSameStep = step === state.step;
  const isStillWaiting = isSameStep && trigger.matches(POLL);
  detail.isError = false;
  if (trigger.matches(WATCH)) {
    detail.shouldSwap = isSameStep;
    rememberFocus(widget);
    Object.assign(detail, { target: trigger.parentNode, selectOverride: ".kb-slot > *", swapOverride: "innerHTML" });
    return;
  }
  detail.shouldSwap = !!step;
  state.isSwapped = step && !isStillWaiting;
  // What brings up to date or back what is there, or has come by itself, is no step forward.
  const isMove = !isSameStep && !trigger.matches(`${POLL}, [data-kb-step], .kb-stage`);
  state.method = isMove ? "pushState" : "replaceState";
  if (step) saveFields(widget);
  takeLaterStyles(detail.serverResponse);
  // Seldom do the times lead to another step than the form, or the services to another one than the times.
  if (isSameStep ? trigger.matches(".kb-time") : step !== "slot") loadLaterStyles();
  widget.dataset.kbMove = isSameStep ? "day" : "step"; // the style sheet moves a step in, but not a day
  if (isStillWaiting) Object.assign(detail, { target: trigger, selectOverride: POLL, swapOverride: "outerHTML" });
  if (IS_FOR_HOSTS) takeLook(widget, detail.xhr.getResponseHeader("KB-Look"));
  if (step) reportShown(widget, detail, step);
  else showProblem(widget, detail, trigger);
};

const afterSettle = (widget, detail, trigger) => {
  const state = stateOf(widget);
  if (trigger.matches(WATCH)) {
    initStep(widget);
    restoreFocus(widget);
    return;
  }
  if (!state.isSwapped) return;
  state.isSwapped = false;
  initStep(widget);
  recordStep(widget, state.method, detail.pathInfo.responsePath || detail.pathInfo.finalRequestPath);
  // Told here and not when a page is loaded, so that a reload never tells a booking again.
  const { kbEvent, kbService: service, kbStart: start, kbStatus: status } = stepCard(widget).dataset;
  if (kbEvent) {
    const detail = { service, start, status };
    if (IS_FOR_HOSTS) dispatch(widget, kbEvent, detail);
    postToHost(kbEvent, detail);
  }
  // The zone's correction comes by itself, and takes the focus from nobody.
  if (!trigger.matches("[data-kb-step]")) focusAfterSwap(widget, trigger);
};

let held;

/** Holds what is pressed while htmx is on its way, and does it then. Of several presses the last one counts. */
const holdPress = (event) => {
  const { target, type, submitter } = event;
  const isForm = type === "submit";
  const control = isForm ? target : target.closest?.(".kb :is(a, button):is([data-hx-get], [data-hx-post])");
  const isForElsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
  if (!lacksHtmx() || isForElsewhere || !control?.matches(".kb [data-hx-get], .kb [data-hx-post]")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const widget = control.closest(".kb");
  held = control;
  beginWaiting(widget, { requestConfig: { verb: isForm ? "post" : "get", triggeringEvent: event } }, control);
  loadHtmx().then(() => {
    endWaiting(widget);
    if (held !== control || !control.isConnected) return;
    held = null;
    // On a dead line the browser's own page would take the place of this one.
    if (lacksHtmx()) showProblem(widget, null, control);
    else press(control, submitter);
  });
};

export const listenToHtmx = () => {
  if (!IS_FOR_HOSTS) for (const type of ["click", "submit"]) addEventListener(type, holdPress, true);
  onHtmx("confirm", (widget, { elt, verb, triggeringEvent, issueRequest }, trigger, event) => {
    const { isPosting, waitsFor } = stateOf(widget);
    // A press while a form is on its way does nothing, nor does a second one on a link. A tab that nobody sees doesn't
    // watch. A search may be sent again with other words.
    if (isPosting || (elt === waitsFor && !elt.matches("form")) || (document.hidden && elt.matches(WATCH)))
      event.preventDefault();
    // Seldom does what comes by itself bring another step.
    else if (!elt.matches("[data-kb-step]," + WATCH) && loadStylesFor(elt)) {
      event.preventDefault();
      beginWaiting(widget, { requestConfig: { verb, triggeringEvent } }, elt);
      // The times may have been brought up to date by then, without the one that was pressed.
      loadLaterStyles().then(() => (elt.isConnected ? issueRequest(true) : endWaiting(widget)));
    }
  });
  onHtmx("configRequest", (widget, { elt, verb, path, parameters, headers }) => {
    Object.assign(headers, styleHeaders(elt));
    reportForm(widget, elt, parameters);
    if (verb === "get") addTimeZone(widget, path, parameters);
    // It says what the visitor has seen before.
    if (IS_FOR_HOSTS) headers["HX-Current-URL"] = shownAddress(widget);
  });
  onHtmx("beforeSend", beginWaiting);
  // django-htmx's script for DEBUG would replace the whole page by any answer with status 400, 403, 404 or 500.
  onHtmx("beforeOnLoad", (widget, detail, trigger, event) => event.stopPropagation());
  onHtmx("afterRequest", endWaiting);
  onHtmx("sendError", showProblem);
  onHtmx("timeout", showProblem);
  onHtmx("beforeSwap", chooseSwap);
  onHtmx("beforeHistoryUpdate", (widget, { history }, trigger) => {
    // As browsers do: a link to the page that is shown adds nothing to go Back to. Nor does the end of a wait.
    if (trigger.matches(POLL) || history.path === location.pathname + location.search) history.type = "replace";
    // A private htmx writes no history: any other htmx takes its entries for its own, and loads the whole page for them.
    if (IS_FOR_HOSTS && isPrivate) window.history[history.type + "State"](null, "", history.path);
  });
  onHtmx("afterSettle", afterSettle);
};
