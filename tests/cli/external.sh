#!/usr/bin/env bash
# External plugins of every kind, written in Python with numpy: found, described, run, metered,
# cached by the files that they consist of.
. "$(dirname "$0")/lib.sh"
export PATH=/usr/bin:$PATH # the Python that has numpy
top=$(cd "$(dirname "$0")/../.." && pwd)
mkdir "$work/mine"
cp "$top/docs/examples/newton_head"/newton_head.* "$work/mine"
newton=$work/mine/newton_head.yaml
manifest() { # KIND ID MORE LINES: $work/mine/ID.yaml, run by ID.py, which standard input brings
    printf 'lethe_plugin: 1\nkind: %s\nid: org.test.%s\nversion: 1.0.0\nlicense: MIT\nsummary: for tests\ncommand: [python3, %s.py]\n%s\n' \
        "$1" "$2" "$2" "$3" >"$work/mine/$2.yaml"
    cat >"$work/mine/$2.py"
}
manifest membership-attack nll 'scores: [{name: nll, doc: minus the loss}, {name: zero}]' <<'PY'
import json, numpy as np
job = json.load(open("job.json"))
c = job["sets"]["candidates"]
z, y = np.load(c["logits"])[:, 0].astype(float), np.load(c["labels"])
z -= z.max(axis=1, keepdims=True)
score = z[np.arange(len(y)), y] - np.log(np.exp(z).sum(axis=1))
np.save(job["out"]["scores"], np.stack([score, np.zeros(len(y))]))
PY
manifest membership-attack csv 'params: [{name: top, type: int, default: 1, min: 1, max: 3}]' <<'PY'
import json, numpy as np
job = json.load(open("job.json"))
z = np.load(job["sets"]["candidates"]["logits"])[:, 0]
with open("out/scores.csv", "w") as f:
    print("sample,score", file=f)
    for i in reversed(range(len(z))):
        print(f"{i},{np.sort(z[i])[-job['params']['top']]:.9g}", file=f)
PY
manifest metric acc 'outputs: [{name: forget, unit: percent, better: near-reference, reference: retrain, min: 0, max: 100}, {name: none}]' <<'PY'
import json, numpy as np
job = json.load(open("job.json"))
s = job["targets"]["forget"]
z, y = np.load(s["logits"]), np.load(s["labels"])
with open(job["out"]["values"], "w") as f:
    print("name,value,note", file=f)
    print(f"forget,{100 * (z[0, :, 0].argmax(axis=1) == y).mean():.12g},", file=f)
    print("none,,nothing to measure", file=f)
PY
manifest example-attack shift 'norm: linf
radius: eps
params: [{name: eps, type: real, default: 0.5, min: 0, max: 1}, {name: factor, type: real, default: 1}]' <<'PY'
import json, numpy as np
job = json.load(open("job.json"))
s = job["sets"]["clean"]
x = np.load(s["images"])
p = job["params"]
sign = np.random.default_rng(job["seed"]).choice([-1.0, 1.0], size=x.shape)
np.save(job["out"]["adversarial"], np.clip(x + p["factor"] * p["eps"] * sign, 0, 1).astype("float32"))
PY

manifest audit far 'outputs: [{name: distance, min: 0, better: lower}]
min_references: 1' <<'PY'
import json, numpy as np
job = json.load(open("job.json"))
load = lambda who: np.load(job[who]["forget"]["logits"]).mean(axis=(0, 2))
with open(job["out"]["values"], "w") as f:
    print("name,value", file=f)
    print(f"distance,{np.abs(load('targets') - load('references')).mean():.9g}", file=f)
PY

# ---- found and described ----
expect_exit 0 "$lethe" plugins --plugin "$newton" org.example.newton-head
check "its command is shown" grep -qE '^command +python3, newton_head.py$' "$work/stdout"
check "what it needs is shown" grep -qE '^needs +retain, weights$' "$work/stdout"
expect_exit 0 "$lethe" plugins --plugin "$newton" --json org.example.newton-head
check "its files are listed" python3 - "$work/stdout" <<'PY'
import json, sys
p = json.load(open(sys.argv[1]))
assert p["files"] == ["newton_head.py"] and p["command"] == ["python3", "newton_head.py"], p
assert [q["name"] for q in p["params"]] == ["steps", "ridge", "start"] and p["params"][1]["search"] == [0.01, 0.001, 0.0001]
assert p["scenarios"] == ["random", "class"] and p["citation"].startswith("@inproceedings"), p
PY
printf 'suite: no plugin\n' >"$work/mine/other.yaml"
export LETHE_PLUGIN_PATH=$work/mine
expect_exit 0 "$lethe" plugins
for id in org.example.newton-head org.test.nll org.test.acc org.test.shift; do
    check "$id is found in a folder" grep -q "$id" "$work/stdout"
