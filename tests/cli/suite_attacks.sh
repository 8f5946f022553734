#!/usr/bin/env bash
# Example attacks, audits and transfer in a suite: every number again from the stored models through
# the file commands, and from images by hand.
. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
cat >"$work/t.yaml" <<'Y'
suite: attacked
data: {name: synthetic, train: 240, test: 120, noise: 0.3}
model: {arch: cnn, width: 8}
train: {epochs: 15, batch: 32, lr: 0.02, momentum: 0.9}
seeds: {model: [1, 2], forget: [1], unlearn: [1]}
forget:
  - {random: 0.1}
  - {class: 3}
references: {retrain: 3, shadow: 4}
unlearn:
  - finetune: {epochs: 1, lr: 0.01}
attacks:
  - loss-threshold
  - {pgd-linf: {eps: 8/255, steps: 4}, rows: 50}
  - {label: weak, fgsm: {eps: 4/255}}
  - u-mia
  - mia-nn
  - {label: rbf, mia-nn: {kernel: rbf}}
transfer:
  - {pgd-linf: {eps: 8/255, steps: 4}, rows: 50}
  - {label: all, fgsm: {eps: 16/255}}
Y
run=("$lethe" run "$work/t.yaml" --store "$work/s" --no-figures -q)
expect_exit 0 "${run[@]}" --out "$work/o"
check "columns, draws and values" python3 "$top/tests/cli/suite_attacks.py" "$lethe" "$work"
expect_exit 0 "${run[@]}" --out "$work/again" --store "$work/s2" -j 1
check "the same bytes from a fresh store" cmp "$work/o/transfer.csv" "$work/again/transfer.csv"
check "the same rows from a fresh store" cmp "$work/o/runs.csv" "$work/again/runs.csv"
expect_exit 0 "$lethe" verify "$work/o" --sample 0.2
expect_exit 0 "$lethe" plan "$work/t.yaml" --store "$work/s"
check "transfer is cached" grep -Eq '^transfer +8 +8 +0 ' "$work/stdout"

# A new attack on a finished board: what is there stays.
sed 's/label: all, fgsm: {eps: 16/label: all, fgsm: {eps: 12/' "$work/t.yaml" >"$work/more.yaml"
expect_exit 0 "$lethe" plan "$work/more.yaml" --store "$work/s"
check "another radius is another set" grep -Eq '^transfer +8 +4 +4 ' "$work/stdout"
check "of two originals" grep -Eq '^adversarial +[0-9]+ +[0-9]+ +2 ' "$work/stdout"

# No shadow models for attacks that look at none.
sed 's/^  - loss-threshold$//' "$work/t.yaml" >"$work/none.yaml"
expect_exit 0 "$lethe" plan "$work/none.yaml" --store "$work/s3"
check "8 trainings, no shadow models" grep -Eq '^train +8 ' "$work/stdout"

# Mistakes.
bad() { # TEXT SED-COMMAND
    sed "$2" "$work/t.yaml" >"$work/bad.yaml"
    expect_error "$1" "$lethe" plan "$work/bad.yaml" --store "$work/s3"
}
bad 'bad.yaml:14:46: rows: expected all or a number of test rows, found 0' 's/, rows: 50}$/, rows: 0}/'
bad 'rows: only example attacks take test rows; loss-threshold is of kind membership-attack' \
    's/- loss-threshold$/- {loss-threshold: {}, rows: 5}/'
bad 'no membership-attack, example-attack or audit named "u-mai"; did you mean "u-mia"?' 's/- u-mia/- u-mai/'
bad 'u-mia is a plugin of kind audit; expected kind example-attack' 's/label: all, fgsm: {eps: 16.255}/u-mia: {}/'
bad 'finetune is a plugin of kind unlearner; expected kind membership-attack' 's/- u-mia/- finetune/'
bad 'transfer: "pgd-linf" stands twice' 's/label: all, fgsm: {eps: 16.255}/pgd-linf: {}/'
finish
