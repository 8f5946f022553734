#!/usr/bin/env bash
# Layering: with a room's own compiler flags, headers of rooms above it must not be found, headers of
# rooms below must. Also: plugins include public headers only, and only core/plugin sees them.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
cc=${CC:-cc}
failures=0
checks=0
declare -A allowed=([base]="" [data]="base" [nn]="base" [plugin]="nn data base" [suite]="plugin nn data base" [report]="suite data base")
rooms="base data nn plugin suite report"
flags_of() { # -I flags that the build gives to a file of core/$1
    (cd "$LETHE_BUILD" && ninja -t compdb) | python3 -c '
import json, shlex, sys
room = sys.argv[1]
for c in json.load(sys.stdin):
    if "/core/%s/" % room in c["file"] and c["file"].endswith(".c"):
        words = shlex.split(c["command"])
        out = []
        for i, w in enumerate(words):
            if w.startswith("-I"): out.append(w)
            elif w == "-isystem": out += [w, words[i + 1]]
        print(" ".join(out)); break
' "$1"
}
try() { # FLAGS HEADER
    printf '#include "%s"\nint main(void) { return 0; }\n' "$2" | $cc -std=gnu11 -D_GNU_SOURCE $1 -fsyntax-only -x c - 2>/dev/null
}
fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}
for room in $rooms; do
    flags=$(flags_of "$room")
    [ -n "$flags" ] || fail "no compiler flags found for room $room"
    for other in $rooms; do
        [ "$other" = "$room" ] && continue
        seen=0
        for header in "$top/core/$other"/*.h; do
            name=$(basename "$header")
            checks=$((checks + 1))
            [ -f "$top/core/$room/$name" ] && fail "$name exists in both $room and $other"
            try "$flags" "$name" && seen=$((seen + 1))
        done
        case " ${allowed[$room]} " in
        *" $other "*) [ "$seen" -gt 0 ] || fail "$room cannot include any header of $other" ;;
        *) [ "$seen" = 0 ] || fail "$room can include $seen headers of $other" ;;
        esac
    done
    checks=$((checks + 1))
    if [ "$room" = plugin ]; then
        try "$flags" lethe/lethe.h || fail "plugin cannot include lethe/lethe.h"
    else
        try "$flags" lethe/lethe.h && fail "$room can include lethe/lethe.h"
    fi
done
while read -r line; do
    fail "a plugin includes more than public headers: $line"
done < <(grep -nE '^#include "' "$top"/plugins/*/*.c | grep -vE '"lethe/[a-z]+\.h"'
    for header in "$top"/core/*/*.h; do grep -nF "#include <$(basename "$header")>" "$top"/plugins/*/*.c; done)
echo "$checks checks, $failures failures"
[ "$checks" -gt 50 ] && exit $((failures > 0))
exit 1
