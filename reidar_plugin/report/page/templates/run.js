const ROWS = 50;
const { queries, protocols, answers } = data;
let sorted = { column: 0, down: false }, rows = [];

const percent = (value) => (value === null || value === undefined ? "–" : (100 * value).toFixed(1));

/** Columns of the table: name, value to sort by, text. */
function columns(list) {
  const figures = Object.keys(list[0]?.figures ?? {});
  return [
    ["query", (one) => one.number ?? one.row, (one) => String(one.number ?? one.row)],
    ["person", (one) => one.person, (one) => String(one.person)],
    ...(list.some((one) => one.first !== null) ? [["first right at rank", (one) => one.first, (one) => one.first.toLocaleString("en")]] : []),
    ...figures.map((name) => [name, (one) => one.figures[name], (one) => percent(one.figures[name])]),
  ];
}

function heading([name], index) {
  const state = sorted.column === index ? (sorted.down ? "descending" : "ascending") : "none";
  const arrow = { none: "", ascending: " ▲", descending: " ▼" }[state];
  return make("th", { scope: "col", "aria-sort": state }, make("button", { type: "button", onclick: () => {
    sorted = { column: index, down: sorted.column === index && !sorted.down };
    update();
    byId("found").querySelectorAll("th button")[index].focus();
  } }, name + arrow));
}

function pictures(one, row, width) {
  const button = make("button", { type: "button", "aria-expanded": "false", "aria-label": `Pictures of query ${one.number}`, onclick: () => {
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    button.textContent = open ? "Show" : "Hide";
    if (open) row.nextElementSibling.remove();
    else row.after(make("tr", { class: "answers" }, make("td", { colspan: width }, ...one.drawings.map((index) =>
      make("figure", {}, make("img", { class: "paper", src: answers[index].src, alt: answers[index].title }), make("figcaption", { class: "muted" }, answers[index].title))))));
  } }, "Show");
  return button;
}

function show(page) {
  const shown = columns(rows), drawn = rows.some((one) => one.drawings.length), width = shown.length + drawn;
  const body = make("tbody");
  for (const one of rows.slice(page * ROWS, (page + 1) * ROWS)) {
    const row = make("tr", {}, ...shown.map(([, , text], index) => make(index ? "td" : "th", index ? {} : { scope: "row" }, text(one))));
    if (drawn) row.append(make("td", {}, one.drawings.length ? pictures(one, row, width) : ""));
    body.append(row);
  }
  const head = make("tr", {}, ...shown.map(heading), drawn ? make("th", { scope: "col" }, "pictures") : "");
  byId("found").replaceChildren(rows.length ? make("table", {},
    make("caption", {}, `Queries of ${protocols[+byId("protocol").value]}`), make("thead", {}, head), body) : make("p", {}, "No query is left; clear a filter."));
  showPages(byId("pages"), rows.length, ROWS, page, show);
}

function update() {
  const protocol = +byId("protocol").value, kind = byId("kind").value, matches = finder(byId("words").value);
  const all = queries.filter((one) => one.protocol === protocol);
  rows = all.filter((one) => (kind !== "wrong" || one.figures["rank-1"] === 0) && (kind !== "drawn" || one.drawings.length) &&
    matches(` query ${one.number ?? one.row} person ${one.person} `));
  const list = columns(all), [, value] = list[Math.min(sorted.column, list.length - 1)];
  rows.sort((a, b) => (sorted.down ? value(b) - value(a) : value(a) - value(b)));
  byId("count").textContent = `${rows.length.toLocaleString("en")} of ${plural(all.length, "query", "queries")}. Figures are percent.`;
  show(0);
}

byId("protocol").append(...protocols.map((name, index) => make("option", { value: index }, name)));
byId("filters").addEventListener("input", later(update));
byId("filters").addEventListener("reset", () => setTimeout(update));
byId("filters").addEventListener("submit", (event) => { event.preventDefault(); update(); });
update();
