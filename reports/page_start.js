/* Controls, texts around the tables, and what the report was made from. */

const fileTexts = {
  "leaderboard.csv": "one row per scenario and method", "runs.csv": "one row per run: every number",
  "comparisons.csv": "methods against each other, with p values", "ranks.csv": "mean ranks, Friedman and Nemenyi",
  "agreement.csv": "do the gap terms agree?", "variance.csv": "components of variance", "transfer.csv": "adversarial samples between models",
  "tuning.csv": "tuning ledger", "costs.csv": "seconds, memory, host: what may differ between equal runs",
  "references.bib": "what the plugins cite", "methods.md": "the set-up in words", "methods.tex": "the set-up in words, LaTeX",
  "manifest.json": "suite, versions, hashes, machine, tasks",
};

function drawSummary() {
  const ok = data.runs.filter((r) => r.status === "ok").length;
  const methods = data.methods.filter((_, m) => data.board.some((e) => e.m === m && !isReference(e))).length;
  const lethe = data.manifest.lethe ? " Lethe " + data.manifest.lethe + "." : "";
  byId("summary").textContent = plural(methods, "method", "methods") + " in " + plural(data.scenarios.length, "scenario", "scenarios") +
    ", " + data.oracles + " retrained models a forget set, " + ok + " of " + plural(data.runs.length, "run", "runs") + " ok." + lethe;
  const missing = data.runs.filter((r) => r.status === "failed" && r.reason === "not run").length;
  byId("partial").hidden = missing === 0;
  byId("partial").textContent = "Partial report: " + missing + " of " + plural(data.runs.length, "run has", "runs have") + " not been run.";
}

function drawLegend() {
  const terms = data.columns.filter((c) => c.gap).map((c) => c.head);
  byId("legend").replaceChildren(
    make("p", {}, "Gap: absolute difference to the mean of the retrained models, mean of " + terms.join(", ") +
      ", in percentage points (fractions count 100-fold), averaged over runs; lower is better. Its bar is marked at the noise floor: a gap near " +
      "that of Retrain cannot be told from retraining. Intervals are 95 %; ± is one standard deviation over runs where there is no interval."),
    make("p", {}, "Numbers are rounded; pointing at one shows it in full, as it stands in the CSV. Times and memory differ between equal runs and stand in costs.csv alone."));
}

/* ---- controls ---- */

function divisionButton(value, text, n) {
  const button = make("button", { type: "button", "aria-pressed": String(choice.division === value), "data-division": value, disabled: n === 0 }, text);
  button.addEventListener("click", () => {
    choice.division = value;
    for (const other of byId("division").querySelectorAll("button"))
      other.setAttribute("aria-pressed", String(other === button));
    drawBoard();
  });
  return button;
}

function columnBox(c) {
  const box = make("input", { type: "checkbox", checked: choice.columns.includes(c), value: c });
  box.addEventListener("change", () => {
    choice.columns = [...byId("columns").querySelectorAll("input:checked")].map((b) => Number(b.value));
    drawBoard();
  });
  return make("label", { title: data.columns[c].doc }, box, " " + data.columns[c].head + " ", make("small", {}, data.columns[c].name));
}

function drawControls() {
  const count = (value) => data.board.filter((e) => !isReference(e) && e.division === value).length;
  byId("division").append(divisionButton("all", "All", 1),
    ...Object.entries(divisions).map(([value, text]) => divisionButton(value, text, count(value))));
  byId("scenario").append(make("option", { value: -1 }, "all"), ...data.scenarios.map((s, i) => make("option", { value: i }, s)));
  byId("columns").querySelector("fieldset").append(...data.columns.map((_, c) => columnBox(c)));
  byId("filter").addEventListener("input", (e) => { choice.text = e.target.value.trim(); drawBoard(); });
  byId("scenario").addEventListener("change", (e) => { choice.scenario = Number(e.target.value); drawBoard(); });
  byId("cells").addEventListener("change", (e) => { choice.cells = e.target.value; drawBoard(); });
  byId("controls").addEventListener("submit", (e) => e.preventDefault());
  byId("method-close").addEventListener("click", () => byId("method").close());
  byId("method").addEventListener("click", (e) => { if (e.target === byId("method")) byId("method").close(); });
}

/* ---- what it was made from ---- */

function pluginTable(list) {
  return make("div", { class: "scroll" }, make("table", {},
    make("thead", {}, make("tr", {}, ["Label", "Plugin", "Version", "Parameters", "SHA-256 of its file"].map((t) => make("th", { class: "text", scope: "col" }, t)))),
    make("tbody", {}, list.map((e) => make("tr", {}, make("td", { class: "text" }, e.label), make("td", { class: "text" }, e.id),
      make("td", { class: "text" }, e.version), make("td", { class: "text wide" }, Object.entries(e.params || {}).map(([k, v]) => k + "=" + yamlInline(v)).join(", ")),
      make("td", { class: "text" }, make("code", { title: e.sha256 }, (e.sha256 || "").slice(0, 12))))))));
}

function part(title, ...content) {
  return make("details", {}, make("summary", {}, title), content);
}

function drawSuite(manifest, title) {
  const text = yaml(byHabit(manifest.resolved), 0) + "\n";
  const copy = make("button", { type: "button", class: "action" }, "Copy");
  copy.addEventListener("click", () => navigator.clipboard.writeText(text).then(() => { copy.textContent = "Copied"; }, () => { copy.textContent = "Copying is not allowed here"; }));
  return part(title, copy, make("pre", { tabindex: 0 }, text));
}

const parsed = (text) => { try { return JSON.parse(text); } catch { return text; } };

function drawSetup() {
  const m = data.manifest, machine = m.machine || {}, worker = machine.worker || {};
  const suites = (m.merged || [m]).filter((s) => s.resolved);
  const lists = [["Unlearning methods", m.unlearn], ["Attacks", m.attacks], ["Metrics", m.metrics]];
  const suiteTitle = (s) => (m.merged ? "Suite " + s.suite + " as it was run" : "The suite as it was run");
  byId("details").replaceChildren(...suites.map((s) => drawSuite(s, suiteTitle(s))),
    part("Plugins", ...lists.filter(([, l]) => l && l.length).map(([title, l]) => [make("h3", {}, title), pluginTable(l)])),
    ...suites.map((s) => part("Model and training" + (m.merged ? " of " + s.suite : ""), pairs([["Model", yamlInline(parsed(s.arch))], ["Training", yamlInline(parsed(s.recipe))]]))),
    part("Environment", pairs([["Lethe", m.lethe], ["Numerics", worker.numerics], ["Plugin interface", worker.abi], ["Processor", machine.arch]]),
      make("p", { class: "soft" }, "What may differ between equal runs (host, date, kernel, seconds, memory) stands in manifest.json and costs.csv, so that equal runs give this page byte for byte.")));
}

function drawFiles() {
  byId("files").replaceChildren(...data.files.map((f) => make("li", {}, make("a", { href: f }, f), fileTexts[f] ? make("span", { class: "soft" }, ": " + fileTexts[f]) : "")));
  if (byId("pictures").children.length === 0)
    byId("pictures").append(make("p", { class: "soft" }, "This report has no pictures: they need gnuplot, and svg among the formats."));
}

/* On paper nothing can be opened. */
function prepareForPaper() {
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open]):not(#columns)")];
    for (const d of closed) d.open = true;
  });
  window.addEventListener("afterprint", () => { for (const d of closed) d.open = false; });
}

drawSummary();
drawControls();
drawLegend();
drawBoard();
drawFiles();
drawSetup();
prepareForPaper();
