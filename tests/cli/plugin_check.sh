#!/usr/bin/env bash
# `lethe plugin check`: all of Lethe's plugins pass, the misbehaving ones get their outcomes, the
# command line does as it says.
. "$(dirname "$0")/lib.sh"
bad=$LETHE_BUILD/tests/plugins
limit="--timeout 60s"
export TMPDIR=$work/tmp
mkdir "$TMPDIR"

# ---- our own ----
# One fuzz case each: the cases are most of the time. AMUN, which runs an attack too, gets more.
expect_exit 0 "$lethe" plugin check --json --fuzz 1 $limit "$LETHE_BUILD"/lib/lethe-1/plugins/*.so
cp "$work/stdout" "$work/own.json"
check "every plugin was checked, and nothing failed" python3 - "$work/own.json" "$LETHE_BUILD" <<'PY'
import glob, json, sys
report = json.load(open(sys.argv[1]))
files = glob.glob(sys.argv[2] + "/lib/lethe-1/plugins/*.so")
assert len(report["files"]) == len(files) > 40, len(report["files"])
for f in report["files"]:
    c = f["counts"]
    assert c["fail"] + c["crash"] + c["timeout"] == 0, f["file"]
    assert c["pass"] > 20, (f["file"], c)
    names = [r["test"] for r in f["results"] if r["plugin"]]
    assert {"defaults", "state", "threads", "cancel", "fuzz"} <= set(names), f["file"]
PY

expect_exit 0 "$lethe" plugin check -q --only fuzz --fuzz 8 $limit "$LETHE_BUILD/lib/lethe-1/plugins/amun.so"

# ---- misbehaving ones: file, test, outcome, a word of the sentence ----
cat >"$work/expected" <<'T'
constructor load crash SIGABRT
undefined load fail undefined
no_entry load fail lethe_plugin_entry
magic load fail LTH1
major load fail rebuild
minor load fail update
truncated load fail bytes
truncated_plugin load fail struct_size
empty load fail lists
segfault defaults crash SIGSEGV
abort repeat crash SIGABRT
exit defaults crash exited
nan defaults fail NaN
write_original inputs crash write-protected
grandchild left-behind fail processes
fail defaults fail 42
mute defaults fail E_UNSUPPORTED
outputs defaults fail radius
T
files=$(sed "s|^\([a-z_]*\) .*|$bad/bad_\1.so|" "$work/expected")
expect_exit 1 "$lethe" plugin check --json --only load,defaults,repeat,inputs,left-behind $limit $files
check "each has its outcome" python3 - "$work/stdout" "$work/expected" <<'PY'
import json, os, sys
by = {os.path.basename(f["file"])[4:-3]: f["results"] for f in json.load(open(sys.argv[1]))["files"]}
wrong = 0
for line in open(sys.argv[2]):
    name, test, outcome, word = line.split()
    found = [(r["outcome"], r["text"]) for r in by[name] if r["test"] == test]
    if not any(o == outcome and word in text for o, text in found):
        print("%s: expected %s to be %s (%s), found %s" % (name, test, outcome, word, found))
        wrong += 1
sys.exit(wrong > 0)
PY
# A run that does not end is one timeout; what would run it again is skipped.
expect_exit 1 "$lethe" plugin check --json --timeout 1s "$bad/bad_hang.so"
check "hang: defaults is a timeout, repeat is skipped" python3 - "$work/stdout" <<'PY'
import json, sys
by = {r["test"]: r["outcome"] for r in json.load(open(sys.argv[1]))["files"][0]["results"]}
sys.exit(not (by["defaults"] == "timeout" and by["repeat"] == "skip" and by["words"] == "pass"))
PY
# What is allowed and unwelcome is a warning.
expect_exit 0 "$lethe" plugin check -q --only noise,effect,imports $limit "$bad/bad_noisy.so"
check "noise is told" grep -q '^  warn     noise .*noise on stdout' "$work/stdout"
check "no effect is told" grep -q '^  warn     effect' "$work/stdout"
check "printf is told" grep -q '^  warn     imports .*printf' "$work/stdout"

# ---- fuzz: a failing case is repeated by the options it prints ----
expect_exit 1 "$lethe" plugin check --only fuzz --fuzz 4 --seed 40 $limit "$bad/bad_segfault.so"
repeat=$(sed -n 's/.*repeat with: lethe plugin check [^ ]* //p' "$work/stdout")
check "the case to repeat is printed" test -n "$repeat"
first=$(grep 'crash' "$work/stdout" | head -1)
expect_exit 1 "$lethe" plugin check $repeat $limit "$bad/bad_segfault.so"
check "and is the same" grep -qF -- "$first" "$work/stdout"
finetune=$LETHE_BUILD/lib/lethe-1/plugins/finetune.so
expect_exit 0 "$lethe" plugin check --only words,params,state --json $limit "$finetune"
cp "$work/stdout" "$work/once"
expect_exit 0 "$lethe" plugin check --only words,params,state --json $limit -j1 "$finetune"
check "equal runs print equal bytes" cmp -s "$work/once" "$work/stdout"

# ---- the command line ----
expect_exit 0 "$lethe" plugin check --list
check "the list has names and sentences" test "$(grep -cE '^[a-z-]+ +[a-z`]' "$work/stdout")" -gt 35
check "what is internal is not on the list" test -z "$(grep '^digest' "$work/stdout")"
expect_error 'did you mean "threads"' "$lethe" plugin check --only thread "$finetune"
expect_error "there is no such file" "$lethe" plugin check "$work/none.so"
expect_exit 2 "$lethe" plugin check
expect_exit 2 "$lethe" plugin check --seed many "$finetune"
expect_error "expected new or check" "$lethe" plugin make
expect_exit 0 "$lethe" plugin --help
expect_exit 0 "$lethe" plugin new --help
expect_exit 1 "$lethe" plugin check --only load "$0"
check "a text file is told" grep -q "cannot be loaded" "$work/stdout"
check "no temporary folder is left" test -z "$(ls "$TMPDIR")"
finish
