#!/bin/sh
# Public headers in every language mode, with every compiler that is here.
#   headers.sh SOURCE_DIR WORK_DIR
# 1. each header compiles alone and twice, without a warning
# 2. a plugin that uses them builds as a module with nothing undefined, and exports only the entry
# 3. compiler options that change code do not move a byte of the layout
# 4. no struct has padding; every struct and constant of the headers is in offsets.txt
set -eu
source=$1
work=$2
include=$source/include
warn="-Wall -Wextra -Wpedantic -Wshadow -Wundef -Wpointer-arith -Wwrite-strings -Wcast-align -Werror"
modes="c:c11 c:c17 c++:c++17 c++:c++20"
mkdir -p "$work"
failed=0
compilers=0

complain() {
    echo "FAILED: $*" >&2
    failed=1
}

standalone() { # compiler language standard
    for path in "$include"/lethe/*.h; do
        header=$(basename "$path")
        printf '#include <lethe/%s>\n#include <lethe/%s>\nextern int unit;\n' "$header" "$header" |
            $1 -x "$2" -std="$3" $warn -fsyntax-only -I "$include" - ||
            complain "$1 -std=$3: $header"
    done
}

consumer() { # compiler language standard
    object=$work/consumer-$1-$3.so
    printf '#include "consumer.h"\n' |
        $1 -x "$2" -std="$3" $warn -fPIC -fvisibility=hidden -shared -I "$include" \
            -I "$source/tests/abi" - -o "$object" -Wl,-z,defs \
            -Wl,--version-script="$source/scripts/cmake/plugin.map" -lm ||
        { complain "$1 -std=$3: consumer.h"; return; }
    symbols=$(nm -D --defined-only "$object" | awk '{ print $3 }')
    [ "$symbols" = lethe_plugin_entry ] || complain "$1 -std=$3 exports: $symbols"
    # Tables are constant data: nothing of the plugin runs while it is loaded.
    ! nm "$object" | grep -q _GLOBAL__sub_I || complain "$1 -std=$3: consumer.h initialises at run time"
}

layout() { # compiler options...
    compiler=$1
    shift
    if ! $compiler -std=c11 "$@" -I "$include" "$source/tests/abi/abi_layout.c" \
        -o "$work/abi_layout" -lm 2>"$work/layout.log"; then
        # sanitizers and OpenMP come in packages of their own
        echo "skipped: $compiler $* (does not link here)"
        return
    fi
    "$work/abi_layout" --check "$source/tests/abi/offsets.txt" || complain "$compiler $*"
}

for compiler in gcc clang; do
    command -v $compiler >/dev/null || { echo "skipped: no $compiler"; continue; }
    compilers=$((compilers + 1))
    for mode in $modes; do
        language=${mode%%:*}
        standard=${mode#*:}
        if ! echo 'int unit;' | $compiler -x "$language" -std="$standard" -fsyntax-only - 2>/dev/null
        then
            echo "skipped: $compiler cannot do $standard"
            continue
        fi
        standalone $compiler "$language" "$standard"
        consumer $compiler "$language" "$standard"
    done
    layout $compiler -O0
    layout $compiler -O3 -DNDEBUG -ffast-math -march=native -funsigned-char
    layout $compiler -fopenmp
    layout $compiler -fsanitize=address,undefined
done
[ $compilers -gt 0 ] || complain "neither gcc nor clang is here"

if command -v clang >/dev/null; then
    for path in "$include"/lethe/*.h; do
        case $path in */helpers.h | */basics.h | */fit.h | */gradients.h | */targets.h | */relabel.h | \
            */adversarial.h | */scores.h | */measures.h | */perturb.h) continue ;; esac # not ABI
        printf '#define LETHE_HELPERS_H\n#define LETHE_BASICS_H\n#include <lethe/%s>\n' "$(basename "$path")" |
            clang -x c -std=c11 -Wpadded -Werror -fsyntax-only -I "$include" - ||
            complain "padding in $path"
    done
fi

abi_headers=$(ls "$include"/lethe/*.h | grep -v -e /helpers.h -e /basics.h -e /fit.h -e /gradients.h \
    -e /targets.h -e /relabel.h -e /adversarial.h -e /scores.h -e /measures.h -e /perturb.h)
{
    sed -n 's/^typedef struct \(lethe_[a-z_]*\) {.*/\1 size/p' $abi_headers
    sed -n 's/^#define \(LETHE_[A-Z0-9_]*\) (\{0,1\}[0-9].*/\1 /p' $abi_headers
    grep -o 'LETHE_[A-Z0-9_]* = -\{0,1\}[0-9]' $abi_headers | sed 's/.*\(LETHE_[A-Z0-9_]*\) = .*/\1 /' |
        grep -v LETHE_STATUS_LAST_
    sed -n 's/^ *X(\([A-Z_]*\), -\{0,1\}[0-9].*/LETHE_\1 /p' "$include/lethe/status.h"
} | sort -u >"$work/names"
[ "$(wc -l <"$work/names")" -gt 90 ] || complain "the headers' names were not read"
while read -r name rest; do
    grep -q "^$name $rest" "$source/tests/abi/offsets.txt" || complain "$name is not in offsets.txt"
done <"$work/names"
exit $failed
