#!/usr/bin/env bash
# lethe debug: one task of a suite in the foreground.
. "$(dirname "$0")/lib.sh"
tiny_suite >"$work/tiny.yaml"
expect_exit 0 "$lethe" run "$work/tiny.yaml" --store "$work/s" --out "$work/o" --no-figures -q
expect_exit 0 "$lethe" debug "$work/tiny.yaml" "unlearn finetune, original 1, random-0.1 seed 1" --store "$work/s" --set unlearn.0.finetune.lr=0.5
expect_exit 2 "$lethe" debug "$work/tiny.yaml" "no such task" --store "$work/s"
expect_exit 2 "$lethe" debug "$work/tiny.yaml" "unlearn" --store "$work/s"
expect_exit 0 "$lethe" debug "$work/tiny.yaml" "unlearn finetune, original 1, random-0.1 seed 1" --store "$work/s" --set unlearn.0.finetune.lr=0.7 --print
check "the command line is printed" grep -qE "lethe-worker. task|lethe-worker task" "$work/stdout"
finish
