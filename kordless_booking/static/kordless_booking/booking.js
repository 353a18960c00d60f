(() => {
  if (window.kordlessBooking) return;
  window.kordlessBooking = true;
  const { body } = document;
  // A sandboxed frame may not ask our server: plain links and forms can.
  if (self.origin === "null") return (body.dataset.hxDisable = "");

  const ours = "kbOurs" in document.currentScript.dataset;
  if (ours) htmx.config.includeIndicatorStyles = false;

  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const poll = "[data-kb-poll]";
  const quiet = "[data-kb-watch]";
  const find = (root, what) => root.querySelector(what);
  const all = (root, what) => [...root.querySelectorAll(what)];
  const words = (root) => all(root, "[data-kb-say]").map((word) => word.textContent).join(". ");
  const say = (root, text) => (find(root, "[data-kb-live]").textContent = text);

  const rove = (days, to) => days.forEach((day) => (day.tabIndex = day === to ? 0 : -1));

  const mayFrame = RegExp(`^(${body.dataset.kbParents})$`);
  let around, height, heard = {}, landing = location.search.match(/\b(utm_\w+|\w+clk?id|.braid|li_fat_id)=[^&]+/g);

  const tell = (type, detail) => around && parent.postMessage({ kordless: type, detail }, around);

  const measure = () => {
    const now = Math.min(Math.ceil(body.getBoundingClientRect().height), 10000);
    if (!around || now === height) return;
    height = now;
    document.documentElement.style.overflow = height < 10000 ? "hidden" : "";
    tell("resize", { height });
  };

  const meet = (origin) => {
    if (parent === window || around || !(mayFrame.test(origin) || origin === location.origin)) return;
    around = origin;
    tell("ready");
    measure();
  };

  const fill = (root) => {
    const form = find(root, "[data-kb-step=contact] form[method=post]");
    if (!form) return;
    if (landing) form.attribution.value = JSON.stringify(Object.fromEntries(new URLSearchParams(landing.join("&"))));
    if (find(root, "[role=alert]")) return;
    for (const field of all(form, "[data-kb-prefill]")) {
      const text = heard[field.dataset.kbPrefill];
      if (field.value || !text || text.length > field.maxLength) continue;
      field.value = text;
      if (!field.checkValidity() || (field.type === "tel" && /[^\d\s()+./-]/.test(text))) field.value = "";
    }
  };

  addEventListener("message", ({ source, origin, data }) => {
    if (source !== parent || data?.kordless !== "hello") return;
    meet(origin);
    if (around !== origin) return;
    heard = data.detail;
    if (heard.attribution) landing = [].concat(heard.attribution);
    fill(body);
  });

  const settle = (root) => {
    try { ours && sessionStorage.removeItem("htmx-current-path-for-history"); } catch {}
    const card = find(root, "[data-kb-step]");
    const days = all(root, "a.kb-day");
    rove(days, find(root, "a.kb-day[aria-current]") || days[0]);
    root.classList.add("kb-js");
    if (root.kbStep !== card.dataset.kbStep) tell("step", { step: card.dataset.kbStep });
    root.kbStep = card.dataset.kbStep;
    fill(root);
    if (root.kbAsked || !card.matches(`[data-kb-detect-zone][data-kb-zone]:not([data-kb-zone="${timeZone}"])`)) return;
    root.kbAsked = true;
    const url = new URL(card.dataset.kbDetectZone, location);
    url.searchParams.set("tz", timeZone);
    htmx.ajax("GET", url.href, { source: card, target: card.parentNode, swap: "innerHTML", headers: { "KB-Seen": "zone" } });
  };

  const arrive = (root, trigger) => {
    const titles = all(root, "[data-kb-say]");
    const spot = find(root, "[data-kb-focus]") || (root.dataset.kbMove === "step" && find(root, ".kb-title"));
    if (spot) {
      say(root, "");
      spot.focus({ preventScroll: true });
      if (root.getBoundingClientRect().top < 0) root.scrollIntoView();
      tell("view", { top: 0 });
      return;
    }
    if (trigger.kbRove || document.activeElement === body) (trigger.kbRove && find(root, 'a.kb-day[tabindex="0"]') || titles[0])?.focus();
    say(root, words(root));
    if (!trigger.matches(".kb-day")) return;
    titles.at(-1).scrollIntoView({ block: "nearest" });
    tell("view", { top: titles.at(-1).getBoundingClientRect().top });
  };

  const trouble = (root, detail, trigger) => {
    if (trigger.matches("[data-kb-step]," + quiet)) return;
    const again = () => htmx.trigger(trigger, trigger.matches("form") ? "submit" : "click");
    all(root, "[data-kb-offline]").forEach((word) => (word.hidden = navigator.onLine));
    find(root, "[data-kb-again]").onclick = again;
    find(root, "[data-kb-trouble]").hidden = false;
    if (trigger.matches(poll)) setTimeout(again, 5000);
  };

  const rest = (root) => {
    root.kbPosting = false;
    clearTimeout(root.kbTimer);
    find(root, ".kb-stage").ariaBusy = null;
    all(root, "[type=submit]").forEach((button) => (button.ariaDisabled = null));
  };

  const zoned = (root, path) => find(root, "[data-kb-detect-zone]") && !path.includes("tz=");

  let ahead = {}, pointing;
  const look = (link) => {
    const root = link.closest(".kb"), path = link.dataset.hxGet;
    if (!root || (path === ahead.path && Date.now() < ahead.until)) return;
    const url = new URL(path, location);
    if (zoned(root, path)) url.searchParams.set("tz", timeZone);
    const target = find(root, ".kb-stage").id;
    const ask = (why, more) =>
      fetch(url, { headers: { "HX-Request": "true", "HX-Target": target, "HX-Current-URL": location, [why]: "1" }, priority: "low", ...more });
    const answer = ask("KB-Ahead", { signal: AbortSignal.timeout(3000) })
      .then(async (got) => ({ status: got.status, response: await got.text(), responseURL: got.url }))
      .catch(() => {});
    const take = () => ask("KB-Taken", { redirect: "manual" }).catch(() => {});
    ahead = { path, answer, take, until: Date.now() + 1e4 };
  };
  const point = ({ type, target }) => {
    clearTimeout(pointing);
    const link = target.closest?.(".kb-card a[data-hx-get]:not([aria-current])");
    if (!link || navigator.connection?.saveData) return;
    if (type === "pointerdown") look(link);
    else pointing = setTimeout(look, 80, link);
  };
  const expected = (xhr, { path }) => {
    const { answer, take, until } = ahead;
    if (path === ahead.path && Date.now() < until) {
      let gone;
      xhr.abort = () => {
        gone = 1;
        xhr.onabort();
      };
      xhr.send = async () => {
        const got = await answer;
        if (gone) return;
        delete xhr.abort;
        delete xhr.send;
        if (got?.status !== 200) return xhr.send();
        take();
        for (const name in got) Object.defineProperty(xhr, name, { value: got[name] });
        xhr.onload();
      };
    }
    ahead = {};
  };

  const on = (name, act) =>
    document.addEventListener("htmx:" + name, (event) => {
      const { detail } = event;
      const root = detail.target.closest(".kb");
      if (root) act(root, detail, detail.requestConfig?.elt, event);
    }, true);

  on("confirm", (root, { elt }, trigger, event) => {
    if (root.kbPosting || (document.hidden && elt.matches(quiet))) event.preventDefault();
  });

  on("configRequest", (root, { verb, path, parameters }) => {
    if (verb === "get" && zoned(root, path)) parameters.tz ??= timeZone;
  });

  on("beforeSend", (root, { xhr, requestConfig }, trigger) => {
    if (trigger.matches(quiet)) return;
    rest(root);
    expected(xhr, requestConfig);
    find(root, "[data-kb-trouble]").hidden = true;
    if (trigger.matches(poll)) return;
    root.kbPosting = requestConfig.verb !== "get";
    all(trigger, "[type=submit]").forEach((button) => (button.ariaDisabled = "true"));
    root.kbTimer = setTimeout(() => {
      find(root, ".kb-stage").ariaBusy = "true";
      say(root, root.dataset.kbWait);
    }, 300);
  });

  on("beforeOnLoad", (root, detail, trigger, event) => event.stopPropagation());
  on("afterRequest", rest);
  on("sendError", trouble);
  on("timeout", trouble);

  on("beforeSwap", (root, detail, trigger) => {
    const step = /data-kb-step="(\w+)"/.exec(detail.serverResponse)?.[1];
    const same = step === root.kbStep;
    const waiting = same && trigger.matches(poll);
    detail.isError = false;
    if (trigger.matches(quiet)) {
      detail.shouldSwap = same;
      root.kbHref = document.activeElement.href;
      root.kbWords = words(root);
      return Object.assign(detail, { target: trigger.parentNode, selectOverride: ".kb-slot > *", swapOverride: "innerHTML" });
    }
    detail.shouldSwap = !!step;
    root.kbSwapped = step && !waiting;
    root.dataset.kbMove = same ? "day" : "step";
    if (waiting) Object.assign(detail, { target: trigger, selectOverride: poll, swapOverride: "outerHTML" });
    if (!step) trouble(root, detail, trigger);
  });

  on("beforeHistoryUpdate", (root, { history }) => {
    if (history.path === location.pathname + location.search) history.type = "replace";
  });

  on("afterSettle", (root, detail, trigger) => {
    if (trigger.matches(quiet)) {
      settle(root);
      if (words(root) !== root.kbWords) say(root, words(root));
      const lost = root.kbHref && document.activeElement === body;
      const spot = lost && (all(root, ".kb-slot a").find((link) => link.href === root.kbHref) || all(root, "[data-kb-say]").at(-1));
      return spot && spot.focus({ preventScroll: true });
    }
    if (!root.kbSwapped) return;
    root.kbSwapped = false;
    settle(root);
    const { kbEvent, kbService: service, kbStart: start, kbStatus: status } = find(root, "[data-kb-step]").dataset;
    if (kbEvent) tell(kbEvent, { service, start, status });
    if (!trigger.matches("[data-kb-step]")) arrive(root, trigger);
  });

  document.addEventListener("click", (event) => {
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey;
    if (elsewhere && event.target.closest(".kb a")) event.stopPropagation();
  }, true);

  document.addEventListener("pointerover", point);
  document.addEventListener("pointerdown", point);

  document.addEventListener("change", ({ target }) => target.matches("[data-kb-auto]") && target.form.requestSubmit());

  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (key === "Escape" && !event.defaultPrevented) tell("close");
    if (!target.matches("a.kb-day") || event.altKey || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const days = all(target.closest("table"), "a.kb-day");
    const way = target.closest("[dir]").dir === "rtl" ? -1 : 1;
    const place = ({ parentNode: cell }) => /^Arrow[UD]/.test(key) ? cell.cellIndex : /^[HE]/.test(key) ? cell.parentNode.rowIndex : 0;
    const line = days.filter((day) => place(day) === place(target));
    const at = line.indexOf(target);
    const turn = { PageUp: "prev", PageDown: "next" }[key];
    const to = turn
      ? find(target.closest(".kb"), `a.kb-turn[rel=${turn}]`)
      : line[{ ArrowRight: at + way, ArrowLeft: at - way, ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: line.length - 1 }[key]];
    if (!to) return;
    event.preventDefault();
    if (!to.matches(".kb-day")) return (to.kbRove = true) && to.click();
    rove(days, to);
    to.focus();
  });

  meet(location.ancestorOrigins?.[0] || document.referrer.split("/", 3).join("/"));
  all(document, ".kb").forEach(settle);
  new ResizeObserver(measure).observe(body);
})();
