// Elements, and the charts: the same elements as charts.py draws. Text is only ever set as textContent or an attribute.

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
