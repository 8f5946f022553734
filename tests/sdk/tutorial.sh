#!/usr/bin/env bash
# docs/PLUGINS.md as a stranger follows it: every block is saved or run as printed, in order.
. "$(dirname "$0")/../cli/lib.sh"
page=$(cd "$(dirname "$0")/../.." && pwd)/docs/PLUGINS.md
export PREFIX=$work/prefix
mkdir -p "$work/try/build"
ln -s "$LETHE_BUILD" "$work/try/build/release"
cd "$work/try" || exit 1

# A block in sh joins the script; another is saved, at its place among them, under the name that the
# text before it gives.
python3 - "$page" <<'PY' || fail "$page: the blocks cannot be read"
import os, re, sys
text = open(sys.argv[1]).read()
script = ["set -eu"]
end = 0
os.mkdir("blocks")
for i, block in enumerate(re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S)):
    language, body = block.groups()
    if language == "sh":
        script.append(body)
    else:
        name = re.findall(r"[Ss]ave (?:it|this) as\s+`([^`]+)`", text[end:block.start()])
        if len(name) != 1:
            sys.exit(f"a {language} block without exactly one file name before it")
        open(f"blocks/{i}", "w").write(body)
        folder = os.path.dirname(name[0])
        script.append((f"mkdir -p {folder} && " if folder else "") + f"cp blocks/{i} {name[0]}")
    end = block.end()
open("steps.sh", "w").write("\n".join(script))
PY
expect_exit 0 bash steps.sh
check "the method of the page was built" grep -q uniform_loss ascent/org_example_ascent.c
check "the plugin is described" grep -q "org.example.ascent 0.2.0" "$work/stdout"
check "no conformance test failed" test -z "$(grep -E '^  (fail|crash|timeout) ' "$work/stdout" || true)"
for out in out out-all; do
    column $out/runs.csv status >"$work/status"
    check "$out: every row is ok" test -s "$work/status" -a -z "$(grep -vx ok "$work/status" || true)"
done
column out/leaderboard.csv method >"$work/board"
check "the plugin is on the board" grep -qx Mine "$work/board"
check "so is the first draft" grep -qFx "First draft" "$work/board"
head -1 out-all/runs.csv >"$work/columns"
for c in org_example_my_membership_attack.auc_forget_test org_example_my_example_attack. my_audit_ks my_metric_test; do
    check "there is a column $c" grep -qF "$c" "$work/columns"
done
finish
