const PEOPLE = 20, STRIP = 10, ROWS = 25;
const { sightings, cameras, actions, start, end, dated } = data;
const byKey = new Map(sightings.map((one) => [one.key, one]));
const length = Math.max(end - start, 1e-9);
const day = (seconds) => new Date(seconds * 1000).toISOString().slice(0, 10);
const oneDay = dated && day(start) === day(end);
const plain = (name) => name.replaceAll("_", " ");

function clock(seconds) {
  if (dated) {
    const text = new Date(seconds * 1000).toISOString();
    return oneDay ? text.slice(11, 19) : text.slice(0, 19).replace("T", " ");
  }
  const tenths = Math.round(10 * Math.abs(seconds)), sign = seconds < 0 && tenths ? "-" : "";
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0"), minutes = Math.floor(tenths / 600);
  return sign + (minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`);
}

/** Whether an action shows in a tracklet: in all of it by its mean, or in a part of it. */
const shows = (one, action) => one.actions.length > 0 && (one.actions[action] >= actions[action].threshold || one.spans[action].length > 0);
const told = (one) => actions.flatMap((action, index) => (shows(one, index) ? [plain(action.name)] : []));
for (const one of sightings) one.text = ` person ${one.person} ${cameras[one.camera]} ${one.key} ${told(one).join(" ")} `;

// ---- drawings: one path a camera, however many tracklets there are

const LEFT = 104, BIN = 5;

/** Cameras one below the other over a common time; it is drawn for a width, so that text keeps its size. */
function drawing(words, list, width, height, paint) {
  const bottom = 8 + height * list.length, across = (seconds) => LEFT + ((width - LEFT - 2) * (seconds - start)) / length;
  const svg = make("svg", { class: "times", viewBox: `0 0 ${width} ${bottom + 18}`, role: "img", "aria-label": words });
  svg.append(...axis(bottom, width > 600 ? 4 : 2, across));
  list.forEach((camera, row) => {
    const top = 4 + row * height;
    svg.append(label(camera, top + height / 2), ...paint(camera, top, across));
  });
  return svg;
}

function axis(bottom, parts, across) {
  return Array.from({ length: parts + 1 }, (_, step) => {
    const seconds = start + (length * step) / parts, x = across(seconds);
    return [make("path", { class: "axis", d: `M${x} 4V${bottom}` }),
      make("text", { x, y: bottom + 14, "text-anchor": step === parts ? "end" : step ? "middle" : "start" }, clock(seconds))];
  }).flat();
}

function label(camera, y) {
  const name = cameras[camera], short = name.length > 14 ? name.slice(0, 13) + "…" : name;
  return make("text", { class: "name", x: 0, y, "dominant-baseline": "middle" }, make("title", {}, name), short);
}

/** Number of tracklets in each of so many equal parts of the time. */
function crowd(list, parts) {
  const bins = new Array(parts).fill(0);
  const bin = (seconds) => Math.min(parts - 1, Math.max(0, Math.floor((parts * (seconds - start)) / length)));
  for (const one of list) for (let at = bin(one.start); at <= bin(one.end); at++) bins[at]++;
  return bins;
}

function steps(bins, bottom, unit) {
  return `M${LEFT} ${bottom}${bins.map((count, at) => `V${bottom - unit * count}H${LEFT + (at + 1) * BIN}`).join("")}V${bottom}Z`;
}

function drawOverview(kept) {
  const place = byId("overview"), style = getComputedStyle(place);
  const width = Math.max(260, place.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight));
  const parts = Math.floor((width - LEFT - 2) / BIN);
  const at = (list, camera) => list.filter((one) => one.camera === camera);
  const words = cameras.map((name, camera) => `${name}: ${plural(at(kept, camera).length, "tracklet")}`).join("; ");
  place.replaceChildren(drawing(`Tracklets over time, by camera. ${words}`, cameras.map((_, camera) => camera), width, 40, (camera, top) => {
    const all = crowd(at(sightings, camera), parts), unit = 34 / Math.max(1, ...all);
    return [make("path", { class: "all", d: steps(all, top + 38, unit) }),
      make("path", { class: "kept", d: steps(crowd(at(kept, camera), parts), top + 38, unit) })];
  }));
}

function personTimes(person) {
  const seen = [...new Set(person.list.map((one) => one.camera))].sort((a, b) => a - b);
  const words = seen.map((camera) => {
    const list = person.list.filter((one) => one.camera === camera);
    const times = list.slice(0, 5).map((one) => `${clock(one.start)} to ${clock(one.end)}`).join(", ");
    return `${cameras[camera]}: ${times}${list.length > 5 ? ` and ${list.length - 5} more` : ""}`;
  });
  return drawing(`When person ${person.number} was seen. ${words.join("; ")}`, seen, 400, 24, (camera, top, across) => {
    const bars = person.list.filter((one) => one.camera === camera).map((one) => {
      const from = across(one.start), to = Math.max(across(one.end), from + 3);
      return `M${from.toFixed(1)} ${top + 6}H${to.toFixed(1)}V${top + 18}H${from.toFixed(1)}Z`;
    });
    return [make("path", { class: "kept", d: bars.join("") })];
  });
}

// ---- a person

function picture(one, shot) {
  const doing = shot.shows.map((action) => plain(actions[action].name)).join(", ");
  const alt = `Person ${one.person} at ${cameras[one.camera]}, ${clock(shot.time)}${doing ? ", " + doing : ""}`;
  return make("figure", {}, make("img", { src: shot.src, alt, loading: "lazy", decoding: "async" }),
    make("figcaption", {}, `${cameras[one.camera]} ${clock(shot.time)}`, doing ? make("span", { class: "muted" }, ` ${doing}`) : ""));
}

/** Pictures of as many tracklets as possible, those of the wanted action first. */
function strip(person, action) {
  const rounds = person.list.map((one) => {
    const wanted = (shot) => (action !== null && shot.shows.includes(action) ? 0 : 1);
    return [...one.pictures].sort((a, b) => wanted(a) - wanted(b));
  });
  const chosen = [];
  for (let round = 0; chosen.length < STRIP && rounds.some((list) => list.length > round); round++)
    for (let at = 0; at < rounds.length && chosen.length < STRIP; at++)
      if (rounds[at].length > round) chosen.push([person.list[at], rounds[at][round]]);
  chosen.sort((a, b) => a[1].time - b[1].time);
  return make("div", { class: "strip", tabindex: 0, role: "group", "aria-label": `Pictures of person ${person.number}` },
    ...chosen.map(([one, shot]) => picture(one, shot)));
}

const likelihood = (person, action) => Math.max(0, ...person.list.map((one) => one.actions[action] ?? 0));

function actionList(person) {
  const rows = actions.map((action, index) => [action, index, likelihood(person, index)]).sort((a, b) => b[2] - a[2]);
  return make("ul", { class: "actions", "aria-label": `Actions of person ${person.number}, greatest likelihood` }, ...rows.map(([action, index, value]) => {
    const fill = make("i");
    fill.style.width = `${100 * value}%`;
    const counts = person.list.some((one) => shows(one, index));
    return make("li", { class: counts ? null : "below", title: counts ? null : `below its threshold of ${action.threshold.toFixed(2)}` },
      make("span", {}, plain(action.name)), make("span", { class: "bar" }, fill), make("span", { class: "value" }, value.toFixed(2)));
  }));
}

function doing(one) {
  return actions.flatMap((action, index) => {
    if (!shows(one, index)) return [];
    const spans = (one.spans[index] ?? []).map(([from, to]) => `${clock(from)}–${clock(to)}`).join(", ");
    return [`${plain(action.name)} ${one.actions[index].toFixed(2)}${spans ? ` (${spans})` : ""}`];
  }).join("; ");
}

function trackletTable(person) {
  const body = make("tbody");
  const cells = (one) => [cameras[one.camera], clock(one.start), clock(one.end), `${one.first}–${one.last}`, one.frames];
  const add = (from) => body.append(...person.list.slice(from, from + ROWS).map((one) => make("tr", {},
    make("th", { scope: "row" }, one.key), ...cells(one).map((cell) => make("td", {}, String(cell))), make("td", { class: "words" }, doing(one)))));
  const head = ["tracklet", "camera", "from", "to", "frames", "seen in", "doing"];
  const table = make("table", {}, make("caption", {}, `Tracklets of person ${person.number}`), make("thead", {}, make("tr", {}, ...head.map((name) =>
    make("th", { scope: "col", class: name === "doing" ? "words" : null }, name)))), body);
  const more = make("button", { type: "button", onclick: () => { add(body.childElementCount); trim(); } });
  const trim = () => {
    const rest = person.list.length - body.childElementCount;
    more.textContent = `Show ${Math.min(rest, ROWS)} more of ${rest}`;
    more.hidden = rest <= 0;
  };
  add(0);
  trim();
  return [make("div", { class: "scroll" }, table), more];
}

/** The nearest tracklets of others, a line a person. */
function nearestOf(person) {
  const best = new Map();
  for (const one of person.list) for (const [key, distance, probability] of one.nearest) {
    const other = byKey.get(key);
    if (!other || other.person === person.number) continue;
    if (!best.has(other.person) || best.get(other.person).distance > distance)
      best.set(other.person, { other, one, distance, probability });
  }
  return [...best.values()].sort((a, b) => a.distance - b.distance).slice(0, 5);
}

function neighbours(person) {
  return [make("ul", {}, ...nearestOf(person).map(({ other, one, distance, probability }) => make("li", {},
    make("a", { href: `#person-${other.person}`, onclick: (event) => { event.preventDefault(); go(other.person); } }, `person ${other.person}`),
    ` by ${other.key} and ${one.key}: distance ${distance.toPrecision(3)}`, probability === null ? "" : `, the same with ${(100 * probability).toFixed(0)} %`)))];
}

