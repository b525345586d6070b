// What a click, a key, the address and printing change.

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
