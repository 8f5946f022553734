#!/usr/bin/env bash
# The report of a suite with a metric of a third party: tables that trace to runs.csv, LaTeX that
# compiles, figures by choice, and ANALYSIS.md as it stands.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
page=$(cd "$here/../.." && pwd)/docs/ANALYSIS.md
tiny_suite | sed -e 's/epochs: 25/epochs: 6/' >"$work/tiny.yaml"
cat >>"$work/tiny.yaml" <<Y
metrics: [accuracy, confidence, {label: their margins, plugin: $LETHE_BUILD/tests/plugins/bad_third_party_metric.so}]
report:
  formats: [svg]
  names: {"amun alone": "A_MUN & 50% #1"}
Y
sed -i 's/^  - {label: amun alone/  - {label: breaks, plugin: .\/none_\&.so}\n&/' "$work/tiny.yaml"
expect_exit 1 "$lethe" run "$work/tiny.yaml" --store "$work/s" --out "$work/o" -q
o=$work/o

check "every number of the tables traces to runs.csv" python3 "$here/report_tables.py" "$o" \
    "lr = 0.01" "momentum = 0.9" "weight_decay = 0.0005" "attack_steps = 50" "3 models retrained" "Shadow models for membership attacks: 4"
for c in their_margins.sure_share their_margins.margin_spread their_margins.sure_share_gap; do
    check "the leaderboard has $c" grep -q "$c" "$o/leaderboard.csv"
done
check "their two outputs are drawn" test "$(column "$o/figures/metric-their_margins-random-0.1.csv" metric | sort -u | wc -l)" = 2
check "as a picture" test -s "$o/figures/metric-their_margins-random-0.1.svg"
check "and their curve" test -s "$o/figures/curve-their_margins-random-0.1.svg"
check "what is not drawn has a reason" grep -q "^,predictions,random-0.1,no,no,no class is forgotten" "$o/figures/figures.csv"
for kind in gap strip time cost roc risk confidence agreement training metric curve; do
    check "a figure of kind $kind" grep -q "^[^,].*,$kind,random-0.1,yes" "$o/figures/figures.csv"
done
check "risks are shares" python3 -c "
import csv
v = [float(r['y']) for r in csv.DictReader(open('$o/curves/risk-rmia.csv'))]
assert v and all(0 <= x <= 1 for x in v)"

# The author's choice: columns, digits, spread, figures, widths.
expect_exit 1 "$lethe" report "$o" --out "$work/o2" -q --set "report.columns=[test_acc, their_margins.sure_share]" --set "report.decimals={percent: 1, fraction: 4}" --set report.spread=sd --set "report.figures=[agreement]" --set "report.widths=[one]" --formats svg,cairolatex
check "chosen columns" grep -q '^division,rank,method,test_acc,test_acc_gap,.*their_margins.sure_share,' "$work/o2/tables/paper-random-0.1.csv"
check "mean and sd" grep -q '{\$\\pm\$ [0-9]*\.[0-9]}' "$work/o2/tables/paper-random-0.1.tex"
check "one figure, in one column" test "$(cd "$work/o2/figures" && echo *)" = "agreement-random-0.1-narrow-latex.pdf agreement-random-0.1-narrow-latex.tex agreement-random-0.1-narrow.svg agreement-random-0.1.csv agreement-random-0.1.gp figures.csv"
expect_error 'no figure is called "agreemnt"; did you mean "agreement"' "$lethe" report "$o" --set "report.figures=[agreemnt]"
expect_error 'this suite has no column "test_ac"' "$lethe" report "$o" --out "$work/o3" --set "report.columns=[test_ac]"
expect_error "expected 0 to 8 digits, found 9" "$lethe" report "$o" --set "report.decimals={percent: 9}"

# LaTeX sets it all.
if command -v pdflatex >/dev/null; then
    mkdir "$work/tex"
    {
        printf '%s\n' '\documentclass{article}' '\usepackage[T1]{fontenc}' '\usepackage{booktabs,graphicx,xcolor}' '\begin{document}'
        for t in paper-random-0.1 cost runs environment methods; do printf '\\noindent\\input{%s}\n\n' "$o/tables/$t"; done
        printf '%s\n' "\\graphicspath{{$work/o2/figures/}}" "\\input{$work/o2/figures/agreement-random-0.1-narrow-latex}" "\\input{$work/o2/tables/paper-random-0.1}" '\end{document}'
    } >"$work/tex/all.tex"
    expect_exit 0 env -C "$work/tex" pdflatex -halt-on-error -interaction=nonstopmode all.tex
    check "a document came of it" test -s "$work/tex/all.pdf"
    check "nothing but citations is undefined" bash -c "! grep -E '^LaTeX Warning' '$work/tex/all.log' | grep -vE 'Citation|There were undefined|Label|float'"
else
    echo "pdflatex is not installed (texlive-latex-recommended): tables were not set"
fi

# ANALYSIS.md: its Python gives the leaderboard's numbers.
python3 - "$page" "$work" <<'PY'
import re, sys
blocks = re.findall(r"```python\n(.*?)```", open(sys.argv[1]).read(), re.S)
assert len(blocks) == 2
for i, b in enumerate(blocks):
    open(f"{sys.argv[2]}/block{i}.py", "w").write(b)
PY
expect_exit 0 python3 "$work/block0.py" "$o/runs.csv"
check "means by method" grep -q "^amun alone  *[0-9]" "$work/stdout"
expect_exit 0 python3 "$work/block1.py" "$o/runs.csv" forget_acc retain_acc test_acc rmia.auc_forget_test
check "the gap of the leaderboard" python3 - "$work/stdout" "$o/leaderboard.csv" <<'PY'
import csv, sys
board = {r["method"]: r["gap"] for r in csv.DictReader(open(sys.argv[2], newline="")) if r["gap"]}
mine = {r[1]: r[2] for r in csv.reader(open(sys.argv[1]))}
assert mine.keys() == board.keys() and len(mine) >= 6, (mine, board)
for m in mine:
    assert abs(float(mine[m]) - float(board[m])) < 1e-5, (m, mine[m], board[m])
PY
finish