done
check "other YAML is passed over" test -z "$(grep other "$work/stderr")"

# ---- in a suite ----
cat >"$work/s.yaml" <<'Y'
suite: external
data: {name: synthetic, train: 300, test: 150, noise: 0.3}
model: {arch: cnn, width: 8}
train: {epochs: 15, batch: 32, lr: 0.02, momentum: 0.9}
forget: [{class: 3}]
references: {retrain: 1}
unlearn:
  - org.example.newton-head
  - {label: by file, plugin: ./mine/newton_head.yaml, params: {steps: 2, start: original}}
attacks:
  - loss-threshold
  - org.test.nll
  - {label: csv, org.test.csv: {top: 2}}
  - org.test.far
  - {label: shift, rows: 20, org.test.shift: {eps: 0.1}}
metrics: [accuracy, org.test.acc]
report: {gap: [forget_acc, retain_acc, test_acc]}
Y
expect_exit 0 "$lethe" run "$work/s.yaml" --store "$work/s1" --out "$work/o1" --no-figures -j 2
check "the numbers are right" python3 - "$work/o1" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1] + "/runs.csv", newline="")))
assert len(rows) == 4 and all(r["status"] == "ok" and not r["failed_parts"] for r in rows), rows
for r in rows:
    assert abs(float(r["forget"]) - float(r["forget_acc"])) < 1e-9, r
    assert r["none"] == "" and "nothing to measure" in r["notes"]
    assert abs(float(r["org_test_nll.nll.auc_forget_test"]) - float(r["loss_threshold.auc_forget_test"])) < 1e-12, r
    assert float(r["org_test_nll.zero.auc_forget_test"]) == 0.5 and float(r["csv.auc_forget_test"]) >= 0
    assert 0 <= float(r["shift.robust_acc_raw"]) <= 100 and (r["method"] == "retrain" or float(r["distance"]) > 0), r
of = lambda s, m: [r for r in rows if r["scenario"] == s and r["method"] == m]
forgot, kept = of("class-3", "org.example.newton-head")[0], of("class-3", "original")[0]
assert float(kept["forget_acc"]) > 90 and float(forgot["forget_acc"]) == 0 and float(forgot["retain_acc"]) > 95, forgot
assert forgot["division"] == "with-retain" and forgot["read_retain"] == "270" and forgot["read_forget"] == "0", forgot
assert forgot["forward"] == "270" and forgot["backward"] == "0", forgot # the features
PY
check "what it printed is in the log" grep -rq "org.example.newton-head: loss" "$work/o1/logs"
check "no scratch folder is left" test -z "$(ls "$work/s1/tmp")"
expect_exit 0 "$lethe" run "$work/s.yaml" --store "$work/s2" --out "$work/o2" --no-figures -j 1
check "equal runs give equal bytes" cmp "$work/o1/runs.csv" "$work/o2/runs.csv"

# ---- identity: manifest and files, not their place ----
ran() { python3 -c 'import json, sys; print(json.load(sys.stdin)["tasks"]["run"])' < <(tail -n 1 "$work/stdout"); }
again() { expect_exit 0 "$lethe" run "$work/s.yaml" --store "$work/s1" --out "$work/o1" --no-figures --json -q; }
again
check "nothing runs again" test "$(ran)" = 0
touch "$newton" "$work/mine/newton_head.py"
again
check "a touched file changes nothing" test "$(ran)" = 0
echo "# a comment" >>"$work/mine/nll.py"
again
check "a changed script runs its rows again" test "$(ran)" = 8 # 4 rows: scores and their evaluation

