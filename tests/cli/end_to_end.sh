#!/usr/bin/env bash
# A whole tiny suite: rows, columns, files; same bytes with one and two jobs; nothing run twice.
. "$(dirname "$0")/lib.sh"
tiny_suite >"$work/tiny.yaml"

expect_exit 0 "$lethe" run "$work/tiny.yaml" -j1 --store "$work/s1" --out "$work/o1"
cp "$work/stdout" "$work/board"
for f in runs.csv costs.csv leaderboard.csv manifest.json curves/roc-rmia.csv curves/confidence.csv; do
    check "$f is there" test -s "$work/o1/$f"
done
check "figures are drawn" test "$(find "$work/o1/figures" -name '*.svg' -size +1k | wc -l)" -ge 3
check "pdf too" test "$(find "$work/o1/figures" -name '*.pdf' -size +1k | wc -l)" -ge 3
check "2 originals, 3 oracles, 4 methods x 2" test "$(column "$work/o1/runs.csv" run | wc -l)" = 13
check "every row is ok" test "$(column "$work/o1/runs.csv" status | sort -u)" = ok
check "sentinels are on the board" test "$(column "$work/o1/leaderboard.csv" method | sed -n 1,2p | tr '\n' ' ')" = "original retrain "
check "the board is printed" grep -q "amun alone" "$work/board"
check "the first columns are fixed" grep -q '^run,scenario,method,plugin,division,seed_model,seed_forget,seed_unlearn,request,status,signal,reason,failed_parts,' "$work/o1/runs.csv"
check "no cell of forget_acc is empty" test "$(column "$work/o1/runs.csv" forget_acc | grep -c .)" = 13
check "no cell of the RMIA AUC is empty" test "$(column "$work/o1/runs.csv" rmia.auc_forget_test | grep -c .)" = 13
check "models learn: retain accuracy above 60 %" python3 - "$work/o1/runs.csv" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
low = [r for r in rows if r["method"] in ("original", "retrain") and float(r["retain_acc"]) < 60]
assert not low, low
# every method did something of its own
seen = {tuple(r[k] for k in r if k.endswith("_confidence")) for r in rows}
assert len(seen) == len(rows), "two rows have the same outputs"
PY
check "divisions come from the meters" test "$(column "$work/o1/runs.csv" division | sort -u | tr '\n' ' ')" = "forget-only reference with-retain "

expect_exit 0 "$lethe" run "$work/tiny.yaml" -j2 --store "$work/s2" --out "$work/o2"
report_hash "$work/o1" >"$work/h1"
report_hash "$work/o2" >"$work/h2"
check "one and two jobs give the same bytes" cmp "$work/h1" "$work/h2"

expect_exit 0 "$lethe" run "$work/tiny.yaml" --store "$work/s1" --out "$work/o1"
check "a second run recomputes nothing" grep -q "^lethe: 0 tasks run," "$work/stderr"
report_hash "$work/o1" >"$work/h3"
check "and changes nothing" cmp "$work/h1" "$work/h3"

expect_exit 0 "$lethe" run "$work/tiny.yaml" --store "$work/s1" --out "$work/o3" --set unlearn.0.finetune.lr=0.02
check "one changed value runs only its rows" grep -Eq "^lethe: (1[0-9]) tasks run," "$work/stderr"

expect_exit 0 "$lethe" plan "$work/tiny.yaml" --store "$work/s1" --json
check "plan knows that all is done" python3 -c "
import json,sys
p=json.load(open('$work/stdout'))
assert all(k['total']==k['cached'] for k in p['kinds'].values()), p
assert p['kinds']['train']['total']==2+3+4, p"

# A damaged artifact is noticed, made again, and gives the same bytes.
id=$("$lethe" plan "$work/tiny.yaml" --store "$work/s1" --list | sed -n 's/^\([0-9a-f]*\) train .*original 1$/\1/p')
model=$(find "$work/s1/objects" -path "*/$id*" -name model.safetensors)
size=$(stat -c %s "$model")
head -c 64 /dev/zero | tr '\0' 'U' | dd of="$model" bs=1 seek=$((size - 64)) conv=notrunc 2>/dev/null
expect_exit 0 "$lethe" run "$work/tiny.yaml" --store "$work/s1" --out "$work/o1"
check "the damage is said" grep -q "made again" "$work/stderr"
report_hash "$work/o1" >"$work/h4"
check "and repaired" cmp "$work/h1" "$work/h4"
finish
