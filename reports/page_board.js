/* The leaderboard: a table for each scenario, filtered and sorted. */

const choice = {
  text: "", scenario: -1, division: "all", cells: "ci",
  columns: data.columns.map((c, i) => (c.shown ? i : -1)).filter((i) => i >= 0),
  sort: new Map(), /* scenario -> {key, down} */
};

/* ---- which rows ---- */

const isReference = (entry) => entry.class !== 0;

function isWanted(entry) {
  if (choice.division !== "all" && !isReference(entry) && entry.division !== choice.division) return false;
  const method = data.methods[entry.m];
  const text = [method.name, method.label, entry.plugin, entry.flags, entry.division].join(" ").toLowerCase();
  return choice.text.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

const sortValue = {
  rank: (e) => e.rank || null,
  method: (e) => methodName(e.m).toLowerCase(),
  gap: (e) => e.gap,
  worst: (e) => e.worst,
  z: (e) => e.z,
  runs: (e) => e.used / e.planned,
  flags: (e) => e.flags || null,
};
const cellKeys = { ci: 0, sd: 0, gap: 5, z: 6 };

function valueOf(entry, key) {
  if (key in sortValue) return sortValue[key](entry);
  return entry.cells[Number(key)][cellKeys[choice.cells]];
}

/* Undefined values come last in both directions; equal ones keep the order of the ranks. */
function compare(a, b, sort) {
  const x = valueOf(a, sort.key), y = valueOf(b, sort.key);
  if (x === null || y === null) return (x === null) - (y === null);
  const order = typeof x === "string" ? x.localeCompare(y, "en") : x - y;
  return sort.down ? -order : order;
}

function rowsOf(scenario) {
  const all = data.board.filter((e) => e.s === scenario && isWanted(e));
  const sort = choice.sort.get(scenario);
  const methods = all.filter((e) => !isReference(e));
  if (sort) methods.sort((a, b) => compare(a, b, sort));
  return all.filter(isReference).concat(methods);
}

/* ---- cells ---- */

function second(text, title) {
  return make("span", { class: "second", title: title || null }, text);
}

const interval = (low, high, show) => (low === null ? null : "[" + show(low) + ", " + show(high) + "]");
const spread = (sd, show) => (sd === null ? null : "\u00b1 " + show(sd));

function spreadOf(low, high, sd, show) {
  const shown = choice.cells === "sd" ? null : interval(low, high, show);
  return shown || spread(sd, show);
}

function gapCell(entry, scale) {
  if (entry.gap === null)
    return make("td", { class: "gap" }, entry.used ? "no gap" : make("strong", {}, "failed"));
  const share = (v) => Math.min(100, (100 * v) / scale.end).toFixed(1) + "%";
  const track = make("span", { class: "track", "aria-hidden": "true" },
    make("span", { class: "fill", style: "width:" + share(entry.gap) }),
    scale.floor === null ? null : make("span", { class: "floor", style: "width:" + share(scale.floor) }));
  const text = spreadOf(entry.low, entry.high, entry.sd, points);
  return make("td", { class: "gap" }, make("strong", { title: String(entry.gap), "data-value": entry.gap }, points(entry.gap)),
    track, text ? second(text) : null);
}

function metricCell(entry, c) {
  const column = data.columns[c];
  const [mean, sd, low, high, , signedGap, z] = entry.cells[c];
  const show = (v) => format(v, column.unit);
  if (mean === null) return make("td", {}, make("span", { class: "soft" }, "n/a"));
  if (choice.cells === "gap" || choice.cells === "z") {
    const value = choice.cells === "gap" ? signedGap : z;
    const text = value === null ? "n/a" : choice.cells === "gap" ? signed(value, column.unit) : format(value, "");
    return make("td", {}, make("span", { title: value, "data-value": value }, text), second(show(mean)));
  }
  const text = spreadOf(low, high, sd, show);
  return make("td", {}, number(mean, column.unit), text ? second(text) : null);
}

const badFlags = /^(failed-runs|collapsed|over-unlearned|no-op|duplicate)/;

function flagsCell(entry) {
  const flags = entry.flags ? entry.flags.split(";") : [];
  return make("td", { class: "text" },
    flags.map((f) => make("span", { class: badFlags.test(f) ? "flag bad" : "flag" }, f)));
}

function nameCell(entry) {
  const method = data.methods[entry.m];
  const open = make("button", { type: "button", class: "open", "aria-haspopup": "dialog" }, method.name);
  open.addEventListener("click", () => showMethod(entry.m, entry.s));
  const note = entry.notes === sharedNote(entry.s) ? "" : entry.notes;
  return make("th", { scope: "row" },
    make("span", { class: "who" }, make("span", { class: "swatch", style: "background:" + method.colour, "aria-hidden": "true" }), open),
    note ? make("span", { class: "note", title: note }, note) : null);
}

function row(entry, scale, lastReference) {
  const used = entry.used + "/" + entry.planned;
  return make("tr", { class: [isReference(entry) ? "reference" : "", lastReference ? "last-reference" : ""].join(" ").trim() || null },
    make("td", {}, entry.rank ? String(entry.rank) : ""),
    nameCell(entry), gapCell(entry, scale),
    make("td", { "data-value": entry.worst }, points(entry.worst)),
    choice.columns.map((c) => metricCell(entry, c)),
    make("td", {}, entry.used < entry.planned ? make("strong", {}, used) : used),
    flagsCell(entry));
}

/* ---- tables ---- */

function header(scenario, key, text, options) {
  const sort = choice.sort.get(scenario);
  const active = sort && sort.key === String(key);
  const button = make("button", { type: "button", title: options.title || null }, text);
  button.addEventListener("click", () => sortBy(scenario, String(key), options.down));
  return make("th", { scope: "col", class: options.class || null,
    "aria-sort": active ? (sort.down ? "descending" : "ascending") : null }, button);
}

function headers(scenario) {
  const h = (key, text, options) => header(scenario, key, text, options || {});
  return make("thead", {}, make("tr", {},
    h("rank", "#", { title: "rank by gap" }), h("method", "Method", { class: "name" }),
    h("gap", "Gap (pp)", { title: "mean distance to the retrained models over the gap terms, percentage points; lower is better" }),
    h("worst", "Worst", { title: "largest single term of the gap, percentage points" }),
    choice.columns.map((c) => {
      const column = data.columns[c];
      const unit = column.unit === "percent" ? " (%)" : "";
      return h(c, column.head + unit, { title: column.name + (column.doc ? ": " + column.doc : ""), down: column.better === "higher" });
    }),
    h("runs", "Runs", { title: "runs used / planned", down: true }),
    h("flags", "Flags", { class: "text" })));
}

/* One method that wrecks its model must not press all other bars to nothing. */
function scaleOf(scenario) {
  const here = data.board.filter((e) => e.s === scenario);
  const gaps = here.filter((e) => e.gap !== null).map((e) => e.gap).sort((a, b) => a - b);
  const floor = here.find((e) => e.class === 2);
  const middle = gaps.length ? gaps[Math.floor((gaps.length - 1) / 2)] : 1;
  const kept = gaps.filter((g) => g <= 4 * middle);
  return { end: Math.max(kept.length ? kept[kept.length - 1] : 1, 1e-9), floor: floor ? floor.gap : null };
}

function block(scenario) {
  const rows = rowsOf(scenario), scale = scaleOf(scenario);
  const last = rows.filter(isReference).length - 1;
  const body = make("tbody", {}, rows.map((e, i) => row(e, scale, i === last)));
  if (!rows.some((e) => !isReference(e)))
    body.append(make("tr", {}, make("td", { class: "text", colspan: 6 + choice.columns.length }, "No method fits the filter.")));
  const table = make("table", { class: "board", "aria-describedby": "about-" + scenario }, headers(scenario), body);
  return make("section", { "data-scenario": data.scenarios[scenario], "aria-label": data.scenarios[scenario] },
    make("h3", {}, data.scenarios[scenario]),
    make("p", { class: "soft about", id: "about-" + scenario }, aboutOf(scenario)),
    make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Leaderboard of " + data.scenarios[scenario] }, table));
}

/* A note that every row bears is told once. */
function sharedNote(scenario) {
  const here = data.board.filter((e) => e.s === scenario && e.used > 0);
  return here.length > 2 && here.every((e) => e.notes === here[0].notes) ? here[0].notes : "";
}

function aboutOf(scenario) {
  const floor = data.board.find((e) => e.s === scenario && e.class === 2 && e.gap !== null);
  const note = sharedNote(scenario);
  return [floor ? "Noise floor " + points(floor.gap) + " pp: the gap of each retrained model to the others." : "", note ? "All rows: " + note + "." : ""].join(" ").trim();
}

function drawBoard() {
  const scenarios = data.scenarios.map((_, i) => i).filter((i) =>
    (choice.scenario < 0 || choice.scenario === i) && data.board.some((e) => e.s === i));
  byId("blocks").replaceChildren(...scenarios.map(block));
  for (const figure of document.querySelectorAll("#pictures figure"))
    figure.hidden = choice.scenario >= 0 && figure.dataset.scenario !== "" && figure.dataset.scenario !== data.scenarios[choice.scenario];
  const all = data.board.filter((e) => !isReference(e) && scenarios.includes(e.s));
  byId("status").textContent = plural(all.filter(isWanted).length, "row", "rows") + " of " + all.length + " shown.";
}

/* The table is drawn anew; the focus stays on the same header. */
function sortBy(scenario, key, downFirst) {
  const old = choice.sort.get(scenario);
  const down = old && old.key === key ? !old.down : Boolean(downFirst);
  const at = [...document.querySelectorAll("#blocks button")].indexOf(document.activeElement);
  choice.sort.set(scenario, { key, down });
  drawBoard();
  if (at >= 0) document.querySelectorAll("#blocks button")[at].focus();
  byId("status").textContent += " Sorted " + (down ? "down." : "up.");
}
