/* Behind a method's name: its runs, logs and parameters. */

function pairs(entries) {
  return make("dl", {}, entries.filter(([, value]) => value !== null && value !== "" && value !== undefined)
    .map(([key, value]) => [make("dt", {}, key), make("dd", {}, value)]));
}

function parameters(params) {
  const entries = Object.entries(params || {});
  if (entries.length === 0) return make("p", { class: "soft" }, "No parameters.");
  return make("div", { class: "scroll" }, make("table", {},
    make("thead", {}, make("tr", {}, make("th", { class: "text", scope: "col" }, "Parameter"), make("th", { class: "text", scope: "col" }, "Value"))),
    make("tbody", {}, entries.map(([key, value]) =>
      make("tr", {}, make("th", { class: "text", scope: "row" }, make("code", {}, key)), make("td", { class: "text wide" }, yamlInline(value)))))));
}

/* ---- runs ---- */

const idOf = (i) => (i < 0 ? null : make("code", { title: data.ids[i] }, data.ids[i].slice(0, 12)));
const seedOf = (v) => (v === null ? "\u2013" : String(v));

function runValue(run, c) {
  const value = run.v[c], column = data.columns[c];
  if (value !== null) return make("td", {}, number(value, column.unit));
  const why = run.notes[column.name];
  return make("td", {}, why ? make("span", { class: "undefined", title: why, tabindex: 0 }, "n/a") : "");
}

function statusCell(run) {
  if (run.status === "ok" && !run.parts) return make("td", { class: "text" }, "ok");
  const text = run.status === "ok" ? "ok, lost " + run.parts.split(";").join(", ")
    : statuses[run.status] + (run.signal ? " (signal " + run.signal + ")" : "") + (run.reason ? ": " + run.reason : "");
  return make("td", { class: "text wide" }, make("span", { class: "flag bad" }, run.status === "ok" ? "parts lost" : run.status), " ", text);
}

function runRow(run, columns, requests) {
  return make("tr", { "data-run": run.run },
    make("th", { scope: "row" }, String(run.run)),
    run.seeds.map((v) => make("td", {}, seedOf(v))),
    requests ? make("td", {}, seedOf(run.request)) : null,
    statusCell(run),
    columns.map((c) => runValue(run, c)),
    run.c.map((v) => make("td", {}, v === null ? "" : number(v, "count"))),
    make("td", { class: "text" }, run.log ? make("a", { href: "logs/" + run.run + ".log" }, "log") : ""),
    make("td", { class: "text" }, idOf(run.ids[0])),
    make("td", { class: "text" }, idOf(run.ids[1])));
}

/* All columns that any of the runs fills. */
function filledColumns(runs) {
  return data.columns.map((_, c) => c).filter((c) => runs.some((r) => r.v[c] !== null || r.notes[data.columns[c].name]));
}

function runTable(runs, name) {
  const columns = filledColumns(runs), requests = runs.some((r) => r.request !== null);
  const counts = data.counts.map((c) => c.replace(/_/g, " "));
  const heads = ["Run", "Model seed", "Forget seed", "Unlearn seed"].concat(requests ? ["Request"] : []);
  const head = (text, title, kind) => make("th", { scope: "col", class: kind || null, title: title || null }, text);
  return make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Runs of " + name }, make("table", { class: "runs" },
    make("thead", {}, make("tr", {}, heads.map((t) => head(t)), head("Status", null, "text"),
      columns.map((c) => head(data.columns[c].head, data.columns[c].name + ": " + data.columns[c].doc)),
      counts.map((t) => head(t)), head("Log", null, "text"), head("Model", null, "text"), head("Original", null, "text"))),
    make("tbody", {}, runs.map((r) => runRow(r, columns, requests)))));
}

function undefinedNotes(runs) {
  const why = new Map();
  for (const run of runs)
    for (const [column, text] of Object.entries(run.notes)) {
      const key = column + ": " + text;
      why.set(key, (why.get(key) || []).concat(run.run));
    }
  if (why.size === 0) return null;
  return make("details", {}, make("summary", {}, "Undefined cells"),
    make("ul", {}, [...why].map(([text, at]) => make("li", {}, text + " (" + plural(at.length, "run", "runs") + ": " + at.join(", ") + ")"))));
}

/* ---- the dialog ---- */

function scenarioPart(m, s) {
  const runs = data.runs.filter((r) => r.m === m && r.s === s);
  const entry = data.board.find((e) => e.m === m && e.s === s);
  if (runs.length === 0) return null;
  return [make("h3", {}, data.scenarios[s]),
    entry && entry.notes ? make("p", {}, entry.notes) : null,
    runTable(runs, data.scenarios[s]), undefinedNotes(runs)];
}

/* Of a merged report each suite has its own. */
function entriesOf(m) {
  const label = data.methods[m].label;
  return (data.manifest.unlearn || []).filter((e) => (e.board || e.label) === label);
}

function methodFacts(m) {
  const method = data.methods[m], entry = entriesOf(m)[0] || {};
  const row = data.board.find((e) => e.m === m);
  const version = entry.id ? entry.id + (entry.version ? " " + entry.version : "") : row ? row.plugin : "";
  return pairs([["Label", method.label === method.name ? null : method.label], ["Plugin", version],
    ["Plugin file (SHA-256)", entry.sha256 ? make("code", {}, entry.sha256) : null],
    ["Division", row ? divisions[row.division] || row.division : null], ["Cite", method.cite ? make("code", {}, method.cite) : null]]);
}

/* The scenario from which it was opened comes first. */
function showMethod(m, first) {
  const others = data.scenarios.map((_, s) => s).filter((s) => s !== first);
  const entries = entriesOf(m);
  byId("method-title").textContent = methodName(m);
  byId("method-body").replaceChildren(methodFacts(m),
    make("h3", {}, "Runs"), ...[first, ...others].map((s) => scenarioPart(m, s)).filter(Boolean).flat().filter(Boolean),
    make("h3", {}, "Parameters"),
    ...(entries.length ? entries.map((e) => [entries.length > 1 ? make("p", {}, "In suite " + e.suite) : null, parameters(e.params)]).flat().filter(Boolean)
      : [make("p", { class: "soft" }, "Run by the host: trained as the suite says.")]));
  byId("method").showModal();
  byId("method").scrollTop = 0;
}
