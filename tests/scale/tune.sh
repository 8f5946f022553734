#!/usr/bin/env bash
# tune: equal budgets, the ledger, the choice, two stages that resume, and what is refused.
. "$(dirname "$0")/../cli/lib.sh"
suite() { # TUNE [EXTRA LINES]
    cat <<Y
suite: tuned
data: {name: synthetic, train: 240, test: 120, noise: 0.3}
model: {arch: mlp, width: 16}
train: {epochs: 12, batch: 32, lr: 0.05, momentum: 0.9}
seeds: {model: [1, 2], forget: [1], unlearn: [1]}
forget: [{random: 0.1}, {class: 3}]
references: {retrain: 3}
metrics: [accuracy]
unlearn:
  - finetune: {epochs: 2}
  - {label: fixed, finetune: {epochs: 2, lr: 0.02}}
  - {label: plain, eu-k: }
  - gradient-ascent: {epochs: 1}
${2:-}
tune: $1
Y
}
run() { # STORE OUT [OPTION...]
    local store=$1 out=$2
    shift 2
    "$lethe" run "$work/t.yaml" --store "$work/$store" --out "$work/$out" --no-figures "$@"
}
suite '{trials: 4, forget_seed: 100, model_seed: [100, 101], select: gap}' >"$work/t.yaml"
expect_exit 0 "$lethe" plan "$work/t.yaml" --store "$work/s1"
check "the plan counts both stages" grep -q "^tuning: 8 trials of 2 methods first, then 24 tasks" "$work/stdout"
expect_exit 0 run s1 o1 -j 1
check "every method has the same trials" python3 - "$work/o1" <<'PY'
import csv, json, sys
out = sys.argv[1]
rows = list(csv.DictReader(open(out + "/tuning.csv", newline="")))
assert list(rows[0])[:5] == ["method", "plugin", "trial", "parameters", "select"], rows[0]
by = {}
for r in rows:
    by.setdefault(r["method"], []).append(r)
assert [len(by[m]) for m in ("finetune", "gradient-ascent")] == [4, 4]
manifest = json.load(open(out + "/manifest.json"))
params = {u["label"]: u["params"] for u in manifest["unlearn"]}
for m in ("finetune", "gradient-ascent"):
    chosen = [r for r in by[m] if r["chosen"] == "yes"]
    assert len(chosen) == 1 and float(chosen[0]["value"]) == min(float(r["value"]) for r in by[m])
    assert "lr=%s" % json.dumps(params[m]["lr"]) == chosen[0]["parameters"], (params[m], chosen)
    assert len({r["parameters"] for r in by[m]}) == 4
assert by["fixed"][0]["note"] == "every tunable parameter is given" and by["fixed"][0]["trial"] == ""
assert by["plain"][0]["note"] == "it declares no tunable parameter"
board = {r["method"]: r["settings"] for r in csv.DictReader(open(out + "/leaderboard.csv", newline=""))}
assert board == {"original": "", "retrain": "", "finetune": "tuned", "gradient-ascent": "tuned", "fixed": "given", "plain": "default"}, board
seeds = {(r["seed_model"], r["seed_forget"]) for r in csv.DictReader(open(out + "/runs.csv", newline="")) if r["method"] != "retrain"}
assert seeds == {("1", "1"), ("2", "1"), ("1", ""), ("2", "")}, seeds
PY
report_hash "$work/o1" >"$work/h1"
expect_exit 0 run s1 o1 -q
check "a finished suite runs nothing" run s1 o1 2>"$work/again"
check "... and says so" grep -q "lethe: 0 tasks run" "$work/again"
expect_exit 0 "$lethe" plan "$work/t.yaml" --store "$work/s1"
check "the plan knows the choice" grep -q "^tuning: the store knows the choice for 2 methods" "$work/stdout"
expect_exit 0 "$lethe" verify "$work/o1" --sample 0.05 -q
sed 's/yes/no/' -i "$work/o1/tuning.csv"
expect_exit 1 "$lethe" verify "$work/o1" --sample 0 -q
check "verify names the ledger" grep -q "tuning.csv" "$work/stdout"

# Killed again and again, also between the stages, on two workers: the same bytes.
for delay in 0.4 0.7 1.1; do
    run s2 o2 -j 2 -q >/dev/null 2>&1 &
    pid=$!
    sleep "$delay"
    kill -9 "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
done
expect_exit 0 run s2 o2 -j 2 -q
report_hash "$work/o2" >"$work/h2"
check "same bytes after kills, on two workers" cmp "$work/h1" "$work/h2"

# More trials run the new ones only; a method more costs its own trials.
sed -i 's/trials: 4/trials: 6/' "$work/t.yaml"
expect_exit 0 run s1 o1 -q
expect_exit 0 "$lethe" store gc "$work/t.yaml" --store "$work/s1"
expect_exit 0 "$lethe" plan "$work/t.yaml" --store "$work/s1" --json
check "gc keeps what was chosen" python3 - "$work/stdout" <<'PY'
import json, sys
p = json.load(open(sys.argv[1]))
assert p["tasks_after_tuning"] == 0 and all(k["total"] == k["cached"] for k in p["kinds"].values()), p
PY
suite '{trials: 6, forget_seed: 100, model_seed: [100, 101], select: gap}' '  - neggrad-plus: {epochs: 1}' >"$work/t.yaml"
expect_exit 0 "$lethe" plan "$work/t.yaml" --store "$work/s1"
check "one method is left to tune" grep -q "^tuning: 6 trials of 1 methods" "$work/stdout"

suite '{trials: 3, method: grid, select: retain_acc}' >"$work/t.yaml"
expect_exit 0 run s3 o3 -q --only finetune
check "select may be a column" grep -q ",retain_acc," "$work/o3/tuning.csv"
check "grid tries listed values" grep -q "lr=0.1,retain_acc" "$work/o3/tuning.csv"
check "... of the methods that run" test "$(grep -c "gradient-ascent" "$work/o3/tuning.csv")" = 0

refuse() { # TEXT TUNE
    suite "$2" >"$work/bad.yaml"
    expect_error "$1" "$lethe" plan "$work/bad.yaml" --store "$work/s"
}
refuse 'tune.forget_seed: 1 is one of seeds.forget' '{forget_seed: [7, 1]}'
refuse 'tune.model_seed: 2 is one of seeds.model' '{model_seed: 2}'
refuse 'tune.forget: class-3 is reported' '{forget: [{class: 3}]}'
refuse 'tune.select: expected gap, gap_worst or a column of runs.csv, found "gapp"; did you mean "gap"?' '{select: gapp}'
refuse 'tune.method: expected quasi-random or grid, found "random"' '{method: random}'
refuse 'bad.yaml:15:8: unknown key "trial" in tune; did you mean "trials"?' '{trial: 3}'
refuse 'tune.trials: expected 1 to 1000, found 0' '{trials: 0}'
suite '{trials: 2}' | sed 's/{random: 0.1}, //' >"$work/bad.yaml"
expect_error "no scenario of this suite is drawn by a seed" "$lethe" plan "$work/bad.yaml" --store "$work/s"
suite '{trials: 2, forget: [{class: 5}]}' | sed 's/{random: 0.1}, //' >"$work/t.yaml"
expect_exit 0 run s3 o4 -q --only gradient-ascent
check "a class suite is tuned on another class" grep -q "^gradient-ascent,gradient-ascent,2,.*,gap,[0-9]" "$work/o4/tuning.csv"
finish
