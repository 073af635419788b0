"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const main = document.querySelector("main");
  const [query, count, only] = ["query", "count", "only"].map(byId);
  const nodes = [...main.querySelectorAll(".node")];
  const levels = ["error", "warn", "info", "debug", "trace"];
  /** Matches that are unfolded all at once. */
  const MAX_UNFOLDED = 1000;

  const line = (node) => node.firstElementChild;
  const values = (node) => {
    const next = line(node).nextElementSibling;
    return next && next.className === "values" ? next : null;
  };

  /** What is searched of each node, in small letters. */
  let texts = null;
  const text = (index) => {
    texts ??= nodes.map((node) => {
      const below = values(node);
      return (line(node).textContent + (below ? "\n" + below.textContent : "")).toLowerCase();
    });
    return texts[index];
  };

  const unfoldAround = (node) => {
    for (let outer = node.parentElement; outer !== main; outer = outer.parentElement) {
      if (outer.localName === "details") outer.open = true;
    }
  };

  /* Levels */

  const isHidden = (node) => levels.some(
    (level) => main.classList.contains("no-" + level) && node.classList.contains(level));
  /** Spans that are unfolded since nothing but what is in them is to be seen. */
  const unfolded = new Set();
  const filter = (level, isShown) => {
    main.classList.toggle("no-" + level, !isShown);
    for (const span of main.querySelectorAll("details.node." + level)) {
      if (!isShown && !span.open) {
        unfolded.add(span);
        span.open = true;
      } else if (isShown && unfolded.delete(span)) {
        span.open = false;
      }
    }
    search();
  };

  /* Search */

  let matches = [];
  let current = -1;
  const highlights = globalThis.CSS && CSS.highlights && globalThis.Highlight ? CSS.highlights : null;

  const highlight = (found, wanted) => {
    const ranges = [];
    for (const part of [line(found), values(found)]) {
      if (!part || ranges.length > 5000) continue;
      const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
      const pieces = [];
      let whole = "";
      for (let piece = walker.nextNode(); piece; piece = walker.nextNode()) {
        pieces.push([whole.length, piece]);
        whole += piece.data;
      }
      const small = whole.toLowerCase();
      if (small.length !== whole.length) continue;
      let from = 0;
      const place = (offset) => {
        while (from + 1 < pieces.length && pieces[from + 1][0] <= offset) from += 1;
        return [pieces[from][1], offset - pieces[from][0]];
      };
      for (let at = small.indexOf(wanted); at >= 0 && ranges.length < 5000;
        at = small.indexOf(wanted, at + wanted.length)) {
        const range = new Range();
        range.setStart(...place(at));
        const [last, offset] = place(at + wanted.length - 1);
        range.setEnd(last, offset + 1);
        ranges.push(range);
      }
    }
    return ranges;
  };

  const say = () => {
    const total = matches.length.toLocaleString("en");
    if (query.value === "") count.value = "";
    else if (matches.length === 0) count.value = "no matches";
    else if (current < 0) count.value = total + (matches.length === 1 ? " match" : " matches");
    else count.value = (current + 1).toLocaleString("en") + " of " + total;
  };

  const search = () => {
    for (const node of main.querySelectorAll(".hit, .around, .current")) {
      node.classList.remove("hit", "around", "current");
    }
    const wanted = query.value.toLowerCase();
    current = -1;
    matches = wanted === "" ? [] : nodes.filter(
      (node, index) => text(index).includes(wanted) && !isHidden(node));
    for (const node of matches) {
      node.classList.add("hit");
      for (let outer = node.parentElement; outer !== main; outer = outer.parentElement) {
        if (outer.classList.contains("around")) break;
        if (outer.localName === "details") outer.classList.add("around");
      }
    }
    matches.slice(0, MAX_UNFOLDED).forEach(unfoldAround);
    if (highlights) {
      const ranges = matches.slice(0, MAX_UNFOLDED).flatMap((node) => highlight(node, wanted));
      highlights.set("found", new Highlight(...ranges));
    }
    main.classList.toggle("only", only.checked && wanted !== "");
    say();
  };

  const go = (step) => {
    if (matches.length === 0) return;
    if (current >= 0) matches[current].classList.remove("current");
    current = current < 0 && step < 0
      ? matches.length - 1 : (current + step + matches.length) % matches.length;
    const node = matches[current];
    node.classList.add("current");
    unfoldAround(node);
    // The value that it is found in may be folded.
    const wanted = query.value.toLowerCase();
    for (const value of node.querySelectorAll(":scope > .values > details.value")) {
      if (value.textContent.toLowerCase().includes(wanted)) value.open = true;
    }
    line(node).scrollIntoView({ block: "center" });
    history.replaceState(null, "", "#" + node.id);
    say();
  };

  query.addEventListener("input", search);
  only.addEventListener("change", search);
  byId("next").addEventListener("click", () => go(1));
  byId("previous").addEventListener("click", () => go(-1));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === query) {
      if (event.key === "Enter") go(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") { query.value = ""; search(); query.blur(); }
      else return;
    } else if (event.key === "/") {
      query.focus();
      query.select();
    } else return;
    event.preventDefault();
  });

  /* The rest */

  for (const box of document.querySelectorAll("fieldset input")) {
    box.addEventListener("change", () => filter(box.value, box.checked));
    // Browsers keep it when a page is loaded again.
    if (!box.checked) filter(box.value, false);
  }
  const fold = (isOpen) => {
    unfolded.clear();
    for (const span of main.querySelectorAll("details.node")) span.open = isOpen || isHidden(span);
  };
  byId("expand").addEventListener("click", () => fold(true));
  byId("collapse").addEventListener("click", () => fold(false));

  const show = () => {
    const node = location.hash && byId(decodeURIComponent(location.hash.slice(1)));
    if (!node || !main.contains(node)) return;
    unfoldAround(node);
    line(node).scrollIntoView({ block: "center" });
  };
  addEventListener("hashchange", show);
  byId("tools").hidden = false;
  if (query.value !== "") search();
  show();
})();