/** A part that is filled when it is opened. */
function folded(title, fill) {
  const made = make("details", {}, make("summary", {}, title));
  made.addEventListener("toggle", () => { if (made.open && made.childElementCount === 1) made.append(...fill()); });
  return made;
}

function card(person, action) {
  const seen = new Set(person.list.map((one) => one.camera)).size;
  const of = person.all > person.list.length ? `${person.list.length} of ${plural(person.all, "tracklet")}` : plural(person.all, "tracklet");
  const words = `${of}, ${plural(seen, "camera")}, ${clock(person.start)} to ${clock(person.end)}`;
  const id = `person-${person.number}`;
  const made = make("article", { class: "person", id, tabindex: -1, "aria-labelledby": `${id}-name` },
    make("header", {}, make("h3", { id: `${id}-name` }, `Person ${person.number}`), make("span", { class: "muted" }, words)),
    strip(person, action), make("div", { class: "side" }, personTimes(person), ...(actions.length ? [actionList(person)] : [])),
    folded("Tracklets", () => trackletTable(person)));
  if (nearestOf(person).length) made.append(folded("Nearest others", () => neighbours(person)));
  return made;
}

// ---- filters

function kept() {
  const matches = finder(byId("words").value), camera = byId("camera").value, action = byId("action").value;
  const from = start + (length * byId("from").value) / 1000, to = start + (length * byId("to").value) / 1000;
  return sightings.filter((one) => one.start <= to && one.end >= from && (camera === "" || one.camera === +camera) &&
    (action === "" || shows(one, +action)) && matches(one.text));
}

