// The lists of filters, and the table with its details and pages.

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
  const cut = `The page has the ${count(rows.length)} rows that matter most; --output has ${count(data.left)} more.`;
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
