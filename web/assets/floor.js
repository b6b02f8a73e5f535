// Stations of the floor. Every scan gets an id here and stays here until the server has answered it, so a lost connection or answer costs nothing.
(() => {
  "use strict";
  const $ = (sel, from) => (from || document).querySelector(sel);
  const own = document.currentScript.dataset; // where our reader of barcodes lies
  const form = $("form[data-scan]");
  if (form) {
    const input = $("#scan"), said = $("#said"), net = $("#net"), station = form.closest("[data-station]"), sound = $("[data-sound]");
    const key = "scans:" + new URLSearchParams(new FormData(form)).toString().replace(/&?text=[^&]*/, "");
    const late = (n) => n === 1 ? "1 scan waits" : n + " scans wait";
    let queue = [], down = false, sending = false, tries = 0;
    try { queue = JSON.parse(localStorage.getItem(key)) || []; } catch { /* what cannot be read was not ours */ }
    const keep = () => localStorage.setItem(key, JSON.stringify(queue));
    const status = () => {
      net.hidden = !down;
      net.textContent = down ? `Offline. ${late(queue.length)} here and will be sent in order when the connection is back.` : "";
      station.dataset.jsNet = down ? "down" : queue.length ? "busy" : "idle";
    };
    const beep = (ok) => {
      if (!sound?.checked) return;
      const a = new AudioContext(), o = a.createOscillator();
      o.frequency.value = ok ? 880 : 160;
      o.connect(a.destination);
      o.start();
      o.stop(a.currentTime + (ok ? 0.08 : 0.4));
    };
    const say = (ok, text) => {
      station.dataset.jsSaid = ok ? "ok" : "no";
      said.textContent = text;
      beep(ok);
    };
    async function ask(scan) {
      const { after, ...fields } = scan;
      const r = await fetch(form.action, { method: "POST", body: new URLSearchParams(fields), headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(10_000) });
      if (r.status === 401) { location.href = "/login"; throw new Error("signed out"); }
      if (r.status >= 500 || r.status === 429) throw new Error("not now");
      return r.ok ? r.json() : { ok: false, say: new DOMParser().parseFromString(await r.text(), "text/html").body.innerText.trim() };
    }
    async function flush() {
      if (sending) return;
      sending = true;
      while (queue.length) {
        let a;
        try { a = await ask(queue[0]); } catch { down = true; station.dataset.jsTries = ++tries; status(); setTimeout(flush, 2000); break; }
        down = false;
        queue.shift();
        // Whatever was scanned before this answer could be seen was meant for another state.
        const blind = a.ok ? 0 : queue.filter((s) => s.after).length;
        if (blind) queue = [];
        keep();
        if (a.html !== undefined) document.getElementById(form.dataset.scan).innerHTML = a.html;
        say(a.ok, a.say + (blind ? ` ${blind} later scans were not used: scan them again.` : ""));
        status();
      }
      sending = false;
    }
    const send = (text, qty) => {
      const f = Object.fromEntries(new FormData(form));
      queue.push({ ...f, text, id: crypto.randomUUID?.() || Date.now() + "-" + Math.random().toString(36).slice(2), after: queue.length > 0 });
      keep();
      status();
      flush();
    };
    form.addEventListener("submit", (e) => {
      e.preventDefault();
      const text = input.value.trim();
      input.value = "";
      send(text);
    });
    document.addEventListener("click", (e) => {
      const b = e.target.closest("[data-say]");
      if (b) { send(b.dataset.say); input.focus(); }
    });
    // A scanner types wherever the focus is: bring it back.
    document.addEventListener("keydown", (e) => {
      if (!/^(INPUT|TEXTAREA|SELECT|BUTTON|A)$/.test(e.target.tagName) && e.key.length === 1 && !e.ctrlKey && !e.metaKey && !e.altKey) { input.focus(); e.stopPropagation(); }
    }, true);
    addEventListener("online", flush);
    addEventListener("offline", () => { down = true; status(); });
    // Phones: what reads barcodes is fetched when the camera is first opened.
    const camera = $("[data-camera]"), lens = $("#eye");
    if (navigator.mediaDevices) {
      camera.hidden = false;
      camera.onclick = async () => {
        try {
          if (!window.camera) await new Promise((onload, onerror) => document.head.append(Object.assign(document.createElement("script"), { src: own.lens, onload, onerror })));
          await window.camera(lens, own, send);
        } catch (e) { say(false, e.say || "The camera’s reader could not be loaded. Try again, or type the code."); }
      };
    }
    status();
    flush();
  }

  // One thing done to many parcels: in pieces, with a bar, and an answer at every row.
  const bulk = $("form[data-bulk]");
  if (bulk) {
    const bar = $("progress", bulk), told = $("#bulk-said"), piece = 50;
    $("[data-all]", bulk).addEventListener("change", (e) => { for (const t of bulk.querySelectorAll("[name=parcel]")) t.checked = e.target.checked; });
    bulk.addEventListener("submit", async (e) => {
      e.preventDefault();
      const act = e.submitter.value, ids = [...bulk.querySelectorAll("[name=parcel]:checked")].map((t) => t.value);
      let good = 0;
      bar.max = ids.length;
      bar.value = 0;
      bar.hidden = !ids.length;
      told.textContent = ids.length ? "" : "Tick the parcels first.";
      for (let i = 0; i < ids.length; i += piece) {
        const body = new URLSearchParams({ act, node: bulk.node.value });
        for (const p of ids.slice(i, i + piece)) body.append("parcel", p);
        let rows;
        try {
          const r = await fetch(bulk.action, { method: "POST", body, headers: { "HX-Request": "true" } });
          if (!r.ok) throw new Error();
          rows = (await r.json()).rows;
        } catch { told.textContent = `${good} done; the connection was lost. What was not answered can be done again.`; return; }
        for (const row of rows) {
          good += row.ok;
          const li = bulk.querySelector(`[data-parcel="${CSS.escape(row.parcel)}"]`);
          if (!li) continue;
          const out = $("output", li) || li.appendChild(document.createElement("output"));
          out.className = row.ok ? "good" : "bad";
          out.textContent = row.say;
        }
        bar.value = i + rows.length;
        told.textContent = `${good} of ${ids.length} done.`;
      }
    });
  }
})();
