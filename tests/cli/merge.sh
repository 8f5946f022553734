#!/usr/bin/env bash
# lethe report --merge: suites with the same originals and oracles compete in one block, others have their own.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
suite() { # NAME TRAIN METHODS...
    cat <<Y
suite: $1
data: {name: synthetic, train: $2, test: 120, noise: 0.3}
model: {arch: cnn, width: 8}
train: {epochs: 6, batch: 32, lr: 0.02, momentum: 0.9}
seeds: {model: [1, 2], forget: [1], unlearn: [1]}
forget: [{random: 0.1}]
references: {retrain: 3}
attacks: [loss-threshold]
unlearn:
Y
    shift 2
    printf '  - %s\n' "$@"
}
suite a 240 'finetune: {epochs: 1, lr: 0.01}' 'amun: {epochs: 1, lr: 0.01}' >"$work/a.yaml"
suite b 240 'finetune: {epochs: 1, lr: 0.01}' 'amun: {epochs: 1, lr: 0.02}' 'random-labels: {epochs: 1, lr: 0.01}' >"$work/b.yaml"
suite c 200 'amun: {epochs: 1, lr: 0.01}' "{label: breaks, plugin: $LETHE_BUILD/tests/plugins/bad_fail.so}" >"$work/c.yaml"
echo 'metrics: [accuracy, ece]' >>"$work/c.yaml"
export LETHE_STORE=$work/s
for s in a b; do expect_exit 0 "$lethe" run "$work/$s.yaml" -q --no-figures --out "$work/$s"; done
expect_exit 1 "$lethe" run "$work/c.yaml" -q --no-figures --out "$work/c"

expect_exit 0 "$lethe" report --merge "$work/a" "$work/b" --out "$work/ab" --formats svg
check "one block" test "$(column "$work/ab/leaderboard.csv" scenario | sort -u)" = random-0.1
check "shared rows once, two settings of a label apart" test "$(column "$work/ab/leaderboard.csv" method | sort | tr '\n' ,)" = "amun,amun (b),finetune,original,random-labels,retrain,"
check "2 originals, 3 oracles, 4 methods of 2 runs" test "$(column "$work/ab/runs.csv" run | tr '\n' ' ')" = "1 2 3 4 5 6 7 8 9 10 11 12 13 "
check "gaps are those of the suites" python3 - "$work" <<'PY'
import csv, sys
def board(name):
    return {(r["method"]): r for r in csv.DictReader(open(f"{sys.argv[1]}/{name}/leaderboard.csv", newline=""))}
a, b, ab = board("a"), board("b"), board("ab")
for label, own in [("finetune", a["finetune"]), ("amun", a["amun"]), ("amun (b)", b["amun"]), ("random-labels", b["random-labels"]), ("retrain", a["retrain"])]:
    for column in ("gap", "gap_worst", "forget_acc", "loss_threshold.auc_forget_test_gap", "n_used"):
        assert ab[label][column] == own[column], (label, column)
ranked = [r for r in ab.values() if r["rank"]]
assert [int(r["rank"]) for r in ranked] == [1, 2, 3, 4]
assert [float(r["gap"]) for r in ranked] == sorted(float(r["gap"]) for r in ranked)
PY
check "the page traces" python3 "$here/page_numbers.py" "$work/ab"
check "and tells the parameters of each" python3 - "$work/ab/index.html" <<'PY'
import json, re, sys
data = json.loads(re.search(r'id="data">(.*?)</script>', open(sys.argv[1], encoding="utf-8").read(), re.S)[1])
of = lambda label: {e["suite"]: e["params"]["lr"] for e in data["manifest"]["unlearn"] if e.get("board", e["label"]) == label}
assert of("amun") == {"a": 0.01} and of("amun (b)") == {"b": 0.02} and of("finetune") == {"a": 0.01, "b": 0.01}, data["manifest"]["unlearn"]
assert [m["suite"] for m in data["manifest"]["merged"]] == ["a", "b"]
PY
report_hash "$work/ab" >"$work/h1"
expect_exit 0 "$lethe" report --merge "$work/a" "$work/b" --out "$work/ab" --formats svg
report_hash "$work/ab" >"$work/h2"
check "the same bytes again" diff "$work/h1" "$work/h2"

expect_exit 1 "$lethe" report --merge "$work/a" "$work/b" "$work/c" --out "$work/abc" --no-figures
check "other data is another block" test "$(column "$work/abc/leaderboard.csv" scenario | uniq | tr '\n' ' ')" = "a/random-0.1 c/random-0.1 "
check "columns are united, cells that a suite lacks are empty" python3 - "$work/abc/runs.csv" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
for r in rows:
    assert (r["forget_ece"] != "") == (r["scenario"] == "c/random-0.1" and r["status"] == "ok"), r
assert [int(r["run"]) for r in rows] == list(range(1, len(rows) + 1))
PY
run=$(python3 -c "
import csv
print(next(r['run'] for r in csv.DictReader(open('$work/abc/runs.csv', newline='')) if r['method'] == 'breaks'))")
check "logs are numbered as the rows" grep -q "always fails" "$work/abc/logs/$run.log"

expect_exit 0 "$lethe" report "$work/b" -q --no-figures --out "$work/b2" --set "report.gap=[forget_acc]"
expect_error "rank by different gap terms" "$lethe" report --merge "$work/a" "$work/b2" --out "$work/x"
expect_exit 0 "$lethe" report --merge "$work/a" "$work/b2" --out "$work/x" --no-figures --set "report.gap=[test_acc]"
expect_error "--merge: where should the report go?" "$lethe" report --merge "$work/a" "$work/b"
expect_error "name two reports or more" "$lethe" report --merge "$work/a" --out "$work/x"
expect_error "--merge makes one of both" "$lethe" report "$work/a" "$work/b"
expect_error 'holds the report of suite "a", not of "a + b"' "$lethe" report --merge "$work/a" "$work/b" --out "$work/a"
expect_error "merged" "$lethe" report "$work/ab"
finish
