#!/usr/bin/env bash
# `lethe metric` on files: the fixtures, output files, errors.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
fixtures=$here/../fixtures

check "the fixtures are reproduced" python3 "$here/metric_files.py" "$lethe" "$fixtures" "$work"

z=$fixtures/ece_v1/in_logits.npy
y=$fixtures/ece_v1/in_labels.npy
expect_exit 0 "$lethe" metric accuracy --target "$z" --labels "$y" --out "$work/v.csv" --curves "$work/c.csv" -q
check "values.csv has a header" test "$(head -1 "$work/v.csv")" = name,value
check "values come in declared order" test "$(cut -d, -f1 "$work/v.csv" | tr '\n' ' ')" = "name forget_acc retain_acc test_acc test_acc_forgotten "
check "undefined values are empty cells" grep -q '^retain_acc,$' "$work/v.csv"
check "curves have points" grep -q '^accuracy_forget,0,' "$work/c.csv"
check "people see the reason" grep -q 'undefined (no retain samples)' "$work/stdout"
cp "$work/v.csv" "$work/v1.csv"
expect_exit 0 "$lethe" metric accuracy --target "$z" --labels "$y" --out "$work/v.csv" --threads 2 -q
check "threads change nothing" cmp "$work/v.csv" "$work/v1.csv"

# A metric over groups of models, of one model: undefined, and why.
expect_exit 0 "$lethe" metric klom --target "$z" --labels "$y" --retrained "$z" -q
check "too few models is said" grep -q 'needs 8 models, there is 1' "$work/stdout"

expect_error 'no metric named "acuracy"; did you mean "accuracy"?' "$lethe" metric acuracy --target "$z"
expect_error "finetune is a plugin of kind unlearner; expected a metric" "$lethe" metric finetune --target "$z"
expect_error "--target $work/none.npy" "$lethe" metric accuracy --target "$work/none.npy"
expect_error "expected one for each of the 200 samples of --target" "$lethe" metric accuracy --target "$z" --labels "$fixtures/klom_v1/in_labels.npy"
expect_error "measure what? Give --target" "$lethe" metric accuracy
expect_error "bins" "$lethe" metric ece --target "$z" --labels "$y" --set bins=0
expect_error 'no parameter' "$lethe" metric ece --target "$z" --labels "$y" --set bin=10
expect_exit 2 "$lethe" metric ece --target "$z" -q
check "a metric that needs labels says so" grep -q "label -1 of sample 0 is none of 10" "$work/stderr"
expect_exit 2 "$lethe" metric divergence --target "$z" -q
check "missing oracles are named" grep -q "divergence needs --retrained R.npy" "$work/stderr"
finish
