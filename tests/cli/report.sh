#!/usr/bin/env bash
# lethe report: the same bytes again without running anything; what is not finished is refused.
. "$(dirname "$0")/lib.sh"
tiny_suite | sed -e 's/seeds: .*/seeds: {model: [1], forget: [1], unlearn: [1]}/' -e 's/epochs: 25/epochs: 4/' -e 's/, loss-threshold//' >"$work/tiny.yaml"
python3 - "$work/tiny.yaml" <<'PY'
import sys
s = open(sys.argv[1]).read()
line = "  - {label: breaks, plugin: ./none.so}\n"
s = s.replace("attacks:", line + "attacks:")
open(sys.argv[1], "w").write(s)
PY

expect_exit 1 "$lethe" report "$work/tiny.yaml" --store "$work/s" --out "$work/o"
check "a run that never was is refused" grep -q "is not finished: .* rows have no result" "$work/stderr"
check "nothing was written" test ! -e "$work/o"

expect_exit 1 "$lethe" run "$work/tiny.yaml" --store "$work/s" --out "$work/o"
report_hash "$work/o" >"$work/h1"
cp "$work/o/manifest.json" "$work/manifest"
expect_exit 1 "$lethe" report "$work/o"
check "the leaderboard is printed" grep -q "amun alone" "$work/stdout"
report_hash "$work/o" >"$work/h2"
check "the same bytes from the folder" diff "$work/h1" "$work/h2"
check "the machine of the run stays in the manifest" cmp "$work/manifest" "$work/o/manifest.json"
expect_exit 1 "$lethe" report "$work/o" --out "$work/o2" --json
check "rows are counted" python3 -c "
import json
r=json.load(open('$work/stdout'))
assert r['rows'] == 9 and r['rows_failed'] == 1 and r['rows_missing'] == 0, r"
report_hash "$work/o2" >"$work/h3"
check "the same bytes in another folder" diff "$work/h1" "$work/h3"
check "failures are told as they happened" grep -q "No such file or directory" "$work/o2/runs.csv"
check "logs are those of the run" diff -r "$work/o/logs" "$work/o2/logs"

# Only the report: part can change.
expect_exit 1 "$lethe" report "$work/tiny.yaml" --store "$work/s" --out "$work/o3" --set "report.gap=[forget_acc]" --formats svg
check "another gap" test "$(column "$work/o3/leaderboard.csv" gap | sed -n 3p)" = "$(column "$work/o3/leaderboard.csv" forget_acc_gap | sed -n 3p)"
check "svg alone" test "$(find "$work/o3/figures" -name '*.pdf' | wc -l)" = 0
expect_exit 1 "$lethe" report "$work/o" -q --out "$work/o6" --figures gap --formats svg
check "one kind of figure alone" test "$(cd "$work/o6/figures" && ls *.svg)" = gap-random-0.1.svg
check "but svg" test "$(find "$work/o3/figures" -name '*.svg' | wc -l)" -ge 2
check "what plugins cite is collected, once" test "$(grep -c '^@' "$work/o/references.bib")" = 4
expect_error 'no method, attack, metric or column of this suite is called "amn"; did you mean "amun"' "$lethe" report "$work/o" --set "report.names={amn: X}"
expect_error 'expected six digits such as "#0072B2"' "$lethe" report "$work/o" --set "report.names={amun: {colour: red}}"
expect_error "can change its report: part alone" "$lethe" report "$work/o" --set train.epochs=5
expect_error "no such suite or report" "$lethe" report "$work/nowhere"
expect_error "expected svg" "$lethe" report "$work/o" --formats gif

# Without gnuplot: everything but pictures, and exit code 3 with the package to install.
mkdir "$work/bin"
rm -rf "$work/o4"
expect_exit 3 env PATH="$work/bin" "$lethe" report "$work/o" --out "$work/o4"
check "the package is named" grep -q "gnuplot-nox" "$work/stderr"
for f in runs.csv leaderboard.csv figures/gap-random-0.1.csv figures/gap-random-0.1.gp; do
    check "$f is written without gnuplot" cmp "$work/o/$f" "$work/o4/$f"
done

# A store that has lost a task.
id=$("$lethe" plan "$work/tiny.yaml" --store "$work/s" --list | sed -n 's/^\([0-9a-f]*\) unlearn .*amun alone.*$/\1/p')
rm -rf "$(find "$work/s/objects" -path "*/$id*" -prune -name "$id*")"
expect_exit 1 "$lethe" report "$work/o" --out "$work/o5"
check "the lost row is named" grep -q "(the first: run 8, amun alone, random-0.1)" "$work/stderr"
expect_exit 1 "$lethe" report "$work/o" --out "$work/o5" --partial
check "a partial report says so" grep -q "PARTIAL" "$work/stderr"
check "in its row, too" grep -q "not run" "$work/o5/runs.csv"
finish
