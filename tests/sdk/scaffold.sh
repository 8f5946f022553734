#!/usr/bin/env bash
# `lethe plugin new` for each kind, as its README says: both builds, the conformance tests, the run on
# files, and a row (or a column) from a suite. Then: what is there is not overwritten.
. "$(dirname "$0")/../cli/lib.sh"
CC=${CC:-cc}
export PREFIX=$work/prefix
unset PKG_CONFIG_SYSROOT_DIR
check "install" "$LETHE_CMAKE" --install "$LETHE_BUILD" --prefix "$PREFIX" >"$work/install.log"
export PATH=$PREFIX/bin:$PATH PKG_CONFIG_PATH=$PREFIX/lib/pkgconfig
cd "$work" || exit 1

kinds="unlearner example-attack membership-attack audit metric"
plugins=()
for kind in $kinds; do
    id=org.example.my-$kind
    file=$(echo "$id" | tr .- __)
    expect_exit 0 lethe plugin new "$kind" "$id"
    for f in "$file.c" CMakeLists.txt README.md test/run.sh test/data.sh; do
        check "$kind: $f is written" test -s "$id/$f"
    done
    check "$kind: no word is left over" test -z "$(grep -rnE '@[A-Z_]+@' "$id" || true)"
    # every sh block of the README, in order: CMake, one compiler line, the tests
    awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$id/README.md" >"$id/steps.sh"
    sed -i "s/^cc /'$CC' -std=c11 -Wextra -Werror ${LETHE_SANITIZE:+-fsanitize=$LETHE_SANITIZE }/" "$id/steps.sh"
    sed -i "s/^cmake -B build/& -DCMAKE_C_COMPILER='$CC'/" "$id/steps.sh"
    (cd "$id" && bash -eu steps.sh) >"$work/$kind.log" 2>&1 || {
        fail "$kind: the steps of its README"
        tail -20 "$work/$kind.log" >&2
    }
    check "$kind: no test failed" grep -q ' 0 fail, 0 crash, 0 timeout$' "$work/$kind.log"
    check "$kind: ctest ran both" grep -q 'tests passed, 0 tests failed out of 2' "$work/$kind.log"
    plugins+=(--plugin "$id/build/$id.so")
done

cat >suite.yaml <<'Y'
suite: scaffolds
data: {name: synthetic, train: 120, test: 60}
model: {arch: mlp, width: 16}
train: {epochs: 2, batch: 32, lr: 0.05}
forget: [{random: 0.1}]
references: {retrain: 3, shadow: 2}
report: {gap: [forget_acc, retain_acc, test_acc]}
unlearn:
  - org.example.my-unlearner: {epochs: 1}
  - {label: By file, plugin: ./org.example.my-unlearner/build/org.example.my-unlearner.so}
attacks: [org.example.my-membership-attack, {org.example.my-example-attack: {eps: 0.1}}, org.example.my-audit]
metrics: [accuracy, org.example.my-metric]
Y
expect_exit 0 lethe run suite.yaml "${plugins[@]}" --store store --out out --no-figures
column out/runs.csv status >status
check "every row is ok" test -s status -a -z "$(grep -vx ok status || true)"
column out/leaderboard.csv method >board
check "the unlearner is on the board" grep -qx org.example.my-unlearner board
check "so is the one named by its file" grep -qx "By file" board
head -1 out/runs.csv | tr , '\n' >columns
for c in org_example_my_membership_attack.auc_forget_test my_audit_ks my_metric_forget; do
    check "$c is a column" grep -qx "$c" columns
    column out/runs.csv "$c" >cells
    check "$c has a number for each row" test -z "$(grep -vE '^-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?$' cells || true)"
done
check "the example attack has a column" grep -q '^org_example_my_example_attack\.' columns

# What it refuses.
expect_error "is there already" lethe plugin new metric org.example.my-metric
check "nothing was touched" grep -q brier org.example.my-metric/org_example_my_metric.c
expect_error 'did you mean "metric"' lethe plugin new metrics org.lab.m
expect_error "is no plugin id" lethe plugin new metric Org.Lab
expect_error "is reserved" lethe plugin new unlearner retrain
expect_exit 2 lethe plugin new metric
check "nothing was left by what was refused" test ! -e org.lab.m -a ! -e Org.Lab -a ! -e retrain
expect_exit 0 lethe plugin new audit org.lab.2fa elsewhere/deep
check "a name that begins with a digit compiles" "$CC" -std=c11 -fsyntax-only -I"$PREFIX/include" \
    elsewhere/deep/org_lab_2fa.c
finish
