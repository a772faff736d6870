"use strict";
// The controls of a report. The page is complete without them; all text is set as text, never as HTML.
(() => {
  const { words, lines } = JSON.parse(document.getElementById("page-data").textContent);
  const all = (what, at = document) => [...at.querySelectorAll(what)];
  const make = (tag, text, attributes = {}) => {
    const made = document.createElement(tag);
    made.textContent = text;
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    return made;
  };
  const button = (text, act, kind = "tool") => {
    const made = make("button", text, { type: "button", class: kind });
    made.addEventListener("click", () => act(made));
    return made;
  };

  // Contents: mark the section that is being read.
  const links = all("nav > ol a");
  const sections = all("main > section");
  const mark = () => {
    const page = document.documentElement;
    const ended = innerHeight + scrollY >= page.scrollHeight - 2 && scrollY > 0;
    const begun = sections.filter((section) => section.getBoundingClientRect().top < innerHeight / 3);
    const current = ended ? sections.at(-1) : begun.at(-1) ?? sections[0];
    for (const link of links) {
      if (link.hash === `#${current.id}`) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  addEventListener("scroll", mark, { passive: true });
  mark();

  // Tables: the heads sort, within the parts that rows over the whole width make.
  const columns = (table) => {
    const grid = [];
    [...table.tHead.rows].forEach((row, r) => {
      let c = 0;
      for (const cell of row.cells) {
        while (grid[r]?.[c]) c += 1;
        for (let k = 0; k < cell.rowSpan * cell.colSpan; k += 1) {
          (grid[r + Math.floor(k / cell.colSpan)] ??= [])[c + (k % cell.colSpan)] = cell;
        }
        c += cell.colSpan;
      }
    });
    return grid.at(-1);
  };
  const minus = (text) => text.replace(/\u2212/g, "-");
  const number = (text) => {
    const found = minus(text).replace(/(\d),(?=\d{3})/g, "$1").match(/^[<>[(]*\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)/i);
    // "< .001" stands before ".001", "> .999" behind ".999".
    return found ? Number(found[1]) + ({ "<": -1e-9, ">": 1e-9 }[text[0]] ?? 0) : NaN;
  };
  const compare = (column, numeric, sign) => (one, other) => {
    const [a, b] = [one, other].map((row) => row.cells[column]?.textContent.trim() ?? "");
    if (!numeric) return !a - !b || sign * a.localeCompare(b, document.documentElement.lang, { numeric: true });
    const [x, y] = [number(a), number(b)];
    return isNaN(x) - isNaN(y) || sign * (x - y) || 0;
  };
  const sortable = (table) => {
    const rows = [...table.tBodies[0].rows];
    const apart = (row) => row.cells.length === 1 && row.cells[0].colSpan > 1;
    if (rows.length < 3 || table.tBodies.length > 1 || all("tbody [rowspan]", table).length) return;
    const parts = [];
    let label = "";
    const carried = new Map();
    for (const row of rows) {
      if (apart(row) || !parts.length) parts.push({ head: apart(row) ? row : null, rows: [] });
      if (apart(row)) continue;
      parts.at(-1).rows.push(row);
      // A blank first cell goes on with the label above, which must be said once the rows move.
      if (row.cells[0].textContent.trim()) label = row.cells[0].textContent;
      else if (label) carried.set(row.cells[0], label);
    }
    const heads = columns(table);
    // What only the first row of every part says holds for the part: it stays in the first row, whichever that is.
    const said = (row, column) => row.cells[column]?.textContent.trim() ?? "";
    const ofPart = heads.map((_, column) => column > 0 && parts.length > 1 && parts.some((part) => part.rows.length > 1)
      && parts.every((part) => part.rows.slice(1).every((row) => !said(row, column))));
    for (const part of parts) part.says = heads.map((_, column) => part.rows.length ? said(part.rows[0], column) : "");
    heads.forEach((head, column) => {
      if (ofPart[column] || head.colSpan > 1 || !head.textContent.trim()) return;
      const numeric = head.classList.contains("sl-number");
      const sort = button("", () => {
        const next = { ascending: "descending", descending: "" }[head.getAttribute("aria-sort")] ?? "ascending";
        for (const each of heads) each.removeAttribute("aria-sort");
        if (next) head.setAttribute("aria-sort", next);
        const order = compare(column, numeric, next === "descending" ? -1 : 1);
        for (const [cell, text] of carried) cell.textContent = next ? text : "";
        for (const part of parts) {
          if (part.head) table.tBodies[0].append(part.head);
          const rows = next ? [...part.rows].sort(order) : part.rows;
          rows.forEach((row, k) => ofPart.forEach((is, at) => {
            if (is && row.cells[at]) row.cells[at].textContent = k ? "" : part.says[at];
          }));
          table.tBodies[0].append(...rows);
        }
      }, "sort");
      sort.append(...head.childNodes);
      head.append(sort);
    });
  };

  // A cell for a spreadsheet: numbers with a plain minus, and nothing that it would take for a formula.
  const plain = (cell) => {
    const text = cell.innerText.replace(/\s+/g, " ").trim();
    const found = minus(text);
    if (/^[-+]?(\d+\.?\d*|\.\d+)$/.test(found)) return found;
    return /^[=+@-]./.test(text) ? `'${text}` : text;
  };
  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = make("textarea", text);
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  const tools = (...controls) => {
    const made = make("div", "", { class: "tools" });
    made.append(...controls);
    return made;
  };
  for (const table of all(".scroll.table > table")) {
    sortable(table);
    const act = async (made) => {
      const rows = [...table.rows].map((row) => [...row.cells].map(plain).join("\t"));
      const note = all(".sl-note", table.closest(".tabular")).map(plain);
      await copy([table.caption?.innerText ?? "", ...rows, ...note].join("\n"));
      made.textContent = words.copied;
      setTimeout(() => { made.textContent = words.copy; }, 2000);
    };
    const made = button(words.copy, act);
    made.setAttribute("aria-live", "polite");
    table.closest(".tabular").append(tools(made));
  }

  // Path diagrams: a construct can be isolated, a path says its numbers, items and weak paths can be hidden.
  const diagram = (figure, svg, bar) => {
    const nodes = all(".node[data-name]", svg);
    const edges = all(".edge[data-from]", svg);
    if (!edges.length) return;
    const ends = (edge) => [edge.dataset.from, edge.dataset.to];
    const key = (edge) => JSON.stringify([edge.dataset.kind, ...ends(edge), edge.dataset.moderates ?? ""]);
    const known = new Map();
    for (const line of lines[figure.dataset.diagram] ?? []) {
      const places = [[line.kind, line.from, line.to, ""]];
      if (line.kind === "covariance") places.push([line.kind, line.to, line.from, ""]);
      // The path of a product is drawn from either factor to the path of the other.
      const [one, other] = line.factors ?? [];
      if (one) places.push(["moderation", one, line.to, other], ["moderation", other, line.to, one]);
      for (const place of places) known.set(JSON.stringify(place), line);
    }
    const items = new Set(edges.filter((edge) => edge.dataset.kind === "loading").map((edge) => edge.dataset.to));
    for (const edge of edges) {
      if (edge.dataset.kind === "loading") items.delete(edge.dataset.from);
      else if (["path", "moderation"].includes(edge.dataset.kind)) ends(edge).forEach((name) => items.delete(name));
    }
    for (const node of nodes) node.classList.toggle("item", items.has(node.dataset.name));
    for (const edge of edges) {
      edge.classList.toggle("item", ends(edge).some((name) => items.has(name)));
      edge.classList.toggle("weak", edge.dataset.kind !== "loading" && known.get(key(edge))?.weak === true);
      const line = edge.querySelector("path");
      if (!line) continue;
      // A line is too thin to be hit.
      const hit = line.cloneNode();
      for (const name of ["id", "stroke-dasharray", "marker-start", "marker-end"]) hit.removeAttribute(name);
      for (const [name, value] of [["class", "hit"], ["stroke-width", "10"], ["fill", "none"]]) hit.setAttribute(name, value);
      line.before(hit);
    }

    const said = make("p", words.hint, { class: "path-line", "aria-live": "polite" });
    const chosen = (edge) => edges.filter((each) => edge && key(each) === key(edge));
    const show = (edge) => {
      for (const each of edges) each.classList.remove("chosen");
      for (const each of chosen(edge)) each.classList.add("chosen");
      const line = edge && known.get(key(edge));
      said.textContent = edge ? line?.text ?? words.none : words.hint;
      if (line) said.prepend(make("b", line.title), " ");
    };
    let pointed = null;
    let held = null;
    const light = () => {
      const about = pointed ?? held;
      svg.classList.toggle("isolating", about !== null);
      const near = (edge) => (about?.dataset.name ? ends(edge).includes(about.dataset.name) : about && key(edge) === key(about));
      const lit = edges.filter(near);
      const names = new Set([about?.dataset.name, ...lit.flatMap(ends)]);
      for (const edge of edges) edge.classList.toggle("lit", lit.includes(edge));
      for (const node of nodes) node.classList.toggle("lit", names.has(node.dataset.name));
    };

    const firsts = edges.filter((edge) => chosen(edge)[0] === edge);
    const stops = [...nodes, ...firsts].sort((one, other) => one.classList.contains("item") - other.classList.contains("item"));
    const go = (from, step) => {
      const open = stops.filter((stop) => stop.getClientRects().length);
      const to = step === 0 ? open[0] : open[(open.indexOf(from) + step + open.length) % open.length];
      for (const stop of stops) stop.setAttribute("tabindex", stop === to ? 0 : -1);
      to.focus();
    };
    const keys = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: 0 };
    for (const [k, stop] of stops.entries()) {
      stop.setAttribute("tabindex", k ? -1 : 0);
      stop.setAttribute("role", stop.dataset.name ? "img" : "button");
      const name = stop.dataset.name ? (stop.querySelector("title") ?? stop).textContent.trim() : known.get(key(stop))?.title ?? ends(stop).join(" \u2192 ");
      stop.setAttribute("aria-label", name.replace(/\s+/g, " "));
      stop.addEventListener("focus", () => { held = stop; light(); });
      stop.addEventListener("blur", () => { held = null; light(); });
      stop.addEventListener("keydown", (event) => {
        if (event.key in keys) go(stop, keys[event.key]);
        else if (["Enter", " "].includes(event.key) && stop.dataset.from) show(stop);
        else if (event.key === "Escape") { show(null); stop.blur(); }
        else return;
        event.preventDefault();
      });
    }
    for (const node of nodes) {
      node.addEventListener("pointerenter", () => { pointed = node; light(); });
      node.addEventListener("pointerleave", () => { pointed = null; light(); });
      node.addEventListener("click", () => node.focus({ preventScroll: true }));
    }
    for (const edge of edges) edge.addEventListener("click", () => { show(edge); chosen(edge)[0].focus({ preventScroll: true }); });

    const toggle = (text, kind) => {
      if (!all(`.${kind}`, svg).length) return;
      const box = make("input", "", { type: "checkbox", checked: "" });
      box.addEventListener("change", () => svg.classList.toggle(`no-${kind}`, !box.checked));
      const label = make("label", "");
      label.append(box, ` ${text}`);
      bar.append(label);
    };
    toggle(words.items, "item");
    toggle(words.weak, "weak");
    svg.setAttribute("role", "group");
    svg.setAttribute("aria-label", words.diagram);
    figure.querySelector(".drawing").after(said);
  };
  for (const figure of all("figure[id]")) {
    const svg = figure.querySelector("svg");
    const source = new XMLSerializer().serializeToString(svg);
    const save = () => {
      const address = URL.createObjectURL(new Blob([source], { type: "image/svg+xml" }));
      make("a", "", { href: address, download: `${figure.id}.svg` }).click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
    };
    const bar = tools(button(words.save, save));
    if (figure.dataset.diagram) diagram(figure, svg, bar);
    figure.append(bar);
  }
})();
