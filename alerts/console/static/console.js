// What pages do in the browser beside htmx: live updates, copying, shortcuts. No page needs it to
// be read or to act: forms work without.
"use strict";

(() => {
  const one = (selector, from = document) => from.querySelector(selector);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const tell = (text) => {
    one("#told").textContent = text;
  };

  // live ------------------------------------------------------------------------------------
  // An element with an id and data-fresh is fetched anew when something changes (with
  // data-alert: of that alert), and every so many seconds.  What somebody is typing into stays.
  const busy = (element) =>
    all("textarea, input:not([type=hidden]), select", element).some(
      (field) => field === document.activeElement || (field.value && field.value !== field.defaultValue && field.tagName !== "SELECT"),
    );
  const titles = () => new Map(all("[data-alert]").map((row) => [row.dataset.alert, row]));
  let fetching = false;
  let again = false;

  // after a form that failed the address may be the form's
  const here = () => one("[data-from]")?.dataset.from || location.href;

  async function refresh(parts) {
    if (fetching) {
      again = true;
      return;
    }
    fetching = true;
    try {
      const answer = await fetch(here(), { headers: { Accept: "text/html" }, redirect: "manual" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const before = titles();
      for (const part of parts) {
        const fresh = page.getElementById(part.id);
        if (!part.isConnected || !fresh) continue;
        if (busy(part)) {
          if (part.dataset.version !== fresh.dataset.version) tell(part.dataset.changed || "");
          continue;
        }
        const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
        const unfolded = all("details[open][id]", part).map((element) => element.id);
        part.replaceWith(document.adoptNode(fresh));
        htmx.process(fresh);
        for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
        if (focused) document.getElementById(focused)?.focus();
        prepare(fresh);
      }
      const news = all("[data-alert]").filter((row) => !before.has(row.dataset.alert));
      if (news.length) tell(news.map((row) => row.innerText).join(". "));
    } catch {
      // the next change, or the next minute
    } finally {
      fetching = false;
      if (again) {
        again = false;
        setTimeout(() => refresh(all("[data-fresh]")), 1000);
      }
    }
  }

  const soon = (() => {
    let timer = 0;
    return (alert) => {
      const parts = all("[data-fresh]").filter((part) => !part.dataset.of || part.dataset.of === alert);
      if (!parts.length || timer) return;
      // many changes come at once, and many browsers hear of them
      timer = setTimeout(() => {
        timer = 0;
        refresh(all("[data-fresh]"));
      }, 150 + 450 * Math.random());
    };
  })();

  // only a page that is looked at listens: browsers open six connections to a place, in all tabs
  function listen(url) {
    if (document.hidden) {
      document.addEventListener("visibilitychange", () => {
        listen(url);
        refresh(all("[data-fresh]"));
      }, { once: true });
      return;
    }
    const link = one("#link");
    const shown = (live) => {
      if (!link) return;
      link.textContent = live ? link.dataset.on : link.dataset.off;
      link.classList.toggle("lost", !live);
    };
    let lost = false;
    const source = new EventSource(url);
    const left = () => {
      document.removeEventListener("visibilitychange", left);
      source.close();
      listen(url);
    };
    document.addEventListener("visibilitychange", left);
    source.addEventListener("open", () => {
      shown(true);
      if (lost) refresh(all("[data-fresh]"));
      lost = false;
    });
    source.addEventListener("changed", (event) => soon(JSON.parse(event.data).alert));
    source.addEventListener("error", () => {
      lost = true;
      shown(false);
      if (source.readyState === EventSource.CLOSED) {
        document.removeEventListener("visibilitychange", left);
        refused(url);
      }
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  }

  // the server is restarted, or the session is over: then the page leads to the login and back
  async function refused(url) {
    setTimeout(() => listen(url), 10000);
    try {
      const answer = await fetch(here(), { headers: { Accept: "text/html" }, redirect: "manual" });
      if (answer.type === "opaqueredirect" && !busy(document.body)) location.reload();
    } catch {
      // not there at all
    }
  }

  setInterval(() => {
    if (document.visibilityState === "visible" && one("[data-fresh='60']")) refresh(all("[data-fresh]"));
  }, 60000);

  // copying ---------------------------------------------------------------------------------
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
      tell(button.dataset.done);
      button.classList.add("done");
      const label = button.textContent;
      button.textContent = button.dataset.done;
      setTimeout(() => {
        button.textContent = label;
        button.classList.remove("done");
      }, 2000);
    } catch {
      // not allowed here: select it, so that the keys of the machine can copy it
      getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
      tell(button.dataset.failed);
    }
  });

  // keys ------------------------------------------------------------------------------------
  let prefix = "";
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const list = one("#keys");
    if (!list) return;
    if (localStorage.getItem("keys") === "off") return;
    // by the place of the key: an Arabic layout has other letters there
    const place = /^Key[A-Z]$/.test(event.code) ? event.code[3].toLowerCase() : event.key;
    const key = prefix + (place === "؟" ? "?" : place);
    prefix = "";
    if (key === "?") {
      if (list.open) list.close();
      else list.showModal();
    } else if (list.open) {
      return;
    } else if (key === "g") {
      prefix = "g";
      return;
    } else if (key === "gn") {
      location.assign("/");
    } else if (key === "j" || key === "k") {
      const links = all(".alerts a");
      const at = links.indexOf(document.activeElement);
      const next = links[at < 0 ? 0 : at + (key === "j" ? 1 : -1)];
      if (!next) return;
      next.focus();
    } else {
      const target = one(`[data-key="${CSS.escape(key)}"]`);
      if (!target) return;
      if (target.tagName === "DETAILS") {
        target.open = true;
        one("input:not([type=hidden]), select, textarea", target)?.focus();
      } else if (target.tagName === "TEXTAREA") {
        target.focus();
      } else {
        target.click();
      }
    }
    event.preventDefault();
  });

  // single keys may be in the way of speech input: whoever wants none has none
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open).showModal();
  });
  const keysOn = one("#keys-on");
  if (keysOn) {
    keysOn.checked = localStorage.getItem("keys") !== "off";
    keysOn.addEventListener("change", () => localStorage.setItem("keys", keysOn.checked ? "on" : "off"));
  }

  // after each swap -------------------------------------------------------------------------
  function prepare(from) {
    // where the clipboard cannot be reached there is nothing to press
    for (const field of all("textarea[data-limit]", from)) count(field);
  }
  // as `alerts.playbook.channels` counts: exactly for bytes and characters; X is left to the server
  function count(field) {
    const shown = document.getElementById(field.dataset.count);
    const length = field.dataset.unit === "bytes" ? new TextEncoder().encode(field.value).length : [...field.value].length;
    shown.textContent = `${length} / ${field.dataset.limit}`;
    shown.classList.toggle("over", length > Number(field.dataset.limit));
  }
  document.addEventListener("input", (event) => {
    if (event.target.matches("textarea[data-limit]")) count(event.target);
  });
  function arrived() {
    prepare(document);
    // what was done just now is no part of the address: it would be told again
    const address = new URL(location.href);
    if (address.searchParams.has("done")) {
      for (const name of ["done", "before", "silence", "step", "message"]) address.searchParams.delete(name);
      history.replaceState(history.state, "", address);
    }
    const said = one("[data-say]");
    if (said) said.focus();
  }
  document.addEventListener("htmx:afterSettle", arrived);
  // one press sends a form once
  document.addEventListener("htmx:beforeRequest", (event) => {
    for (const button of all("button", event.detail.elt)) button.disabled = true;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    for (const button of all("button", event.detail.elt)) button.disabled = false;
  });

  // what comes back out of the browser's own memory is old, and hears nothing
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });

  arrived();
  if (document.body.dataset.live) listen(document.body.dataset.live);
})();
