#!/usr/bin/env bash
# Installs into a staging folder, moves it, and builds plugins against it from outside the tree:
# C and C++, with CMake and with one compiler line. A suite with each of them gives a row.
. "$(dirname "$0")/../cli/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
CC=${CC:-cc}
CXX=${CXX:-c++}
sdk="$work/moved away"
unset PKG_CONFIG_SYSROOT_DIR

check "install" "$LETHE_CMAKE" --install "$LETHE_BUILD" --prefix "$work/staged" >"$work/install.log"
mv "$work/staged" "$sdk"
for f in bin/lethe libexec/lethe/lethe-worker lib/lethe-1/plugins/finetune.so include/lethe/lethe.h \
    lib/pkgconfig/lethe.pc lib/cmake/lethe/letheConfig.cmake share/lethe/reports/head.gp.in; do
    check "$f is installed" test -f "$sdk/$f"
done
check "every plugin is installed" test \
    "$(ls "$LETHE_BUILD/lib/lethe-1/plugins"/*.so | wc -l)" = "$(ls "$sdk/lib/lethe-1/plugins"/*.so | wc -l)"
check "every header is installed" diff -r "$here/../../include/lethe" "$sdk/include/lethe"
check "no path of the build is in the SDK" test -z \
    "$(grep -rl -e "$LETHE_BUILD" -e "$work/staged" "$sdk/lib/cmake" "$sdk/lib/pkgconfig" || true)"

# The moved programs find each other and their plugins.
lethe=$sdk/bin/lethe
expect_exit 0 "$lethe" version
expect_exit 0 "$lethe" plugins --json
check "the moved plugins are listed" grep -qF "$sdk/lib/lethe-1/plugins/finetune.so" "$work/stdout"

# pkg-config writes the blanks of a path with backslashes; eval reads them as a shell would.
export PKG_CONFIG_PATH="$sdk/lib/pkgconfig"
mkdir "$work/line"
compile() { # COMPILER SOURCE OBJECT FLAG...
    local compiler=$1 source=$2 object=$3
    shift 3
    eval "\"\$compiler\" -O2 -Wall -Wextra -Werror -shared $* $(pkg-config --cflags lethe)" \
        "-o \"\$object\" \"\$source\" $(pkg-config --libs lethe)"
}
check "one line builds the C plugin" \
    compile "$CC" "$here/project/step_back.c" "$work/line/step_back.so" -std=c11
check "one line builds the C++ plugin" \
    compile "$CXX" "$here/project/step_back_cxx.cpp" "$work/line/step_back_cxx.so" -std=c++17
check "CMake configures" "$LETHE_CMAKE" -S "$here/project" -B "$work/cmake" \
    -DCMAKE_PREFIX_PATH="$sdk" -DCMAKE_BUILD_TYPE=Release >"$work/configure.log"
check "CMake builds" "$LETHE_CMAKE" --build "$work/cmake" >"$work/build.log"

exports() { nm -D --defined-only "$1" | awk '{ print $3 }'; }
for way in line cmake; do
    for name in step_back step_back_cxx; do
        check "$way/$name.so was built" test -f "$work/$way/$name.so"
        check "$way/$name.so exports the entry" grep -qx lethe_plugin_entry <(exports "$work/$way/$name.so")
    done
done
for name in step_back step_back_cxx; do
    check "cmake/$name.so exports nothing else" test "$(exports "$work/cmake/$name.so")" = lethe_plugin_entry
done

cat >"$work/suite.yaml" <<Y
suite: sdk
data: {name: synthetic, train: 120, test: 60}
model: {arch: mlp, width: 16}
train: {epochs: 2, batch: 32, lr: 0.05}
forget: [{random: 0.1}]
references: {retrain: 3}
report: {gap: [forget_acc, retain_acc, test_acc]}
unlearn:
  - finetune: {epochs: 1, lr: 0.01}
  - {label: c line, plugin: $work/line/step_back.so}
  - {label: cxx line, plugin: $work/line/step_back_cxx.so}
  - {label: c cmake, plugin: $work/cmake/step_back.so}
  - {label: cxx cmake, plugin: $work/cmake/step_back_cxx.so}
Y
expect_exit 0 "$lethe" run "$work/suite.yaml" --store "$work/store" --out "$work/out" --no-figures
column "$work/out/runs.csv" status >"$work/status"
check "every row is ok" test -z "$(grep -vx ok "$work/status" || true)"
column "$work/out/runs.csv" method >"$work/methods"
column "$work/out/leaderboard.csv" method >"$work/board"
for label in "c line" "cxx line" "c cmake" "cxx cmake"; do
    check "$label has a row" grep -qx "$label" "$work/methods"
    check "$label is on the board" grep -qx "$label" "$work/board"
done
# One method by the same fit as finetune: the four must agree with it in every accuracy.
for cell in forget_acc retain_acc test_acc; do
    python3 - "$work/out/runs.csv" "$cell" >"$work/cells" <<'PY'
import csv, sys
rows = {r["method"]: r[sys.argv[2]] for r in csv.DictReader(open(sys.argv[1], newline=""))}
for name in ("finetune", "c line", "cxx line", "c cmake", "cxx cmake"):
    print(rows[name])
PY
    check "$cell is a number" grep -qE '^[0-9.]+$' "$work/cells"
    check "$cell agrees" test "$(sort -u "$work/cells" | wc -l)" = 1
done
finish
