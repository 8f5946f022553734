#!/usr/bin/env bash
# import: originals, oracles, methods and shadow models that were made elsewhere.
. "$(dirname "$0")/lib.sh"
helper=$(dirname "$0")/imports.py
head_of_suite() {
    cat <<Y
suite: $1
data: {name: synthetic, train: 240, test: 120, noise: 0.3}
model: {arch: mlp, width: 16}
train: {epochs: 6, batch: 32, lr: 0.05, momentum: 0.9}
seeds: {model: [1, 2], forget: [1], unlearn: [1]}
forget: [{random: 0.1}]
attacks: [rmia, loss-threshold]
metrics: [accuracy, confidence, weight-distance]
Y
}
run() {
    local want=$1 name=$2
    expect_exit "$want" "$lethe" run "$work/$name.yaml" --store "$work/$name-store" --out "$work/$name" --no-figures -q
}
{
    head_of_suite made
    echo 'references: {retrain: 3, shadow: 4}'
    echo 'unlearn: [finetune: {epochs: 1, lr: 0.01}]'
} >"$work/made.yaml"
run 0 made
mkdir "$work/e"
check "exported" python3 "$helper" export "$work/made-store" "$work/made/runs.csv" "$work/e"

# Weights of everything: every number that does not hang on shadow models is the same.
{
    head_of_suite models
    cat <<'Y'
references:
  original: {import: {models: "e/original-{seed}.safetensors"}}
  retrain: {count: 3, import: {models: "e/retrain-{seed}.safetensors"}}
  shadow: 4
unlearn:
  - {label: finetune, import: {models: "e/finetune-{seed}.safetensors"}}
Y
} >"$work/models.yaml"
run 0 models
check "imported models measure as those they are copies of" \
    python3 "$helper" same "$work/made/runs.csv" "$work/models/runs.csv" forget_ retain_ test_ rmia. loss_threshold. distance
check "nothing but shadow models was trained" test "$(grep -l '"role": "retrain"\|"role": "original"' -r "$work/models-store" --include=meta.json | wc -l)" = 0
check "the divisions" test "$(column "$work/models/runs.csv" division | sort | uniq -c | tr -s ' \n' ' ')" = " 2 imported 5 reference "
check "costs of what was made elsewhere are not known" test -z "$(column "$work/models/costs.csv" wall_s | tr -d '\n')"

# An imported original can be unlearned from.
sed 's/^  - {label: finetune.*/  - finetune: {epochs: 1, lr: 0.01}/' "$work/models.yaml" >"$work/again.yaml"
run 0 again
check "the same unlearning from an imported original" \
    python3 "$helper" same "$work/made/runs.csv" "$work/again/runs.csv" forget_ retain_ test_ rmia. distance

# Outputs of everything, shadow models with an inclusion of their own.
{
    head_of_suite logits
    cat <<'Y'
references:
  original: {import: {logits: "e/original-{seed}.npy"}}
  retrain: {count: 3, import: {logits: "e/retrain-{seed}.npy"}}
  shadow: {import: {logits: e/shadows.npy, inclusion: e/inclusion.npy}}
unlearn:
  - {label: finetune, import: {logits: "e/finetune-{seed}.npy"}}
Y
} >"$work/logits.yaml"
run 0 logits
check "imported outputs measure the same" \
    python3 "$helper" same "$work/made/runs.csv" "$work/logits/runs.csv" forget_ retain_ test_ loss_threshold.
check "without weights no distances" test -z "$(column "$work/logits/runs.csv" distance_original_l2 | tr -d '\n')"
check "no model was trained" test "$(grep -l '"kind": "train"' -r "$work/logits-store" --include=meta.json | wc -l)" = 0
expect_exit 0 "$lethe" attack rmia --target "$work/e/finetune-1.npy" --labels "$work/e/labels.npy" \
    --references "$work/e/shadows.npy" --inclusion "$work/e/inclusion.npy" --out "$work/scores.csv"
id=$(python3 -c 'import csv,sys; print(next(r["model_id"] for r in csv.DictReader(open(sys.argv[1])) if r["method"]=="finetune"))' "$work/logits/runs.csv")
check "the imported inclusion is what the attack sees" python3 "$helper" scores "$work/logits-store" "$work/scores.csv" "$id"

# What does not fit.
sed 's/^  - {label: finetune.*/  - finetune: {epochs: 1}/' "$work/logits.yaml" >"$work/outputs.yaml"
run 1 outputs
check "outputs cannot be unlearned" grep -q "imported as logits: there is no model to unlearn from" "$work/outputs/runs.csv"
mv "$work/e/retrain-2.npy" "$work/e/original-2.npy" "$work"
sed 's/^suite: .*/suite: missing/' "$work/logits.yaml" >"$work/missing.yaml"
run 1 missing
check "a missing oracle is a row with a reason" grep -q "retrain,.*failed,,import: there is no file retrain-2.npy" "$work/missing/runs.csv"
check "and a missing original" grep -q "original,.*failed,,import: there is no file original-2.npy" "$work/missing/runs.csv"
check "the others stand" test "$(column "$work/missing/runs.csv" status | grep -c ok)" = 5
mv "$work/retrain-2.npy" "$work/original-2.npy" "$work/e"
sed 's/inclusion.npy/wrong.npy/' "$work/logits.yaml" >"$work/wrong.yaml"
run 1 wrong
check "a wrong inclusion is named" grep -q "wrong.npy: model 0, row 0 is 7, expected 1 trained on it, 0 not, 2 leave it out" "$work/wrong/runs.csv"
sed 's/shadows.npy/original-1.npy/' "$work/logits.yaml" >"$work/shape.yaml"
expect_error "original-1.npy: expected shape (models, training rows used + test rows used, classes)" "$lethe" plan "$work/shape.yaml" --store "$work/x"
sed 's/{seed}/{sede}/' "$work/logits.yaml" >"$work/word.yaml"
expect_error 'import: expected {seed}, found "{sede}.npy"' "$lethe" plan "$work/word.yaml" --store "$work/x"
sed 's/, inclusion: e.*npy}}/}}/' "$work/logits.yaml" >"$work/half.yaml"
expect_error "import: expected {logits: FILE.npy, inclusion: FILE.npy}" "$lethe" plan "$work/half.yaml" --store "$work/x"
finish
