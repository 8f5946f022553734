/* Small things that every part of the page uses. Text becomes text nodes, never markup. */

const data = JSON.parse(document.getElementById("data").textContent);
for (const run of data.runs) { /* pairs of column and text -> {column: text} */
  const pairs = run.notes;
  run.notes = {};
  for (let i = 0; i < pairs.length; i += 2) run.notes[data.columns[pairs[i]].name] = data.texts[pairs[i + 1]];
}
const byId = (id) => document.getElementById(id);

/* make("td", {class: "wide"}, "text", node, ...): an element; null children are left out. */
function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes || {}))
    if (value !== null && value !== undefined && value !== false)
      node.setAttribute(key, value === true ? "" : value);
  for (const child of children.flat(Infinity))
    if (child !== null && child !== undefined && child !== "") node.append(child);
  return node;
}

/* Digits as the suite asks for them: percentages, fractions, and numbers of any size. */
function format(value, unit) {
  if (value === null) return "n/a";
  if (unit === "percent") return value.toFixed(data.percent >= 0 ? data.percent : 2);
  const size = Math.abs(value);
  if (size < 10 && (size >= 0.001 || value === 0)) return value.toFixed(data.fraction >= 0 ? data.fraction : 3);
  if (Number.isInteger(value) && size < 1e15) return String(value);
  return String(Number(value.toPrecision(4)));
}

/* Gaps are in percentage points. */
const points = (value) => (value === null ? "n/a" : value.toFixed(2));
const signed = (value, unit) => (value > 0 ? "+" : value < 0 ? "\u2212" : "\u00b1") + format(Math.abs(value), unit);

/* A number with its exact value to point at. */
function number(value, unit) {
  return make("span", { title: value === null ? null : String(value), "data-value": value }, format(value, unit));
}

const methodName = (m) => data.methods[m].name;
const plural = (n, one, many) => n + " " + (n === 1 ? one : many);
const divisions = { "with-retain": "With retain data", "forget-only": "Forget data only", imported: "Imported" };
const statuses = {
  failed: "failed", unsupported: "not supported", denied: "denied", crashed: "crashed", vanished: "vanished",
  timeout: "out of time", oom: "out of memory", "invalid-output": "invalid output",
};

/* ---- YAML ---- */

function yamlWord(value) {
  if (typeof value !== "string") return JSON.stringify(value);
  const plain = /^[A-Za-z][A-Za-z0-9_.\/+-]*$/.test(value) && !/^(true|false|yes|no|on|off|null|y|n)$/i.test(value);
  return plain ? value : JSON.stringify(value);
}

const isFlat = (value) => Object.values(value).every((v) => v === null || typeof v !== "object");

/* On one line when it is short, as people write suites. */
function yamlInline(value) {
  if (value === null || typeof value !== "object") return yamlWord(value);
  const parts = Array.isArray(value)
    ? value.map(yamlInline)
    : Object.entries(value).map(([k, v]) => yamlWord(k) + ": " + yamlInline(v));
  return Array.isArray(value) ? "[" + parts.join(", ") + "]" : "{" + parts.join(", ") + "}";
}

/* As people order a suite. */
const suiteKeys = ["suite", "data", "model", "train", "seeds", "forget", "references", "unlearn", "attacks", "metrics", "tune", "limits"];
function byHabit(suite) {
  const place = (k) => (suiteKeys.includes(k) ? suiteKeys.indexOf(k) : suiteKeys.length);
  return Object.fromEntries(Object.entries(suite).sort(([a], [b]) => place(a) - place(b)));
}

function yaml(value, indent) {
  const line = yamlInline(value);
  if (value === null || typeof value !== "object" || Object.keys(value).length === 0) return line;
  if (indent > 0 && line.length + indent <= 96 && (isFlat(value) || indent > 1)) return line;
  const pad = "\n" + " ".repeat(indent);
  const list = Array.isArray(value);
  const parts = list
    ? value.map((v) => "- " + yamlInline(v))
    : Object.entries(value).map(([k, v]) => yamlWord(k) + ": " + yaml(v, indent + 2));
  return (indent ? pad : "") + parts.join(pad || "\n");
}
