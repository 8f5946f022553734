#!/usr/bin/env bash
# U-LiRA in a suite: every method has shadow models that unlearned by it.
. "$(dirname "$0")/lib.sh"
cat >"$work/u.yaml" <<'Y'
suite: u
data: {name: synthetic, train: 200, test: 200, noise: 0.4}
model: {arch: cnn, width: 8}
train: {epochs: 20, batch: 32, lr: 0.02, momentum: 0.9}
seeds: {model: [1, 2], forget: [1], unlearn: [1]}
forget:
  - {random: 0.2}
references: {retrain: 3, shadow: 6}
unlearn:
  - finetune: {epochs: 1, lr: 0.001}
  - amun: {epochs: 1, lr: 0.001}
attacks: [u-lira]
Y
expect_exit 0 "$lethe" plan "$work/u.yaml" --store "$work/s"
check "2 methods x (6 shadow models + 2 originals)" grep -Eq '^unlearn +16 ' "$work/stdout"
check "amun's sets on originals and shadow models" grep -Eq '^adversarial +8 ' "$work/stdout"
expect_exit 0 "$lethe" run "$work/u.yaml" --store "$work/s" --out "$work/o" --no-figures -q
check "knows the original, is silent about oracles, sees through a method that did nothing" \
    python3 - "$work/o" "$work/s" <<'PY'
import csv, json, os, sys
out, store = sys.argv[1:]
runs = list(csv.DictReader(open(os.path.join(out, "runs.csv"), newline="")))
def mean(method, column):
    v = [float(r["u_lira." + column]) for r in runs if r["method"] == method]
    return sum(v) / len(v)
assert {r["u_lira.n_negatives"] for r in runs} == {"40"}, runs
assert mean("original", "auc_forget_test") > .75 and mean("original", "accuracy") > .65, runs
assert mean("finetune", "auc_forget_test") > .75, runs
assert .35 < mean("retrain", "auc_forget_test") < .65, runs
assert all(r["u_lira.auc_retain_test"] == "" for r in runs)
# The references of a method's attack are outputs of shadow models after unlearning by it.
manifest = json.load(open(os.path.join(out, "manifest.json")))
identity = {t["id"]: json.load(open(os.path.join(store, "objects", t["id"][:2], t["id"], "meta.json")))["identity"]
            for t in manifest["tasks"]}
seen = set()
for i in identity.values():
    if i["kind"] != "attack":
        continue
    makers = [identity[identity[r]["model"]] for r in i["references"]]
    target = identity[identity[i["target"]]["model"]]
    if target["kind"] != "unlearn":
        assert all(m["kind"] == "train" and m["role"] == "shadow" for m in makers)
        continue
    assert [m["forget"]["shadow"] for m in makers] == list(range(6))
    assert all(m["plugin"] == target["plugin"] and m["forget"]["of"] == target["forget"] for m in makers)
    seen.add(target["plugin"]["id"])
assert seen == {"finetune", "amun"}, seen
PY
expect_exit 0 "$lethe" verify "$work/o" --sample 0.3
expect_error "u-lira needs two shadow models on either side of every sample; found references: {shadow: 2}" \
    "$lethe" plan "$work/u.yaml" --store "$work/s" --set references.shadow=2
finish