# ---- on files ----
cp "$work/mine/newton_head.py" "$work/mine/newton_head.py.kept"
python3 - "$work" <<'PY'
import numpy as np, sys
rng = np.random.default_rng(1)
y = rng.integers(0, 3, 90)
x = np.clip(0.5 + 0.2 * rng.standard_normal((90, 1, 6, 6)) + 0.1 * y[:, None, None, None] - 0.1, 0, 1).astype("float32")
np.save(sys.argv[1] + "/x.npy", x); np.save(sys.argv[1] + "/y.npy", y)
open(sys.argv[1] + "/f.csv", "w").write("unlearn_idx\n" + "\n".join(str(i) for i in np.flatnonzero(y == 1)) + "\n")
PY
echo '{arch: mlp, width: 16, input: [1, 6, 6], classes: 3}' >"$work/arch.yaml"
files=(--arch "$work/arch.yaml" --images "$work/x.npy")
expect_exit 0 "$lethe" train "${files[@]}" --labels "$work/y.npy" --set epochs=30 --out "$work/m.safetensors"
expect_exit 0 "$lethe" unlearn org.example.newton-head "${files[@]}" --model "$work/m.safetensors" --labels "$work/y.npy" \
    --forget "$work/f.csv" --set ridge=0.01 --out "$work/u.safetensors"
expect_exit 0 "$lethe" predict "${files[@]}" --model "$work/u.safetensors" --out "$work/z.npy"
check "the class is forgotten, the others are not" python3 - "$work" <<'PY'
import numpy as np, sys
z, y = np.load(sys.argv[1] + "/z.npy"), np.load(sys.argv[1] + "/y.npy")
assert (z.argmax(1)[y == 1] == 1).mean() == 0 and (z.argmax(1) == y)[y != 1].mean() > 0.8
PY
expect_exit 2 "$lethe" unlearn org.example.newton-head "${files[@]}" --model "$work/m.safetensors" --labels "$work/y.npy" \
    --forget "$work/f.csv" --set ridge=0 --out "$work/u.safetensors"
check "bounds are those of the manifest" grep -q "1e-08 to 1000" "$work/stderr"
attack=(attack org.test.shift "${files[@]}" --model "$work/m.safetensors" --labels "$work/y.npy")
expect_exit 0 "$lethe" "${attack[@]}" --set eps=0.1 --out "$work/a1"
expect_exit 0 "$lethe" "${attack[@]}" --set eps=0.1 --out "$work/a2"
check "its seed is the run's" cmp "$work/a1/adversarial.npy" "$work/a2/adversarial.npy"
check "the radius is the parameter's" python3 - "$work/a1/perturbation.csv" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
assert len(rows) == 90 and all(abs(float(r["radius"]) - 0.1) < 1e-6 and float(r["linf"]) <= 0.100001 for r in rows)
assert all((r["found"] == "1") == (r["adv_pred"] != r["label"]) for r in rows)
PY
expect_exit 1 "$lethe" "${attack[@]}" --set factor=2 --set eps=0.1 --out "$work/a3"
check "beyond its radius is refused" grep -q "beyond its radius" "$work/stderr"

# ---- the conformance suite takes it as it takes any other ----
expect_exit 0 "$lethe" plugin check --only threads "$newton"
check "its behaviour is tested" grep -qE "^ +pass +threads" "$work/stdout"
expect_exit 0 "$lethe" plugin check --only exports "$newton"
check "what a linker does is not" grep -qE "^ +skip +exports +a manifest is no shared object" "$work/stdout"

# ---- manifests that are wrong ----
wrong() { # TEXT SED-EXPRESSION
    sed "$2" "$newton" >"$work/mine/wrong.yaml"
    expect_error "$1" "$lethe" run "$work/s.yaml" --store "$work/s1" --plugin "$work/mine/wrong.yaml"
}
wrong 'wrong.yaml:6:1: unknown key "short_nam"' 's/^short_name/short_nam/'
wrong 'the key license is missing' '/^license/d'
wrong 'lethe_plugin: this Lethe reads 1, found 2' 's/^lethe_plugin: 1/lethe_plugin: 2/'
wrong 'needs: "shadows" is nothing that an external plugin of this kind gets' 's/^needs: .*/needs: [shadows]/'
wrong 'default: expected' 's/default: 20/default: many/'
wrong 'lies outside its bounds' 's/default: 20/default: 0/'
wrong 'command: expected a list of words' 's/^command: .*/command: python3 newton_head.py/'
wrong 'command: there is no file gone.py beside the manifest' 's/^command: .*/command: [.\/gone.py]/'
wrong 'files: there is no file gone.py beside the manifest' 's/^command: \(.*\)/command: \1\nfiles: [gone.py]/'
finish
