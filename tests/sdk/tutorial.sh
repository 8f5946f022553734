#!/usr/bin/env bash
# docs/PLUGINS.md as a stranger follows it: every block is saved or run as printed, in order.
. "$(dirname "$0")/../cli/lib.sh"
page=$(cd "$(dirname "$0")/../.." && pwd)/docs/PLUGINS.md
export PREFIX=$work/prefix
mkdir -p "$work/try/build"
ln -s "$LETHE_BUILD" "$work/try/build/release"
cd "$work/try" || exit 1

# A block in sh joins the script; another is saved under the name that the text before it gives.
python3 - "$page" <<'PY' || fail "$page: the blocks cannot be read"
import re, sys
text = open(sys.argv[1]).read()
script = ["set -eu"]
end = 0
for block in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S):
    language, body = block.groups()
    if language == "sh":
        script.append(body)
    else:
        name = re.findall(r"[Ss]ave (?:it|this) as `([^`]+)`", text[end:block.start()])
        if len(name) != 1:
            sys.exit(f"a {language} block without exactly one file name before it")
        open(name[0], "w").write(body)
    end = block.end()
open("steps.sh", "w").write("\n".join(script))
PY
check "all files were found" test -f ascent.c -a -f CMakeLists.txt -a -f suite.yaml
check "the page has its five scripts" test "$(grep -c '^```sh$' "$page")" = 5
expect_exit 0 bash steps.sh
check "the plugin is described" grep -q "org.example.ascent" "$work/stdout"
column out/runs.csv status >"$work/status"
column out/leaderboard.csv method >"$work/board"
check "every row is ok" test -s "$work/status" -a -z "$(grep -vx ok "$work/status" || true)"
check "the plugin is on the board" grep -qx Ascent "$work/board"
check "so is the one CMake built" grep -qFx "Ascent (CMake)" "$work/board"
finish
