#!/usr/bin/env bash
# Deletions that arrive one after another: rows and oracles of each request, the board of the last.
. "$(dirname "$0")/../cli/lib.sh"
tiny_suite | sed 's/^  - {random: 0.1}/  - {random: 0.1}\n  - {consecutive: {random: 0.1, requests: 3}}/
    s/epochs: 25/epochs: 8/; s/attacks:.*/attacks: [loss-threshold]/; s/shadow: 4/shadow: 0/' >"$work/t.yaml"
run() { # STORE OUT [OPTION...]
    "$lethe" run "$work/t.yaml" --store "$work/$1" --out "$work/$2" --no-figures -q "${@:3}"
}
expect_exit 0 run s1 o1 -j 1
check "rows, oracles and the board" python3 - "$work/o1" <<'PY'
import csv, sys
def read(name):
    return list(csv.DictReader(open(sys.argv[1] + "/" + name, newline="")))
name = "consecutive-3x0.03333"
runs = [r for r in read("runs.csv") if r["scenario"] == name]
for method in ("original", "retrain", "finetune", "random-labels", "amun", "amun alone"):
    per = [r for r in runs if r["method"] == method]
    want = 3 if method == "retrain" else 2
    assert [r["request"] for r in per] == [k for k in "123" for _ in range(want)], (method, per)
    assert all(r["status"] == "ok" for r in per), per
# Each request has oracles of its own; every answer follows the one before.
ids = lambda m, k: {r["model_id"] for r in runs if r["method"] == m and r["request"] == k}
assert len(ids("retrain", "1") | ids("retrain", "2") | ids("retrain", "3")) == 9
assert len(ids("finetune", "1") | ids("finetune", "2") | ids("finetune", "3")) == 6
for r in runs:
    if r["method"] == "finetune":
        assert set(r["oracle_ids"].split(";")) == ids("retrain", r["request"]), r
        assert int(r["read_forget"]) == 0 and int(r["read_other"]) == 0, r
# The retain set shrinks: 232, 224, 216 rows, two epochs each.
assert [r["read_retain"] for r in runs if r["method"] == "finetune" and r["seed_model"] == "1"] == ["464", "448", "432"]
assert [r["read_forget"] for r in runs if r["method"] == "random-labels" and r["seed_model"] == "1"] == ["16"] * 3
# What all requests delete is the random forget set, with its oracles.
random = {r["model_id"] for r in read("runs.csv") if r["scenario"] == "random-0.1" and r["method"] == "retrain"}
assert random == ids("retrain", "3")
board = [b for b in read("leaderboard.csv") if b["scenario"] == name]
last = [r for r in runs if r["request"] == "3"]
for b in board:
    mine = [float(r["forget_acc"]) for r in last if r["method"] == b["method"]]
    assert int(b["n_planned"]) == len(mine) and abs(float(b["forget_acc"]) - sum(mine) / len(mine)) < 1e-9, b
curve = [c for c in read("curves/requests.csv") if c["method"] == "amun" and c["series"] == "forget_acc" and c["seed_model"] == "2"]
assert [(c["x"], float(c["y"])) for c in curve] == [(r["request"], float(r["forget_acc"])) for r in runs if r["method"] == "amun" and r["seed_model"] == "2"]
PY
expect_exit 0 run s2 o2 -j 2
report_hash "$work/o1" >"$work/h1"
report_hash "$work/o2" >"$work/h2"
check "same bytes on two workers" cmp "$work/h1" "$work/h2"
expect_exit 0 "$lethe" verify "$work/o1" --sample 0.3 -q
expect_exit 0 run s1 o1 --scenario consecutive-3x0.03333
printf '  - {label: other, import: {models: "x-{seed}.safetensors"}}\n' >"$work/extra"
sed -i "/^unlearn:/r $work/extra" "$work/t.yaml"
expect_exit 1 run s1 o1
check "imports cannot follow requests" grep -q "consecutive-3x0.03333,other,.*,unsupported,.*what was made elsewhere cannot follow consecutive requests" "$work/o1/runs.csv"
finish