const totals = new Map();
for (const one of sightings) totals.set(one.person, (totals.get(one.person) ?? 0) + 1);

function grouped(list) {
  const people = new Map();
  for (const one of list) {
    if (!people.has(one.person)) people.set(one.person, { number: one.person, all: totals.get(one.person), list: [], start: Infinity, end: -Infinity });
    const person = people.get(one.person);
    person.list.push(one);
    person.start = Math.min(person.start, one.start);
    person.end = Math.max(person.end, one.end);
  }
  return [...people.values()];
}

const ORDERS = {
  start: (person) => person.start,
  number: (person) => person.number,
  tracklets: (person) => -person.list.length,
  cameras: (person) => -new Set(person.list.map((one) => one.camera)).size,
  seconds: (person) => -person.list.reduce((sum, one) => sum + one.end - one.start, 0),
  likelihood: (person, action) => (action === null ? person.start : -likelihood(person, action)),
};

let people = [], left = sightings;

function show(page) {
  const action = byId("action").value === "" ? null : +byId("action").value;
  byId("found").replaceChildren(...people.slice(page * PEOPLE, (page + 1) * PEOPLE).map((person) => card(person, action)));
  if (!people.length) byId("found").append(make("p", {}, sightings.length ? "Nobody is left; clear a filter." : "Nobody was seen."));
  showPages(byId("pages"), people.length, PEOPLE, page, show);
}

function update() {
  for (const id of ["from", "to"]) {
    const text = clock(start + (length * byId(id).value) / 1000);
    byId(`${id}-text`).textContent = text;
    byId(id).setAttribute("aria-valuetext", text);
  }
  const list = kept(), action = byId("action").value === "" ? null : +byId("action").value;
  const order = ORDERS[byId("sort").value];
  people = grouped(list).map((person) => [order(person, action), person]).sort((a, b) => a[0] - b[0] || a[1].number - b[1].number).map((pair) => pair[1]);
  byId("count").textContent = `${people.length.toLocaleString("en")} of ${plural(totals.size, "person", "people")}, ` +
    `${list.length.toLocaleString("en")} of ${plural(sightings.length, "tracklet")}`;
  left = list;
  drawOverview(left);
  show(0);
}

/** Show a person, wherever in the list; filters that hide the person are cleared. */
function go(number) {
  if (people.some((person) => person.number === number)) return land(number);
  byId("filters").reset();
  setTimeout(() => land(number)); // after the update that follows the reset
}

function land(number) {
  const at = people.findIndex((person) => person.number === number);
  if (at < 0) return;
  show(Math.floor(at / PEOPLE));
  const found = byId(`person-${number}`);
  found.scrollIntoView({ block: "start" });
  found.focus();
}

byId("camera").append(...cameras.map((name, index) => make("option", { value: index }, name)));
byId("action").append(...actions.map((action, index) => make("option", { value: index }, plain(action.name))));
byId("action").closest("label").hidden = !actions.length;
byId("filters").addEventListener("input", later(update));
byId("filters").addEventListener("reset", () => setTimeout(update));
byId("filters").addEventListener("submit", (event) => { event.preventDefault(); update(); });
addEventListener("resize", later(() => drawOverview(left)));
update();
const asked = /^#person-(\d+)$/.exec(location.hash);
if (asked) go(+asked[1]);
