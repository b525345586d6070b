// The state, which the fragment of the address keeps, and the rows that it leaves: filtered, counted, sorted.

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
