#!/usr/bin/env bash
# extends and grid in suites; lethe why; lethe store.
. "$(dirname "$0")/lib.sh"
mkdir "$work/base"
tiny_suite >"$work/base/tiny.yaml"
cat >"$work/child.yaml" <<'Y'
suite: child
extends: base/tiny.yaml
model: {arch: mlp, width: 16}
train: {epochs: 2}
unlearn:
  - {grid: {lr: [0.1, 0.01], epochs: [1, 2]}, finetune: {momentum: 0.5}}
  - {label: GA, grid: {lr: [0.001, 0.002]}, gradient-ascent: }
attacks: []
Y
expect_exit 0 "$lethe" run "$work/child.yaml" --store "$work/s" --out "$work/o" --no-figures -q
check "a grid makes a row of each combination" test "$(column "$work/o/leaderboard.csv" method | sort | tr '\n' '|')" = \
    "GA lr=0.001|GA lr=0.002|finetune lr=0.01 epochs=1|finetune lr=0.01 epochs=2|finetune lr=0.1 epochs=1|finetune lr=0.1 epochs=2|original|retrain|"
check "maps are merged, lists replaced" python3 - "$work/o/manifest.json" <<'PY'
import json, sys
m = json.load(open(sys.argv[1]))
r = m["resolved"]
assert r["train"] == {"epochs": 2, "batch": 32, "lr": 0.02, "momentum": 0.9, "weight_decay": 5e-4}, r["train"]
assert r["data"]["name"] == "synthetic" and r["attacks"] == [] and "extends" not in r
assert [u["params"]["momentum"] for u in m["unlearn"][:4]] == [0.5] * 4
PY
expect_exit 0 "$lethe" why "$work/child.yaml" --store "$work/s"
check "nothing to explain" grep -q "nothing would run" "$work/stdout"
expect_exit 0 "$lethe" why "$work/child.yaml" --store "$work/s" --set unlearn.0.finetune.momentum=0.75
check "the differing input is named" grep -q "plugin.params.momentum: 0.75; the nearest finished task has 0.5" "$work/stdout"
expect_exit 0 "$lethe" why "$work/child.yaml" --store "$work/s" --set train.epochs=3 --task "original 1"
check "inside the recipe too" grep -q "recipe.epochs: 3; the nearest finished task has 2" "$work/stdout"
expect_exit 0 "$lethe" store list --store "$work/s"
check "12 unlearning tasks" grep -Eq '^unlearn +12 ' "$work/stdout"
expect_exit 0 "$lethe" store check --store "$work/s"
f=$(find "$work/s/objects" -name logits.npy | head -n 1)
printf x >>"$f"
expect_exit 1 "$lethe" store check --store "$work/s"
check "the damaged file is named" grep -qF "$f" "$work/stderr"
expect_exit 1 "$lethe" store check --repair --store "$work/s"
expect_exit 0 "$lethe" store check --store "$work/s"
expect_exit 0 "$lethe" store gc "$work/child.yaml" --store "$work/s"
check "nothing of the suite goes" grep -q "^0 objects" "$work/stdout"
sed 's/lr: \[0.001, 0.002\]/lr: [0.001]/' "$work/child.yaml" >"$work/less.yaml"
expect_exit 0 "$lethe" store gc "$work/less.yaml" --store "$work/s" --dry-run
check "a dry run says" grep -q "would be removed" "$work/stdout"
expect_exit 0 "$lethe" store gc "$work/less.yaml" --store "$work/s"
expect_exit 0 "$lethe" plan "$work/less.yaml" --store "$work/s"
check "and keeps what is needed, but for the repaired one" grep -Eq '^unlearn +10 +10 ' "$work/stdout"
expect_error "gc: name the suites" "$lethe" store gc --store "$work/s"

echo "extends: loop.yaml" >"$work/loop.yaml"
expect_error "extends: more than 8 suites in a chain; is it a circle?" "$lethe" plan "$work/loop.yaml" --store "$work/s"
echo "extends: nowhere.yaml" >"$work/loop.yaml"
expect_error "loop.yaml:1:10: extends: " "$lethe" plan "$work/loop.yaml" --store "$work/s"
sed 's/lr: \[0.1, 0.01\]/lr: 0.1/' "$work/child.yaml" >"$work/bad.yaml"
expect_error "bad.yaml:6:17: grid.lr: expected a list of values" "$lethe" plan "$work/bad.yaml" --store "$work/s"
finish
