// The rows of the page's data, and their values of each facet.

const SVG = "http://www.w3.org/2000/svg";
const PAGE_SIZE = 50, PRINTED = 1000, BARS = 8, SEARCH_DELAY = 120;
const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);
const LABELS = Object.fromEntries(data.answers);
const RANKS = Object.fromEntries(data.answers.map(([answer], place) => [answer, place]));
const CHARTS = [["when"], ["year", true], ["month", true], ["publisher"], ["device"], ["machine"]];
const KEYS = [...Object.keys(data.facets), "driver"];

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
