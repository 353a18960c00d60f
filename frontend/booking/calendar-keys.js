// Keys in the calendar: the free days are one stop for Tab (a roving tabindex), and arrow keys move between them.

import { find, findAll, stateOf } from "./dom.js";

const DAY = ":is(a, button).kb-day"; // a button where the page carries form input

const setTabStop = (days, tabStop) => days.forEach((day) => (day.tabIndex = day === tabStop ? 0 : -1));

export const initTabStop = (widget) => {
  const days = findAll(widget, DAY);
  setTabStop(days, find(widget, `${DAY}[aria-current]`) || days[0]);
};

export const onCalendarKey = (event) => {
  const { key, target } = event;
  // With a modifier the keys are the browser's own, such as Alt with an arrow for Back.
  if (!target.matches(DAY) || event.altKey || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const widget = target.closest(".kb");
  const page = { PageUp: "previous", PageDown: "next" }[key];
  if (page) {
    const link = find(widget, `.kb-turn[id$="-${page}"]`);
    if (!link) return;
    event.preventDefault();
    stateOf(widget).pagedByKey = link; // so that the focus goes to a day of the weeks that come
    link.click();
    return;
  }
  const forward = target.closest("[dir]").dir === "rtl" ? -1 : 1;
  // Up and Down move in the weekday's column, Home and End in the week; Left and Right go on over the end of a week.
  const lineOf = ({ parentNode: cell }) =>
    /^Arrow[UD]/.test(key) ? cell.cellIndex : /^(Home|End)$/.test(key) ? cell.parentNode.rowIndex : 0;
  const days = findAll(target.closest("table"), DAY);
  const line = days.filter((day) => lineOf(day) === lineOf(target));
  const at = line.indexOf(target);
  const steps = { ArrowRight: at + forward, ArrowLeft: at - forward, ArrowDown: at + 1, ArrowUp: at - 1 };
  const day = line[{ ...steps, Home: 0, End: line.length - 1 }[key]];
  if (!day) return;
  event.preventDefault();
  setTabStop(days, day);
  day.focus();
};
