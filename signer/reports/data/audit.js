"use strict";
// The table, filters and charts of an audit's page. Text from files is only ever set as textContent or an attribute.
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const PAGE_SIZE = 50, PRINTED = 1000, BARS = 8, SEARCH_DELAY = 120;
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const LABELS = Object.fromEntries(data.answers);
  const RANKS = Object.fromEntries(data.answers.map(([answer], place) => [answer, place]));
  const CHARTS = [["when"], ["year", true], ["month", true], ["publisher"], ["device"], ["machine"]];
  const KEYS = [...Object.keys(data.facets), "driver"];

  // ---- Rows and their facets

  const rows = data.rows.map((values, rank) => {
    const row = Object.fromEntries(data.fields.map((name, place) => [name, values[place]]));
    for (const name of ["publisher", "company", "submitter", "signature"]) row[name] = data.texts[row[name]];
    for (const name of ["devices", "change"]) row[name] = row[name].map((one) => data.texts[one]);
    row.answers = new Map(data.machines[row.machines].map(([name, reason]) => [data.texts[name], data.reasons[reason]]));
    row.machines = [...row.answers.keys()];
    row.packages = row.packages.map((one) => data.packages[one]);
    row.reason = data.reasons[row.reason];
    row.name = row.file.split(/[\\/]/).pop();
    return Object.assign(row, { rank });
  });

  const present = (value) => (value ? [value] : []);
  // A filter by machine shows the answers of that machine; otherwise the worst of all machines counts.
  const reasonOf = (row, machine = state.filters.get("machine")) => row.answers.get(machine) ?? row.reason;

  const VALUES = {
    answer: (row, reason) => [reason.answer],
    when: (row, reason) => present(reason.when),
    publisher: (row) => present(row.publisher),
    device: (row) => row.devices,
    machine: (row) => row.machines,
    signature: (row) => present(row.signature),
    year: (row) => present(row.issued.slice(0, 4)),
    month: (row) => present(row.issued.slice(0, 7)),
    remedy: (row, reason) => present(reason.remedy),
    change: (row) => row.change,
    driver: (row) => [row.hash || row.file],
  };

  const searched = (row) => row.searched ??= [
    row.file, row.version, row.hash, row.company, row.submitter, row.signature, row.issued, row.reason.policy,
    row.reason.rule, ...row.events, LABELS[row.reason.answer], ...row.devices, ...row.machines, ...row.paths,
    ...row.packages.flatMap(([inf, device, ids]) => [inf, device, ...ids]),
  ].join("\n").toLowerCase();

  // ---- State: what the fragment of the address says

  let state, opened = new Set();

  function readState() {
    const given = new URLSearchParams(location.hash.slice(1));
    const filters = new Map(KEYS.filter((key) => given.get(key)).map((key) => [key, given.get(key)]));
    const sort = /^(-?)(file|answer|when|publisher|device|signature|issued|machine)$/.exec(given.get("sort") ?? "");
    return {
      filters,
      search: given.get("search") ?? "",
      sort: sort ? { column: sort[2], sign: sort[1] ? -1 : 1 } : null,
      page: Math.max(1, Math.min(1e6, Number.parseInt(given.get("page") ?? "1", 10) || 1)),
    };
  }

  function fragment({ filters, search, sort, page }) {
    const found = new URLSearchParams(KEYS.filter((key) => filters.has(key)).map((key) => [key, filters.get(key)]));
    if (search) found.set("search", search);
    if (sort) found.set("sort", (sort.sign < 0 ? "-" : "") + sort.column);
    if (page > 1) found.set("page", page);
    return `#${found}`;
  }

  function withFilter(facet, value) {
    const filters = new Map(state.filters);
    if (value && filters.get(facet) !== value) filters.set(facet, value);
    else filters.delete(facet);
    if (facet === "year" || !filters.has("year")) filters.delete("month");
    return { ...state, filters, page: 1 };
  }

  function go(next, replaces = false) {
    const target = fragment(next);
    if (replaces) {
      history.replaceState(null, "", target);
      update();
    } else if (target !== location.hash && !(target === "#" && !location.hash)) location.hash = target;
    else update();
  }

  // ---- Filtering, counting, sorting

  let searchedRows = rows;  // the rows with the words of the search

  function search() {
    const words = state.search.toLowerCase().split(/\s+/).filter(Boolean);
    searchedRows = words.length ? rows.filter((row) => words.every((word) => searched(row).includes(word))) : rows;
  }

  // The rows that match the search and the filters, perhaps without one facet: its chart shows what to choose instead.
  function filtered(without = null) {
    const wanted = [...state.filters].filter(([facet]) => facet !== without && !(without === "year" && facet === "month"));
    const machine = without === "machine" ? undefined : state.filters.get("machine");
    return searchedRows.filter((row) => {
      const reason = reasonOf(row, machine);
      return wanted.every(([facet, value]) => VALUES[facet](row, reason).includes(value));
    });
  }

  function counted(facet, among, counts = () => true) {
    const found = new Map();
    for (const row of among)
      for (const value of VALUES[facet](row, reasonOf(row))) {
        const { answer } = facet === "machine" ? reasonOf(row, value) : reasonOf(row);
        if (!counts(answer)) continue;
        if (!found.has(value)) found.set(value, { value, total: 0, answers: {} });
        const numbers = found.get(value);
        numbers.total += 1;
        numbers.answers[answer] = (numbers.answers[answer] ?? 0) + 1;
      }
    const order = (one, other) => other.total - one.total || (one.value < other.value ? -1 : 1);
    return [...found.values()].sort(order);
  }

  function scope() {
    const stops = rows.some((row) => data.stopping.includes(row.reason.answer));
    const answer = state.filters.get("answer");
    if (answer) return [(one) => one === answer, `Drivers with the answer “${LABELS[answer] ?? answer}”`];
    return stops ? [(one) => data.stopping.includes(one), "Drivers that stop"] : [() => true, "All files"];
  }

  const version = (row) => row.version.split(".").map((part) => part.padStart(6, "0")).join(".");
  const ORDERS = {
    file: (row) => `${row.name.toLowerCase()} ${version(row)}`,
    answer: (row) => RANKS[reasonOf(row).answer],
    when: (row) => reasonOf(row).when,
    publisher: (row) => row.publisher.toLowerCase(),
    device: (row) => (row.devices[0] ?? "").toLowerCase(),
    signature: (row) => row.signature,
    issued: (row) => row.issued,
    machine: (row) => row.machines.length,
  };

  function sorted(found) {
    if (!state.sort) return found;
    const key = ORDERS[state.sort.column], empty = (value) => value === "";
    return found
      .map((row) => [key(row), row])
      .sort(([one, first], [other, second]) =>
        empty(one) - empty(other) || state.sort.sign * ((one > other) - (one < other)) || first.rank - second.rank)
      .map(([, row]) => row);
  }

  // ---- Elements

  function element(name, attributes = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
    made.append(...children.filter((one) => one !== null && one !== ""));
    return made;
  }

  function svg(name, attributes, ...children) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  const count = (number) => number.toLocaleString("en-US");
  const name = (text) => element("bdi", { class: "name" }, text);
  const mark = (answer) => element("span", { class: `mark ${answer}` }, LABELS[answer]);

  // ---- Charts: the same elements as charts.py draws

  function segments({ answers }, largest) {
    let before = 0;
    const place = (number) => Math.floor((number * 1000) / largest);
    return data.answers.filter(([answer]) => answers[answer]).map(([answer]) => {
      const start = place(before);
      before += answers[answer];
      return [answer, start, place(before) - start];
    });
  }

  function bar(numbers, largest, up) {
    const box = { viewBox: up ? "0 0 10 1000" : "0 0 1000 10", preserveAspectRatio: "none", "aria-hidden": "true" };
    const rects = segments(numbers, largest).map(([answer, start, length]) => svg("rect", up
      ? { class: answer, x: 0, y: 1000 - start - length, width: 10, height: length }
      : { class: answer, x: start, y: 0, width: length, height: 10 }));
    return svg("svg", box, ...rects);
  }

  function chartLink(facet, numbers, ...children) {
    const { value } = numbers;
    const words = data.answers.filter(([answer]) => numbers.answers[answer])
      .map(([answer, label]) => `${label}: ${count(numbers.answers[answer])}`).join("; ");
    const current = state.filters.get(facet) === value ? "true" : null;
    const href = fragment(withFilter(facet, value));
    const title = `${value}${words ? ": " : ""}${words}`;
    return element("li", {}, element("a", { href, "data-value": value, title, "aria-current": current }, ...children));
  }

  function bars(facet, found) {
    const largest = Math.max(1, ...found.map((one) => one.total));
    const chosen = found.filter((one) => one.value === state.filters.get(facet));
    return [...new Set([...found.slice(0, BARS), ...chosen])].map((one) =>
      chartLink(facet, one, element("bdi", {}, one.value), bar(one, largest, false), element("b", {}, count(one.total))));
  }

  function columns(facet, found) {
    const largest = found.reduce((most, one) => Math.max(most, one.total), 1);
    const known = new Map(found.map((one) => [one.value, one]));
    return places(facet, found).map((value) => {
      const numbers = known.get(value) ?? { value, total: 0, answers: {} };
      const total = numbers.total ? count(numbers.total) : "";
      return chartLink(facet, numbers, element("b", {}, total), bar(numbers, largest, true), element("bdi", {}, value));
    });
  }

  function places(facet, found) {
    if (!found.length) return [];
    if (facet === "month")
      return Array.from({ length: 12 }, (_, month) => `${state.filters.get("year")}-${String(month + 1).padStart(2, "0")}`);
    const years = found.map((one) => one.value).filter((one) => /^(199|20\d)\d$/.test(one)).map(Number);
    if (!years.length) return [];
    const first = Math.min(...years), last = Math.max(...years);
    return Array.from({ length: last - first + 1 }, (_, place) => String(first + place));
  }

  function drawCharts() {
    const [counts, title] = scope();
    byId("scope").textContent = title;
    for (const [facet, isTime] of CHARTS) {
      const chart = byId(`chart-${facet}`), list = chart.querySelector("ul");
      const shows = facet !== "month" || state.filters.has("year");
      const found = shows ? counted(facet, filtered(facet), counts) : [];
      chart.hidden = !found.length && !state.filters.has(facet);
      list.replaceChildren(...(isTime ? columns(facet, found) : bars(facet, found)));
      const left = isTime ? 0 : found.length - BARS;
      chart.querySelector(".more").textContent = left > 0 ? `and ${count(left)} more` : "";
    }
  }

  // ---- Filters

  function drawFilters() {
    if (document.activeElement !== byId("search")) byId("search").value = state.search;
    for (const select of byId("filters").querySelectorAll("select")) {
      const { facet } = select.dataset, chosen = state.filters.get(facet) ?? "";
      const found = counted(facet, filtered(facet));
      if (facet === "answer") found.sort((one, other) => RANKS[one.value] - RANKS[other.value]);
      if (chosen && !found.some((one) => one.value === chosen)) found.unshift({ value: chosen, total: 0 });
      const label = (value) => (facet === "answer" ? LABELS[value] ?? value : value);
      select.replaceChildren(element("option", { value: "" }, "all"),
        ...found.map((one) => element("option", { value: one.value }, `${label(one.value)} (${count(one.total)})`)));
      select.value = chosen;
      select.parentElement.hidden = !found.length;
    }
    const label = (facet, value) => (facet === "answer" ? LABELS[value] ?? value : value);
    const chips = [...state.filters].map(([facet, value]) => {
      const says = `Remove the filter ${data.facets[facet] ?? facet}: ${label(facet, value)}`;
      const attributes = { class: "chip", href: fragment(withFilter(facet, value)), "aria-label": says };
      return element("a", attributes, element("bdi", {}, label(facet, value)), " ✕");
    });
    if (chips.length + Boolean(state.search) > 0)
      chips.push(element("a", { class: "chip all", href: "#" }, "Clear all"));
    byId("chips").replaceChildren(...chips);
    byId("chips").hidden = !chips.length;
    for (const link of document.querySelectorAll("main > .legend a, .cards a, #changes a")) markLink(link);
  }

  function markLink(link) {
    const [[facet, value]] = new URLSearchParams((link.dataset.filter ??= link.getAttribute("href")).slice(1));
    link.setAttribute("href", fragment(withFilter(facet, value)));
    if (state.filters.get(facet) === value) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }

  // ---- Table

  const cell = (title, ...children) => element("td", { "data-title": title }, ...children);

  function policy({ policy: title, date }) {
    if (!title) return [];
    const words = title[0].toUpperCase() + title.slice(1);
    return date ? [words, " ", element("span", { class: "muted date" }, `from ${date}`)] : [words];
  }

  function tableRow(row) {
    const key = row.hash || row.file, isOpen = opened.has(key), id = `details-${row.rank}`;
    const control = { type: "button", "aria-expanded": String(isOpen), "aria-controls": id, "data-driver": key };
    const version = row.version ? [" ", element("span", { class: "muted version" }, row.version)] : [];
    const before = row.was ? `was: ${LABELS[row.was]}` : row.change.length ? "new" : "";
    const line = element("tr", {},
      element("th", { scope: "row" }, element("button", control, name(row.name)), ...version),
      cell("Answer", mark(reasonOf(row).answer), before ? element("span", { class: "muted was" }, before) : ""),
      cell("Policy and date", ...policy(reasonOf(row))),
      cell("Publisher", element("bdi", {}, row.publisher)),
      cell("Device class", row.devices.join(", ")),
      cell("Signature", row.signature),
      cell("Issued", row.issued),
      cell("Machines", row.machines.length ? count(row.machines.length) : ""));
    const box = element("tr", { class: "details", id, hidden: isOpen ? null : "" }, isOpen ? details(row) : "");
    return [line, box];
  }

  function details(row) {
    const reason = reasonOf(row);
    const source = reason.page ? element("a", { href: reason.page, rel: "noreferrer" }, reason.source) : reason.source;
    const link = element("a", { href: `#${new URLSearchParams([["driver", row.hash || row.file]])}` }, "Link to this driver");
    const paths = [row.file, ...row.paths].map((one) => element("li", {}, name(one)));
    if (!row.present) paths.push(element("li", {}, "The file is not here: a log or an inventory names it."));
    if (row.morePaths) paths.push(element("li", {}, `and ${count(row.morePaths)} more`));
    const facts = [
      ["What to do", reason.remedy],
      ["Rule", reason.rule && element("code", {}, reason.rule)],
      ["Source", source],
      ["Publisher", row.company],
      ["Submitted by", row.submitter],
      ["Files", element("ul", {}, ...paths)],
      ["Events", row.events.length ? element("ul", {}, ...row.events.map((one) => element("li", {}, one))) : ""],
      ["Packages", row.packages.length ? element("ul", {}, ...row.packages.map(packageItem)) : ""],
      ["Machines", row.machines.length ? element("span", {}, ...row.machines.flatMap((one, place) => machineLink(row, one, place))) : ""],
      ["Authenticode SHA-256", row.hash && element("code", {}, row.hash)],
      ["This row", link],
    ];
    const list = element("dl", {}, ...facts.filter(([, value]) => value !== "")
      .flatMap(([title, value]) => [element("dt", {}, title), element("dd", {}, value)]));
    return element("td", { colspan: 8 }, list);
  }

  function machineLink(row, machine, place) {
    const href = `#${new URLSearchParams([["machine", machine]])}`;
    const { answer } = row.answers.get(machine), differs = answer !== row.reason.answer;
    return [place ? ", " : "", element("a", { href }, element("bdi", {}, machine)), differs ? ` (${LABELS[answer]})` : ""];
  }

  function packageItem([inf, device, ids, more]) {
    const shown = ids.length ? element("ul", { class: "ids" }, ...ids.map((one) => element("li", {}, name(one))),
      more ? element("li", {}, `and ${count(more)} more`) : "") : "";
    return element("li", {}, name(inf), device ? ` (${device})` : "", shown);
  }

  let matching = [];

  const isUnfiltered = () => !state.filters.size && !state.search;

  // Draw a page of the table; on paper, all that match, or without a filter those that stop.
  function drawTable(printed = false) {
    const among = filtered();
    matching = sorted(printed && isUnfiltered() ? among.filter((row) => scope()[0](row.reason.answer)) : among);
    const pages = Math.max(1, Math.ceil(matching.length / PAGE_SIZE)), page = Math.min(state.page, pages);
    const start = printed ? 0 : (page - 1) * PAGE_SIZE;
    const shown = matching.slice(start, printed ? PRINTED : start + PAGE_SIZE);
    if (state.filters.has("driver")) shown.forEach((row) => opened.add(row.hash || row.file));
    document.querySelector("#drivers tbody").replaceChildren(...shown.flatMap(tableRow));
    const range = shown.length ? `${count(start + 1)} to ${count(start + shown.length)} of ` : "";
    const cut = `The page has the first ${count(rows.length)} rows; ${count(data.left)} more are in the table of --output.`;
    const total = `${range}${count(matching.length)} ${matching.length === 1 ? "file" : "files"}`;
    byId("status").textContent = (matching.length ? `${total}.` : "No file matches the filters.") + (data.left ? ` ${cut}` : "");
    drawHeads();
    drawPages(page, pages);
  }

  function drawHeads() {
    for (const head of document.querySelectorAll("#drivers thead th")) {
      const sort = state.sort?.column === head.dataset.column ? state.sort : null;
      if (sort) head.setAttribute("aria-sort", sort.sign > 0 ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    }
  }

  function drawPages(page, pages) {
    const to = (title, number) => element("a", { href: fragment({ ...state, page: number }), class: "page" }, title);
    const off = (title) => element("span", { class: "page muted" }, title);
    byId("pages").hidden = pages < 2;
    byId("pages").replaceChildren(
      page > 1 ? to("← Previous", page - 1) : off("← Previous"), element("span", {}, `Page ${count(page)} of ${count(pages)}`),
      page < pages ? to("Next →", page + 1) : off("Next →"));
  }

  // ---- Events

  function update() {
    const focused = document.activeElement, place = focused?.closest?.(".chart")?.id, value = focused?.dataset?.value;
    const pageLink = focused?.closest?.("#pages") ? focused.textContent : null;
    state = readState();
    search();
    drawCharts();
    drawFilters();
    drawTable();
    if (place && value !== undefined)
      [...byId(place).querySelectorAll("a")].find((link) => link.dataset.value === value)?.focus({ preventScroll: true });
    if (pageLink) {
      const links = [...byId("pages").querySelectorAll("a")];
      (links.find((link) => link.textContent === pageLink) ?? links[0])?.focus({ preventScroll: true });
      byId("drivers").scrollIntoView();
    }
  }

  function toggle(button) {
    const key = button.dataset.driver, row = rows.find((one) => (one.hash || one.file) === key);
    const box = byId(button.getAttribute("aria-controls")), opens = box.hidden;
    if (opens) opened.add(key);
    else opened.delete(key);
    box.replaceChildren(...(opens ? [details(row)] : []));
    box.hidden = !opens;
    button.setAttribute("aria-expanded", String(opens));
  }

  function start() {
    for (const head of document.querySelectorAll("#drivers thead th")) {
      const button = element("button", { type: "button" }, head.textContent);
      button.addEventListener("click", () => {
        const { column } = head.dataset, now = state.sort?.column === column ? state.sort.sign : 0;
        const sign = { 0: 1, 1: -1, "-1": 0 }[now];
        go({ ...state, sort: sign ? { column, sign } : null, page: 1 }, true);
      });
      head.replaceChildren(button);
    }
    let timer;
    byId("search").addEventListener("input", (event) => {
      clearTimeout(timer);
      timer = setTimeout(() => go({ ...state, search: event.target.value.trim(), page: 1 }, true), SEARCH_DELAY);
    });
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filters").addEventListener("change", ({ target }) => {
      const { facet } = target.dataset;
      if (facet) go(withFilter(facet, target.value || state.filters.get(facet)));
    });
    document.querySelector("#drivers tbody").addEventListener("click", ({ target }) => {
      const button = target.closest("button[data-driver]");
      if (button) toggle(button);
    });
    addEventListener("hashchange", () => {
      if (!["#drivers", "#content"].includes(location.hash)) update();
    });
    addEventListener("beforeprint", () => drawTable(true));
    addEventListener("afterprint", () => drawTable());
    for (const id of ["filters", "status"]) byId(id).hidden = false;
    document.body.classList.add("scripted");
    update();
  }

  start();
})();
