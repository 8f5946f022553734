#!/usr/bin/env bash
# Budgets are enforced by the host's meters; validation rows are granted, metered, and nobody else's.
. "$(dirname "$0")/lib.sh"
suite() { # TOP-LEVEL LINES, UNLEARN LINES
    cat <<Y
suite: budgets
data: {name: synthetic, train: 120, test: 60, validation: 40}
model: {arch: mlp, width: 16}
train: {epochs: 2, batch: 32, lr: 0.05}
forget: [{random: 0.1}]
references: {retrain: 3}
report: {gap: [forget_acc, retain_acc, test_acc]}
$1
unlearn:
$2
Y
}
cell() { # METHOD COLUMN
    python3 - "$work/o/runs.csv" "$1" "$2" <<'PY'
import csv, sys
print(next(r[sys.argv[3]] for r in csv.DictReader(open(sys.argv[1], newline="")) if r["method"] == sys.argv[2]))
PY
}
# 108 retain samples, batch 128: an epoch is 108 forward, 108 backward, 1 step.
suite "budget: {samples: 500}" "  - {label: fits, finetune: {epochs: 2, lr: 0.01}}
  - {label: too long, finetune: {epochs: 3, lr: 0.01}}
  - {label: more, budget: {samples: 648}, finetune: {epochs: 3, lr: 0.01}}
  - {label: steps, budget: {steps: 1}, finetune: {epochs: 2, lr: 0.01}}
  - {label: queries, budget: {samples: 100000, queries: 10}, amun: {epochs: 1, lr: 0.01}}
  - {label: asked, budget: {samples: 100000, queries: 1000000}, amun: {epochs: 1, lr: 0.01}}
  - {label: rewound, budget: {samples: 100000}, scrub: {rewind: true}}" >"$work/s.yaml"
expect_exit 1 "$lethe" run "$work/s.yaml" --store "$work/s" --out "$work/o" --no-figures
status() { check "$1 is $2" test "$(cell "$1" status)" = "$2"; }
reason() { check "$1 says: $2" grep -qF -- "$2" <<<"$(cell "$1" reason)"; }
status fits ok
status "too long" failed
reason "too long" "budget of 500 samples through the network (budget: {samples: 500}): forward would take 108 more, 68 are left"
status more ok
check "the meter stands at the budget" test "$(($(cell more forward) + $(cell more backward)))" = 648
status steps failed
reason steps "budget of 1 optimiser steps (budget: {steps: 1}): step would take 1 more, 0 are left"
status queries failed
reason queries "budget: {queries: 10}): the declared adversarial set would take"
status asked ok
check "the set's bytes are counted" test "$(cell asked bytes_cached)" -ge $((12 * 784 * 4))
check "so are its queries" test "$(cell asked attack_forward)" -gt 0
status rewound ok
check "validation reads are counted" test "$(cell rewound read_validation)" -ge 40
check "and not as others" test "$(cell rewound read_other)" = 0
check "others read none" test "$(cell fits read_validation)" = 0
check "CPU seconds of the call stand in costs.csv" sh -c "head -1 '$work/o/costs.csv' | grep -q 'run_s,prepare_cpu_s,run_cpu_s'"

# Where nothing can be spent, nothing changes; where a budget is not reached, the bytes are the same.
suite "" "  - {label: fits, finetune: {epochs: 2, lr: 0.01}}" >"$work/free.yaml"
expect_exit 0 "$lethe" run "$work/free.yaml" --store "$work/s" --out "$work/o2" --no-figures
for c in forget_acc retain_acc test_acc forward backward; do
    column "$work/o/runs.csv" $c | sed -n 5p >"$work/a"
    column "$work/o2/runs.csv" $c | sed -n 5p >"$work/b"
    check "$c is that of a run without a budget" cmp "$work/a" "$work/b"
done

# Validation rows: the training rows stay the first ones, none of the originals changes.
sed 's/, validation: 40//' "$work/free.yaml" >"$work/plain.yaml"
expect_exit 0 "$lethe" run "$work/plain.yaml" --store "$work/s" --out "$work/o3" --no-figures
column "$work/o2/runs.csv" retain_acc >"$work/a"
column "$work/o3/runs.csv" retain_acc >"$work/b"
check "validation rows change no model" cmp "$work/a" "$work/b"
suite "" "  - scrub: {rewind: true}" | sed 's/, validation: 40//' >"$work/denied.yaml"
expect_exit 1 "$lethe" run "$work/denied.yaml" --store "$work/s" --out "$work/o4" --no-figures
check "without validation rows the rewind is denied" grep -q ",denied," "$work/o4/runs.csv"

suite "budget: {sample: 5}" "  - finetune" >"$work/bad.yaml"
expect_error 'did you mean "samples"?' "$lethe" run "$work/bad.yaml" --store "$work/s"
suite "budget: {samples: -5}" "  - finetune" >"$work/bad.yaml"
expect_error "budget.samples: expected a number from 0, found -5" "$lethe" run "$work/bad.yaml" --store "$work/s"
suite "attacks: [{label: a, budget: {samples: 1}, loss-threshold: {}}]" "  - finetune" >"$work/bad.yaml"
expect_error "attacks: budget belongs to unlearn" "$lethe" run "$work/bad.yaml" --store "$work/s"
sed 's/validation: 40/validation: 1000000/' "$work/free.yaml" >"$work/bad.yaml"
expect_error "validation: 1000000 images are wanted" "$lethe" run "$work/bad.yaml" --store "$work/s"
finish
