#!/usr/bin/env bash
# Flags of the board, each from a plugin or a suite made to raise it; metrics over groups of runs.
. "$(dirname "$0")/lib.sh"
plugins=$LETHE_BUILD/tests/plugins
cat >"$work/suite.yaml" <<Y
suite: flagged
data: {name: synthetic, train: 600, test: 300, noise: 0.35}
model: {arch: mlp, width: 64}
train: {epochs: 30, batch: 32, lr: 0.02, momentum: 0.9}
seeds: {model: [1, 2, 3], forget: [1], unlearn: [1]}
forget:
  - {random: 0.2}
references: {retrain: 3}
unlearn:
  - {label: nothing, plugin: $plugins/bad_noop.so}
  - {label: wrecked, plugin: $plugins/bad_wreck.so}
  - {label: failing, plugin: $plugins/bad_fail.so}
  - random-labels: {epochs: 3, lr: 0.02}
  - {label: again, random-labels: {epochs: 3, lr: 0.02}}
metrics: [accuracy]
report: {gap: [forget_acc, retain_acc, test_acc]}
Y
flags() { # METHOD FILE
    python3 - "$1" "$2" <<'PY'
import csv, sys
for r in csv.DictReader(open(sys.argv[2], newline="")):
    if r["method"] == sys.argv[1]:
        print(";" + r["flags"] + ";")
PY
}
has() { # METHOD FLAG [FILE]
    check "$1 is flagged $2" grep -q ";$2;" <(flags "$1" "${3:-$work/o/leaderboard.csv}")
}
hasnt() {
    check "$1 is not flagged $2" test -z "$(flags "$1" "$work/o/leaderboard.csv" | grep ";$2;")"
}
expect_exit 1 "$lethe" run "$work/suite.yaml" --store "$work/s" --out "$work/o" --no-figures -q
has nothing no-op
hasnt nothing collapsed
has wrecked collapsed
hasnt wrecked no-op
has failing failed-runs
has random-labels duplicate
has again duplicate
hasnt nothing duplicate
hasnt wrecked duplicate
has wrecked over-unlearned
hasnt random-labels failed-runs
hasnt random-labels no-op
hasnt random-labels collapsed
hasnt original no-op
hasnt random-labels underpowered
check "n planned and n used are told" test "$(python3 -c "
import csv
r = {x['method']: x for x in csv.DictReader(open('$work/o/leaderboard.csv'))}
print(r['failing']['n_planned'], r['failing']['n_used'], repr(r['failing']['rank']), r['again']['n_used'])")" = "3 0 '' 3"
expect_exit 1 "$lethe" run "$work/suite.yaml" --store "$work/s" --out "$work/o2" --no-figures -q --set references.retrain=2
has random-labels underpowered "$work/o2/leaderboard.csv"
check "and gap_z is empty" test -z "$(column "$work/o2/leaderboard.csv" gap_z | grep .)"

# Eight models and eight oracles: KLoM and the forgetting score have values, one a forget set.
cat >"$work/group.yaml" <<'Y'
suite: group
data: {name: synthetic, train: 200, test: 80, noise: 0.6}
model: {arch: mlp, width: 16}
train: {epochs: 4, batch: 32, lr: 0.05, momentum: 0.9}
seeds: {model: [1, 2, 3, 4, 5, 6, 7, 8], forget: [1], unlearn: [1]}
forget:
  - {random: 0.1}
references: {retrain: 8}
unlearn:
  - finetune: {epochs: 1, lr: 0.01}
metrics: [accuracy, klom, forgetting-score]
Y
expect_exit 0 "$lethe" run "$work/group.yaml" --store "$work/s" --out "$work/g" --no-figures -q
check "values of groups" python3 - "$work/g" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1] + "/runs.csv", newline="")))
board = {r["method"]: r for r in csv.DictReader(open(sys.argv[1] + "/leaderboard.csv", newline=""))}
for name in ("forget_klom", "test_klom_p95", "forget_klom_floor", "forgetting_score", "forget_epsilon_mean"):
    values = {r[name] for r in rows if r["method"] == "finetune"}
    assert len(values) == 1 and values != {""}, (name, values)
    assert board["finetune"][name] == values.pop() and not board["finetune"][name + "_sd"], name
    assert all(not r[name] and "oracles" in r["notes"] for r in rows if r["method"] == "retrain"), name
PY
expect_exit 0 "$lethe" verify "$work/g" -q --sample 0
finish
