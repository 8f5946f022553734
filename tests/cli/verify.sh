#!/usr/bin/env bash
# `lethe verify` on an untouched report and on tampered ones; `lethe compare`.
. "$(dirname "$0")/lib.sh"
cat >"$work/suite.yaml" <<'Y'
suite: audited
data: {name: synthetic, train: 240, test: 120, noise: 0.4}
model: {arch: mlp, width: 16}
train: {epochs: 3, batch: 32, lr: 0.05, momentum: 0.9}
seeds: {model: [1, 2], forget: [1, 2], unlearn: [1]}
forget:
  - {random: 0.1}
references: {retrain: 3, shadow: 4}
unlearn:
  - finetune: {epochs: 2, lr: 0.01}
  - random-labels: {epochs: 2, lr: 0.01}
attacks: [rmia]
metrics: [accuracy, confidence, divergence, zrf, klom, runtime, weight-distance, {relearn-time: {max_epochs: 3}}, {lipschitz: {steps: 20}}]
Y
run() { "$lethe" run "$work/suite.yaml" --store "$work/s" --no-figures -q "$@"; }
expect_exit 0 run --out "$work/o"
for f in comparisons ranks agreement variance; do
    check "$f.csv is there" test -s "$work/o/$f.csv"
done
check "every metric gives cells" python3 - "$work/o/runs.csv" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
for name in ("forget_js", "forget_zrf", "cost_vs_retrain", "distance_retrain_l2", "relearn_epochs", "lipschitz_bound"):
    assert all(r[name] for r in rows), name
for r in rows:
    assert not r["forget_klom"] and "8 models" in r["notes"] or r["method"] == "retrain", r["notes"]
    assert float(r["lipschitz_local"]) <= float(r["lipschitz_bound"]) <= float(r["lipschitz_certified"]) * 1.0001, r
    assert r["method"] != "original" or float(r["distance_original_l2"]) == 0 == float(r["cost_passes"])
    assert r["method"] != "retrain" or abs(float(r["cost_vs_retrain"]) - 1) < 1e-9
assert any(float(r["lipschitz_local"]) > 0 for r in rows)
PY

expect_exit 0 "$lethe" verify "$work/o" -q --sample 50%
check "an untouched report passes" grep -q "all equal" "$work/stdout"
expect_exit 0 "$lethe" verify "$work/o" -q --sample 0 --json
check "and says so in JSON" python3 -c "
import json
v = json.load(open('$work/stdout'))
assert v['ok'] and not v['problems'] and v['checked']['cells'] > 1000 and v['checked']['rerun'] > 20, v"

tamper() { # NAME: a copy of the report to change
    rm -rf "$work/t"
    cp -r "$work/o" "$work/t"
}
# 1. a changed cell
tamper
python3 - "$work/t/runs.csv" <<'PY'
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
c = rows[0].index("forget_acc")
r = next(r for r in rows[1:] if r[2] == "finetune")
r[c] = str(float(r[c]) + 1)
csv.writer(open(sys.argv[1], "w", newline=""), lineterminator="\n").writerows(rows)
PY
expect_exit 1 "$lethe" verify "$work/t" -q --sample 0
check "a changed cell is named" grep -Eq "^runs.csv:[0-9]+: random-0.1, finetune, seed_model 1, seed_forget 1, seed_unlearn 1: forget_acc is " "$work/stdout"
check "and nothing else" test "$(wc -l <"$work/stdout")" = 2
# 2. a removed row
tamper
sed -i '$d' "$work/t/runs.csv"
expect_exit 1 "$lethe" verify "$work/t" -q --sample 0
check "a removed row is named" grep -q "random-0.1, random-labels, seed_model 2, seed_forget 2, seed_unlearn 1: the row is missing" "$work/stdout"
# 3. a cell of the leaderboard, of comparisons, of a curve
tamper
sed -i '2s/,original,/,originals,/' "$work/t/leaderboard.csv"
sed -i '2s/.$/9/' "$work/t/comparisons.csv" "$work/t/curves/roc-rmia.csv"
expect_exit 1 "$lethe" verify "$work/t" -q --sample 0
for f in leaderboard.csv comparisons.csv curves/roc-rmia.csv; do
    check "$f is named" grep -q "^$f:" "$work/stdout"
