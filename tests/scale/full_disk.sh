#!/usr/bin/env bash
# The disk fills up, or the store becomes read-only, in mid-run: a clear error, nothing corrupt, and the same command
# finishes with the bytes of an undisturbed run. Needs to mount small file systems: as root, or in a user namespace.
if [ -z "${LETHE_MOUNTS:-}" ]; then
    probe=$(mktemp -d)
    if mount -t tmpfs none "$probe" 2>/dev/null; then
        umount "$probe"
        LETHE_MOUNTS=yes
    elif unshare -rm true 2>/dev/null; then
        LETHE_MOUNTS=yes exec unshare -rm bash "$0" "$@"
    fi
    rmdir "$probe"
fi
. "$(dirname "$0")/../cli/lib.sh"
if [ -z "${LETHE_MOUNTS:-}" ]; then
    echo "SKIPPED: this machine lets nobody mount a file system"
    exit 77
fi
tiny_suite | sed 's/epochs: 25/epochs: 5/; s/attacks:.*/attacks: [loss-threshold]/; s/shadow: 4/shadow: 0/' >"$work/t.yaml"
run() { # STORE OUT [OPTION...]
    "$lethe" run "$work/t.yaml" --store "$1" --out "$work/$2" --no-figures -q "${@:3}"
}
expect_exit 0 run "$work/s" o
report_hash "$work/o" >"$work/h"
mnt=$work/mnt
mkdir "$mnt"
trap 'umount "$mnt" 2>/dev/null; rm -rf "$work"' EXIT
mount -t tmpfs -o size=900k none "$mnt" || fail "mount"

# 900 kB, then 1.2 MB, then 1.6 MB: each run stops where the room ends, and keeps what it has.
before=0
for size in 900k 1200k 1600k; do
    mount -o "remount,size=$size" "$mnt"
    expect_exit 3 run "$mnt/s" o1 -j 2
    check "the error names the cause ($size)" grep -q "the store cannot be written: .*No space left on device" "$work/stderr"
    check "... and the cure" grep -q "the same command goes on from there" "$work/stderr"
    after=$(find "$mnt/s/objects" -name meta.json | wc -l)
    check "what is finished is kept: $after of at least $before" test "$after" -ge "$before"
    before=$after
    expect_exit 0 "$lethe" store check --store "$mnt/s"
    check "no workspace is left" test -z "$(ls "$mnt/s/tmp")"
done
check "some tasks had finished" test "$before" -gt 0
mount -o remount,size=64m "$mnt"
expect_exit 0 run "$mnt/s" o1
report_hash "$work/o1" >"$work/h1"
check "with room the same command finishes, same bytes" cmp "$work/h" "$work/h1"

# Read-only in mid-run. Nobody may have a file open for writing then: the run is held while its workers finish.
# A run that was done before it could be held is done again.
for _ in 1 2 3 4 5 6; do
    rm -rf "$mnt/s" "$work/o2"
    "$lethe" run "$work/t.yaml" --store "$mnt/s" --out "$work/o2" --no-figures -q -j 2 >"$work/stdout" 2>"$work/stderr" &
    pid=$!
    for _ in $(seq 400); do
        [ "$(find "$mnt/s/objects" -name meta.json 2>/dev/null | wc -l)" -ge 5 ] && break
        sleep 0.01
    done
    kill -STOP "$pid"
    for _ in $(seq 1000); do
        mount -o remount,ro "$mnt" 2>/dev/null && break
        sleep 0.01
    done
    kill -CONT "$pid"
    code=0
    wait "$pid" || code=$?
    [ "$code" = 0 ] || break
    mount -o remount,rw "$mnt"
done
check "exit code 3 on a store that became read-only (found $code)" test "$code" = 3
check "the error says so" grep -qi "the store cannot be written: .*read-only file system" "$work/stderr"
expect_exit 0 "$lethe" store check --store "$mnt/s"
mount -o remount,rw "$mnt"
expect_exit 0 run "$mnt/s" o2
report_hash "$work/o2" >"$work/h2"
check "writable again: same bytes" cmp "$work/h" "$work/h2"
mount -o remount,ro "$mnt"
expect_exit 0 run "$mnt/s" o3
report_hash "$work/o3" >"$work/h3"
check "a finished suite is reported from a read-only store" cmp "$work/h" "$work/h3"
mount -o remount,rw "$mnt"

# The disk of the report is full: the store has everything, the report does not.
mount -t tmpfs -o size=8k none "$mnt" || fail "mount"
expect_exit 3 "$lethe" run "$work/t.yaml" --store "$work/s" --out "$mnt/o" --no-figures -q
check "a full disk under the report is told" grep -q "No space left on device" "$work/stderr"
umount "$mnt"
finish
