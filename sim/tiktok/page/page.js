// Keeps the parts marked data-live fresh. The page works without it.
(() => {
  const every = 1500;
  const dot = () => document.querySelector(".dot");
  const keepOpen = (oldPart, newPart) => {
    // An opened detail stays open: rows are told apart by their text without the times.
    const open = new Set([...oldPart.querySelectorAll("details[open] pre")].map((e) => e.textContent));
    for (const e of newPart.querySelectorAll("details")) {
      const pre = e.querySelector("pre");
      if (pre && open.has(pre.textContent)) e.open = true;
    }
  };
  async function refresh() {
    if (!document.hidden) {
      try {
        const url = new URL(location.href);
        url.searchParams.delete("error");
        url.searchParams.delete("note");
        const answer = await fetch(url, { cache: "no-store" });
        if (!answer.ok) throw new Error(answer.status);
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        for (const part of document.querySelectorAll("[data-live]")) {
          const next = fresh.getElementById(part.id);
          const busy = part.contains(document.activeElement) && document.activeElement.matches("input, button, select");
          if (!next || busy || part.innerHTML === next.innerHTML) continue;
          const scrolled = part.querySelector(".scroll");
          const top = scrolled && scrolled.scrollTop;
          const focused = document.activeElement === scrolled;
          keepOpen(part, next);
          part.replaceChildren(...next.childNodes);
          const again = part.querySelector(".scroll");
          if (again) {
            again.scrollTop = top;
            if (focused) again.focus({ preventScroll: true });
          }
        }
      } catch {
        dot()?.classList.add("off");
      }
    }
    setTimeout(refresh, every);
  }
  if (location.search.includes("error=") || location.search.includes("note=")) {
    const url = new URL(location.href);
    url.searchParams.delete("error");
    url.searchParams.delete("note");
    history.replaceState(null, "", url);
  }
  setTimeout(refresh, every);
})();