done
# 4. a swapped oracle: another model in an oracle's place, its checksums forged
oracle=$(python3 - "$work/o/manifest.json" <<'PY'
import json, sys
tasks = json.load(open(sys.argv[1]))["tasks"]
print(next(t["id"] for t in tasks if t["title"].startswith("retrain oracle 1")))
PY
)
other=$(python3 - "$work/o/manifest.json" <<'PY'
import json, sys
tasks = json.load(open(sys.argv[1]))["tasks"]
print(next(t["id"] for t in tasks if t["title"].startswith("retrain oracle 2")))
PY
)
cp -r "$work/s" "$work/s2"
a=$work/s2/objects/${oracle:0:2}/$oracle b=$work/s2/objects/${other:0:2}/$other
cp "$b/model.safetensors" "$a/model.safetensors"
expect_exit 1 "$lethe" verify "$work/o" --store "$work/s2" -q --sample 0
check "a swapped oracle is named" grep -q "^store: retrain oracle 1, random-0.1 .*SHA-256" "$work/stdout"
python3 - "$a" <<'PY'
import hashlib, json, os, sys
m = json.load(open(sys.argv[1] + "/meta.json"))
f = sys.argv[1] + "/model.safetensors"
m["files"]["model.safetensors"] = {"size": os.path.getsize(f), "mtime_ns": os.stat(f).st_mtime_ns,
                                   "sha256": hashlib.sha256(open(f, "rb").read()).hexdigest()}
json.dump(m, open(sys.argv[1] + "/meta.json", "w"))
PY
expect_exit 1 "$lethe" verify "$work/o" --store "$work/s2" -q --sample 100%
check "also with forged checksums" grep -q "^store: retrain oracle 1, random-0.1 .*model.safetensors comes out differently" "$work/stdout"
rm -rf "$a" && cp -r "$b" "$a"
expect_exit 1 "$lethe" verify "$work/o" --store "$work/s2" -q --sample 0
check "and as a whole object" grep -q "^store: retrain oracle 1, random-0.1 .*it was swapped" "$work/stdout"
# 5. the cell that names the oracles
tamper
sed -i "s/$oracle/$other/" "$work/t/runs.csv"
expect_exit 1 "$lethe" verify "$work/t" -q --sample 0
check "a swapped oracle in runs.csv is named" grep -Eq "(model_id|oracle_ids) is " "$work/stdout"

expect_error "is $work a report of Lethe?" "$lethe" verify "$work"
expect_error "expected a share" "$lethe" verify "$work/o" --sample 200%

# compare
expect_exit 0 "$lethe" compare "$work/o" "$work/o"
check "a report equals itself" grep -q ": 0 changes" "$work/stdout"
expect_exit 0 run --out "$work/o2" --set unlearn.0.finetune.lr=0.2
expect_exit 1 "$lethe" compare "$work/o" "$work/o2"
check "what changed is named" grep -q "^random-0.1, finetune: " "$work/stdout"
expect_exit 0 run --out "$work/o3" --only finetune
expect_exit 0 "$lethe" verify "$work/o3" -q --sample 0
expect_exit 1 "$lethe" compare "$work/o" "$work/o3" --json
check "a row of one report alone is named" python3 -c "
import json
v = json.load(open('$work/stdout'))
assert any(c['method'] == 'random-labels' and c['what'] == 'only in the first report' for c in v['changes']), v"
expect_error "Name two folders" "$lethe" compare "$work/o"
# A report of another build or of a store that has gone: said, not a broken command.
tiny_suite >"$work/gone.yaml"
expect_exit 0 "$lethe" run "$work/gone.yaml" --store "$work/gs" --out "$work/go" --no-figures -q --set train.epochs=1
expect_exit 0 "$lethe" store list --store "$work/empty-store"
expect_exit 1 "$lethe" verify "$work/go" --store "$work/empty-store" --sample 1%
check "it says that nothing can be recomputed" grep -q "nothing to recompute it from" "$work/stdout" "$work/stderr"
finish
