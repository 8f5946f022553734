#!/usr/bin/env bash
# Suites with mistakes: each error names file, line, column, value and cure.
. "$(dirname "$0")/lib.sh"
cd "$work" || exit 1
base='suite: x
data: {name: synthetic, train: 60, test: 30}
model: {arch: mlp, width: 8}
forget: [{random: 0.1}]
'
# try TEXT YAML [OPTION...]
try() {
    local text=$1
    printf '%s' "$2" >s.yaml
    shift 2
    expect_error "$text" "$lethe" plan s.yaml --store "$work/store" "$@"
}
try 's.yaml:5:1: unknown key "unlern" in the suite; did you mean "unlearn"?' "${base}unlern: []
"
try 's.yaml:5:17: epochs: expected a whole number, found "many"' "${base}train: {epochs: many}
"
try 'no unlearner named "finetun"; did you mean "finetune"?' "${base}unlearn:
  - finetun
"
try 'accuracy is a plugin of kind metric; expected kind unlearner' "${base}unlearn:
  - accuracy
"
try 's.yaml:6:16: finetune has no parameter "lrr"; did you mean "lr"?' "${base}unlearn:
  - finetune: {lrr: 0.1}
"
try 'unlearn: "finetune" stands twice; give one of them another label' "${base}unlearn:
  - finetune
  - finetune: {lr: 0.1}
"
try 'unlearn: retrain is always on the board' "${base}unlearn: [retrain]
"
try 'rmia needs shadow models; add references: {shadow: 8} or more' "${base}attacks: [rmia]
"
try 'references.shadow: expected an even number' "${base}references: {shadow: 3}
"
try 'seeds.model: seed 1 stands twice' "${base}seeds: {model: [1, 1]}
"
try 'report.gap: no metric or attack of this suite gives "forget_ac"; did you mean "forget_acc"?' "${base}report: {gap: [forget_ac]}
"
try 'report.baselines: no method is labelled "amun"' "${base}unlearn: [finetune]
report: {baselines: [amun]}
"
try 'limits.wall: expected a time such as 90s, 30m or 2h, found "soon"' "${base}limits: {wall: soon}
"
try 'forget: expected a list of scenarios' 'suite: x
data: synthetic
model: mlp
'
try 'data: missing; for example data: {name: fashion-mnist, train: 5000}' 'suite: x
'
try 's.yaml:2:1: ' 'suite: x
suite: y
'
try '--only: ' "${base}unlearn: [finetune]
" --only fintune
try '--set train.epochs: ' "$base" --set train.epochs
try '--scenario: ' "$base" --scenario random-0.2
expect_exit 2 "$lethe" run no-such-file.yaml --store "$work/store"
expect_exit 2 "$lethe" rum
check "did you mean a command" grep -q 'did you mean "run"' "$work/stderr"
expect_exit 2 "$lethe" run
expect_exit 2 "$lethe" run --no-such-option x.yaml
for c in "" run plan plugins version; do
    expect_exit 0 "$lethe" $c --help
    check "help of '$c' says something" test "$(wc -l <"$work/stdout")" -ge 4
done
printf '%s' "$base" >s.yaml
expect_exit 0 "$lethe" run s.yaml --store "$work/store" --out "$work/out" --no-figures
sed -i 's/suite: x/suite: other/' s.yaml
expect_error 'holds the report of suite "x", not of "other"; choose another folder with --out' \
    "$lethe" run s.yaml --store "$work/store" --out "$work/out" --no-figures
finish
