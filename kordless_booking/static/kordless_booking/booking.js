/* Makes the widget smoother; everything works without it. Keeps nothing: no cookies, no storage. */
(() => {
  "use strict";
  if (window.kordlessBooking) return; // two widgets on one page
  window.kordlessBooking = true;

  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const find = (root, what) => root.querySelector(what);

  const say = (root, text) => (find(root, "[data-kb-live]").textContent = text);

  // One tab stop for the whole month; arrow keys move inside it.
  const rove = (month, day) => {
    for (const link of month.querySelectorAll("a.kb-day")) link.tabIndex = link === day ? 0 : -1;
  };

  const settle = (root) => {
    const card = find(root, "[data-kb-step]");
    const month = find(root, ".kb-month table");
    root.kbStep = card.dataset.kbStep;
    if (month) rove(month, find(month, "a[aria-current]") || find(month, "a"));
    const { kbZone, kbDetectZone } = card.dataset;
    if (kbDetectZone === undefined || !kbZone || !timeZone || kbZone === timeZone || root.kbAsked) return;
    root.kbAsked = true;
    const url = new URL(kbDetectZone || location.href, location.href);
    url.searchParams.set("tz", timeZone);
    htmx.ajax("GET", url.pathname + url.search, {
      source: card,
      target: card.parentNode,
      swap: "innerHTML show:none",
      replace: root.matches(".kb-page") ? "true" : undefined,
    });
  };

  const arrive = (root, trigger) => {
    const moved = root.dataset.kbMove === "step";
    const spot = find(root, "[data-kb-focus]") || (moved && find(root, ".kb-title"));
    const stage = find(root, ".kb-stage");
    if (spot) {
      spot.focus({ preventScroll: true });
      if (stage.getBoundingClientRect().top < 0) stage.scrollIntoView();
      return;
    }
    const words = [...root.querySelectorAll("[data-kb-say]")];
    if (document.activeElement === document.body) words[0]?.focus({ preventScroll: true });
    say(root, words.map((one) => one.textContent).join(". "));
    if (trigger.matches(".kb-day")) words.at(-1)?.scrollIntoView({ block: "nearest" });
  };

  const trouble = (root, trigger) => {
    if (trigger.matches("[data-kb-step]")) return; // only the zone could not be asked for
    root.kbAgain = trigger;
    find(root, "[data-kb-trouble]").hidden = false;
    if (trigger.matches("[data-kb-poll]")) setTimeout(again, 5000, root);
  };

  const again = (root) => {
    const trigger = root.kbAgain;
    if (!trigger?.isConnected) return location.reload();
    if (trigger.matches("form")) trigger.requestSubmit();
    else htmx.trigger(trigger, trigger.matches("a") ? "click" : "kb-again");
  };

  const on = (names, act) => {
    for (const name of names.split(" "))
      document.addEventListener("htmx:" + name, (event) => {
        const root = event.detail.target?.closest(".kb");
        if (root) act(event.detail, root, event);
      });
  };

  on("confirm", (detail, root, event) => {
    if (root.kbPosting) event.preventDefault();
  });

  on("configRequest", (detail, root) => {
    if (detail.verb === "get" && timeZone && find(root, "[data-kb-detect-zone]") && !/[?&]tz=/.test(detail.path))
      detail.parameters.tz ??= timeZone;
  });

  on("beforeSend", ({ requestConfig: { verb, elt } }, root) => {
    root.kbPosting = verb !== "get";
    find(root, "[data-kb-trouble]").hidden = true;
    if (root.kbPosting) find(elt, "button")?.setAttribute("aria-disabled", "true");
    clearTimeout(root.kbTimer);
    root.kbTimer = setTimeout(() => {
      find(root, ".kb-stage").setAttribute("aria-busy", "true");
      if (!elt.matches("[data-kb-poll]")) say(root, root.dataset.kbWait);
    }, 300);
  });

  on("afterRequest", ({ requestConfig: { elt } }, root) => {
    root.kbPosting = false;
    clearTimeout(root.kbTimer);
    find(root, ".kb-stage").removeAttribute("aria-busy");
    find(elt, "[aria-disabled]")?.removeAttribute("aria-disabled");
  });

  on("sendError timeout", ({ requestConfig: { elt } }, root) => trouble(root, elt));

  // Error pages are pages too. What isn't ours (a proxy's page, a sign-in) is not shown.
  on("beforeSwap", (detail, root) => {
    const step = /data-kb-step="(\w+)"/.exec(detail.serverResponse)?.[1];
    const trigger = detail.requestConfig.elt;
    detail.shouldSwap = !!step;
    detail.isError = false;
    if (!step) return trouble(root, trigger);
    root.dataset.kbMove = step === root.kbStep ? "day" : "step";
    root.kbSwapped = true;
    if (step === root.kbStep && trigger.matches("[data-kb-poll]")) {
      detail.target = trigger; // still waiting: leave the rest, and the reader's place in it, alone
      detail.selectOverride = "[data-kb-poll]";
      detail.swapOverride = "outerHTML";
      root.kbSwapped = false;
    }
  });

  on("beforeHistoryUpdate", ({ history, requestConfig: { elt } }) => {
    if (history.path === location.pathname + location.search || elt.matches("[data-kb-step]")) history.type = "replace";
  });

  on("afterSettle", ({ requestConfig: { elt } }, root) => {
    if (!root.kbSwapped) return; // comes once for each thing that was put in
    root.kbSwapped = false;
    settle(root);
    arrive(root, elt);
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest(".kb a, [data-kb-again]");
    if (link?.matches("button")) again(link.closest(".kb"));
    else if (link && (event.ctrlKey || event.metaKey || event.shiftKey)) event.stopPropagation(); // a new tab, not htmx
  }, true);

  document.addEventListener("change", ({ target }) => {
    if (target.matches("[data-kb-auto]")) target.form.requestSubmit();
  });

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (!target.matches?.("a.kb-day") || event.altKey || event.ctrlKey || event.metaKey) return;
    const month = target.closest("table");
    const days = [...month.querySelectorAll("a.kb-day")];
    const column = days.filter((day) => day.parentNode.cellIndex === target.parentNode.cellIndex);
    const way = target.matches(":dir(rtl)") ? -1 : 1;
    const to = {
      ArrowRight: days[days.indexOf(target) + way],
      ArrowLeft: days[days.indexOf(target) - way],
      ArrowDown: column[column.indexOf(target) + 1],
      ArrowUp: column[column.indexOf(target) - 1],
      Home: days[0],
      End: days.at(-1),
    }[key];
    if (!to) return;
    event.preventDefault();
    rove(month, to);
    to.focus();
  });

  for (const root of document.querySelectorAll(".kb")) settle(root);
})();
