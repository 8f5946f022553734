#!/usr/bin/env bash
# A plugin built from the headers of ABI 1.0, as they were when it was frozen, loads and runs for
# ever; one that needs a newer host is refused with a sentence that says what to do.
. "$(dirname "$0")/../cli/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
old=$here/headers-1.0
check "the frozen headers say 1.0" grep -q 'LETHE_ABI_MAJOR 1u' "$old/lethe/abi.h"
check "and 0 as the minor" grep -q 'LETHE_ABI_MINOR 0u' "$old/lethe/abi.h"
build() { # OBJECT FLAG...
    local object=$1
    shift
    "${CC:-cc}" -std=c11 -O1 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -I "$old" "$@" \
        -o "$object" "$here/frozen_1_0.c"
}
check "it builds" build "$work/frozen.so"

# Nothing of 1.0 has moved, changed its size or its value; structs may have become longer.
grep -v -e '^#' -e ' size ' -e '^LETHE_ABI_MINOR ' "$here/offsets-1.0.txt" >"$work/then"
grep -v -e '^#' -e ' size ' -e '^LETHE_ABI_MINOR ' "$here/offsets.txt" >"$work/now"
check "every field and constant of 1.0 is where it was" test -z "$(grep -vxFf "$work/now" "$work/then")"
check "1.0 has its fields" test "$(wc -l <"$work/then")" -gt 300

export LETHE_PLUGIN_PATH=$work
expect_exit 0 "$lethe" plugins
for kind in unlearner example member audit metric; do
    check "test.frozen-$kind is listed" grep -q "test.frozen-$kind" "$work/stdout"
done
cat >"$work/s.yaml" <<'Y'
suite: frozen
data: {name: synthetic, train: 120, test: 60}
model: {arch: mlp, width: 16}
train: {epochs: 2, batch: 32, lr: 0.05}
forget: [{random: 0.1}]
references: {retrain: 2}
unlearn: [test.frozen-unlearner]
attacks: [test.frozen-member, {label: audit, test.frozen-audit: {}}, test.frozen-example]
metrics: [accuracy, test.frozen-metric]
report: {gap: [forget_acc, retain_acc, test_acc]}
Y
expect_exit 0 "$lethe" run "$work/s.yaml" --store "$work/s" --out "$work/o" --no-figures
check "every slot was called and answered" python3 - "$work/o/runs.csv" <<'PY'
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1], newline="")))
r = rows[-1]
assert r["method"] == "test.frozen-unlearner" and r["status"] == "ok" and not r["failed_parts"], r
assert r["n_forget"] == r["audit.n_forget"] == "12" and 0 <= float(r["test_frozen_member.auc_forget_test"]) <= 1, r
PY
sed 's/LETHE_ENTRY(plugins, 0)/LETHE_ENTRY(plugins, 9)/' "$here/frozen_1_0.c" >"$work/newer.c"
"${CC:-cc}" -std=c11 -shared -fPIC -fvisibility=hidden -I "$old" -o "$work/newer.so" "$work/newer.c"
expect_error "needs host ABI 1.9 or newer" "$lethe" run "$work/s.yaml" --store "$work/s" --plugin "$work/newer.so"
check "it says what to do" grep -q "update Lethe, or build the plugin so that it needs less" "$work/stderr"
finish
