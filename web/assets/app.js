// The behaviour of the control room: keys, panels, clocks, and an honest stream. Pages work without it; they only stop moving.
(() => {
  "use strict";
  const $ = (sel, from) => (from || document).querySelector(sel);
  const all = (sel, from) => [...(from || document).querySelectorAll(sel)];
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));
  const go = (path) => { location.href = path; };

  // --- Panels -----------------------------------------------------------------------------------------------------------
  function openDialog(id) {
    const d = document.getElementById(id);
    if (d && !d.open) d.showModal();
    return d;
  }

  async function explain(link) {
    const d = $("#panel");
    if (!d) return go(link.href);
    const body = $("#panel-body");
    body.textContent = "Looking it up";
    openDialog("panel");
    await htmx.ajax("GET", link.getAttribute("href"), { target: body, swap: "innerHTML" });
    body.focus();
  }

  document.addEventListener("click", (e) => {
    const t = e.target;
    if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
    const link = t.closest("[data-explain]");
    if (link) { e.preventDefault(); explain(link); return; }
    const opener = t.closest("[data-open]");
    if (opener) { openDialog(opener.dataset.open); return; }
    if (t.closest("[data-close]")) { t.closest("dialog").close(); return; }
    const copy = t.closest("[data-copy]");
    if (copy) { copyText(copy); return; }
    if (t.closest("[data-print]")) { print(); return; }
    if (t.closest("[data-dismiss]")) { t.closest(".toast").remove(); return; }
    if (t.tagName === "DIALOG") t.close(); // the backdrop
  });

  // copyText copies a field's text or a link's address. Over plain HTTP there is the old way only.
  async function copyText(button) {
    const from = document.getElementById(button.dataset.copy), value = from.value ?? from.href;
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(value);
    } else {
      const field = Object.assign(document.createElement("textarea"), { value });
      button.after(field);
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    button.textContent = "Copied";
  }

  // --- Keys -------------------------------------------------------------------------------------------------------------
  let after = 0; // until when a letter after g is awaited

  function move(step) {
    const rows = all("[data-rows] .row-link").filter((a) => a.offsetParent);
    if (!rows.length) return;
    const at = rows.indexOf(document.activeElement);
    const next = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step));
    rows[next].focus();
    rows[next].scrollIntoView({ block: "nearest" });
  }

  document.addEventListener("keydown", (e) => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    if (typing(e.target)) {
      if (e.key === "Escape") e.target.blur();
      return;
    }
    if ($("dialog[open]")) return; // it has its own keys
    if (Date.now() < after) {
      after = 0;
      const link = $(`.rail [data-key="${CSS.escape(e.key)}"]`);
      if (link) { e.preventDefault(); link.click(); }
      return;
    }
    switch (e.key) {
      case "g": after = Date.now() + 1500; break;
      case "/": e.preventDefault(); $("#q")?.focus(); break;
      case "?": openDialog("help"); break;
      case "j": move(1); break;
      case "k": move(-1); break;
    }
  });

  // --- Clocks -----------------------------------------------------------------------------------------------------------
  const formats = new Map();
  const offset = Number($(".clocks")?.dataset.now || Date.now()) - Date.now(); // the server's clock counts, not this machine's
  function tick() {
    const now = new Date(Date.now() + offset);
    for (const el of all("[data-clock]")) {
      const zone = el.dataset.clock;
      if (!formats.has(zone)) {
        let f = null;
        try { f = new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit" }); } catch { /* a zone this browser does not know stands still */ }
        formats.set(zone, f);
      }
      const f = formats.get(zone);
      if (f && el.textContent !== f.format(now)) el.textContent = f.format(now);
    }
    wire();
  }

  // --- Stream: alive, or says that it is not -----------------------------------------------------------------------------
  const stale = 12_000; // ms without a beat; the server beats every five seconds
  let heard = 0, failing = false, woken = 0;

  function wire() {
    const el = $("#wire"), stream = $("#stream");
    if (!el || !stream) return;
    const age = Date.now() - heard;
    let state = "wait", text = "Connecting";
    if (heard && failing) {
      state = "failing"; text = "The page cannot be read anew";
    } else if (heard && age < stale) {
      state = "live"; text = "Live";
    } else if (heard) {
      state = "stale"; text = `No contact, shown as of ${Math.round(age / 1000)} s ago`;
    } else if (performance.now() > stale) {
      state = "stale"; text = "Not live, reload to see changes";
    }
    if (el.dataset.state !== state) el.dataset.state = state;
    const span = $("span", el);
    if (span.textContent !== text) span.textContent = text;
    // A stream that was refused at its first try is not tried again by the extension.
    if (state === "stale" && !stream._htmx?.sse && Date.now() - woken > 10_000) {
      woken = Date.now();
      htmx.trigger(stream, "wake");
    }
  }

  document.addEventListener("beat", (e) => {
    heard = Date.now();
    failing = e.detail.data === "failing";
    wire();
  });
  document.addEventListener("htmx:sse:error", (e) => {
    if (e.detail.status === 401) go("/login");
  });

  // Rows must not move away under the pointer: parts marked data-held wait until it has left.
  const waiting = new Map();
  document.addEventListener("htmx:sse:before:message", (e) => {
    const m = e.detail.message;
    if (m.event) return;
    m.data = m.data.replace(/<hx-partial id="([^"]+)"[\s\S]*?<\/hx-partial>/g, (whole, id) => {
      const el = document.getElementById(id);
      if (el && el.hasAttribute("data-held") && el.matches(":hover")) {
        waiting.set(id, whole);
        el.setAttribute("data-js-waiting", "");
        return "";
      }
      waiting.delete(id);
      return whole;
    });
    if (!m.data.trim()) m.event = "held";
  });
  document.addEventListener("pointerover", () => {
    for (const [id, text] of waiting) {
      const el = document.getElementById(id);
      if (el && el.matches(":hover")) continue;
      waiting.delete(id);
      el?.removeAttribute("data-js-waiting");
      const stream = $("#stream");
      htmx.swap({ text, sourceElement: stream, target: stream, swap: "none" });
    }
  });

  // A value that changed in place glows once and fades. One that changes all the time is calm in between: no glow within rest.
  const rest = 5000; // ms
  const glowed = new WeakMap();
  new MutationObserver((changes) => {
    const now = Date.now();
    for (const c of changes) {
      const el = c.target;
      if (c.oldValue === null || c.oldValue === el.dataset.v) continue;
      if (now - (glowed.get(el) || 0) > rest) el.setAttribute("data-js-glow", "");
      glowed.set(el, now);
    }
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["data-v"], attributeOldValue: true });
  document.addEventListener("animationend", (e) => {
    if (e.animationName === "glow") e.target.removeAttribute("data-js-glow");
  });

  // An effect that was asked for is read first: focus its heading.
  document.addEventListener("htmx:after:swap", () => $(".preview h2[autofocus]")?.focus());

  // --- Files: dropped anywhere on their field, and sent with a bar that says how far they are --------------------------------
  const upload = $("form[data-upload]");
  if (upload) {
    const zone = $(".drop", upload), input = $("input[type=file]", upload), bar = $("progress", upload), said = $("#upload-said");
    const button = $("button.main", upload);
    const say = (text) => { said.textContent = text; };
    for (const name of ["dragover", "dragleave", "drop"]) {
      zone.addEventListener(name, (e) => {
        e.preventDefault();
        zone.toggleAttribute("data-js-over", name === "dragover");
        if (name === "drop" && e.dataTransfer.files.length) input.files = e.dataTransfer.files;
      });
    }
    const end = () => { bar.hidden = true; button.disabled = false; said.focus(); };
    upload.addEventListener("submit", (e) => {
      e.preventDefault();
      if ([...input.files].reduce((n, f) => n + f.size, 0) > Number(upload.dataset.upload)) {
        say("The files together are too large. Export a shorter period.");
        return;
      }
      const x = new XMLHttpRequest();
      x.open("POST", upload.action);
      x.setRequestHeader("HX-Request", "true");
      x.upload.onprogress = (p) => { bar.value = p.loaded / p.total; };
      x.upload.onload = () => { bar.removeAttribute("value"); say("Sent. The files are being read."); };
      x.onload = () => {
        const to = x.getResponseHeader("HX-Redirect");
        if (to) return go(to);
        said.innerHTML = x.responseText;
        end();
      };
      x.onerror = () => { say("The files did not arrive. Nothing was changed; try again."); end(); };
      bar.value = 0;
      bar.hidden = false;
      button.disabled = true;
      say("Sending");
      x.send(new FormData(upload));
    });
  }

  // On narrow screens the rail is wider than the window: bring the current entry into it.
  const current = $(".rail [aria-current]");
  if (current) current.parentNode.scrollLeft = current.offsetLeft - current.parentNode.clientWidth / 2 + current.offsetWidth / 2;

  tick();
  setInterval(tick, 1000);
})();
