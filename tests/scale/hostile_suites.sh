#!/usr/bin/env bash
# Suite files that were not written by a friend are refused quickly; everything the format offers is read.
. "$(dirname "$0")/../cli/lib.sh"
cd "$work" || exit 1
# quickly TEXT FILE: refused with this text within two seconds, in little memory.
quickly() {
    local start end
    start=$(date +%s%N)
    expect_exit 2 bash -c "ulimit -v 1000000; exec '$lethe' plan '$2' --store '$work/store'"
    end=$(date +%s%N)
    grep -qF -- "$1" stderr || fail "expected: $1, found: $(head -c 300 stderr)"
    check "$2: $(((end - start) / 1000000)) ms" test $((end - start)) -lt 2000000000
}
python3 - <<'PY'
def write(name, text):
    open(name, "w").write(text)
base = "suite: x\ndata: {name: synthetic, train: 60, test: 30}\nmodel: {arch: mlp, width: 8}\nforget: [{random: 0.1}]\n"
bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
for i in range(1, 30):
    bomb += "a%d: &a%d [%s]\n" % (i, i, ", ".join(["*a%d" % (i - 1)] * 9))
write("bomb.yaml", bomb + base)
write("deep.yaml", base + "unlearn: " + "[" * 20000 + "]" * 20000 + "\n")
write("deep-map.yaml", base + "".join(" " * i + "k:\n" for i in range(500)))
write("twice.yaml", base + "train: {epochs: 1, epochs: 2}\n")
write("top-twice.yaml", base + "suite: y\n")
write("large.yaml", base + "unlearn:\n" + "".join("  - {label: l%d, finetune: {lr: 0.01}}\n" % i for i in range(260000)))
write("long-line.yaml", base + "unlearn: [" + "finetune, " * 1100000 + "]\n")
write("binary.yaml", "suite: \x00\x01\x02\n")
open("latin.yaml", "wb").write(b"suite: caf\xe9\n")
write("tag.yaml", base + "train: !!python/object/apply:os.system [\"true\"]\n")
write("two.yaml", base + "---\n" + base)
write("empty.yaml", "")
write("merge.yaml", base + "d: &d {epochs: 1}\ntrain: {<<: *d}\n")
PY
quickly 'bomb.yaml:2:10: aliases' bomb.yaml
quickly 'deep.yaml:5:73: nested more than 64 levels deep' deep.yaml
quickly 'nested more than 64 levels deep' deep-map.yaml
quickly 'twice.yaml:5:20' twice.yaml
quickly 'top-twice.yaml:5:1' top-twice.yaml
quickly 'large.yaml: larger than the 4194304 bytes' large.yaml
quickly 'long-line.yaml' long-line.yaml
quickly 'binary.yaml' binary.yaml
quickly 'latin.yaml' latin.yaml
quickly 'tag.yaml' tag.yaml
quickly 'two.yaml' two.yaml
quickly 'empty.yaml' empty.yaml
quickly 'merge.yaml' merge.yaml

# What the format offers: classes, index files with a column, labels, parameters in several places.
printf 'x,unlearn_idx,y\n1,5,1\n2,17,1\n3,40,1\n' >amun.csv
printf 'row\n3\n4\n' >one.csv
cat >all.yaml <<'Y'
suite: all
data: {name: synthetic, train: 120, test: 60}
model: {arch: mlp, width: 8}
train: {epochs: 2, batch: 32, optimizer: sgd, lr: 0.05, schedule: {step: 8, gamma: 0.1}, momentum: 0.9, weight_decay: 5e-4, augment: none}
seeds: {model: [1], forget: [1], unlearn: [1]}
forget:
  - {random: 0.1}
  - {class: 3}
  - {class: [0, 7]}
  - {indices: amun.csv}
  - {indices: amun.csv, column: x}
  - {indices: one.csv}
  - {consecutive: {random: 0.1, requests: 2}}
references: {retrain: 2, shadow: 2}
unlearn:
  - finetune: {lr: 0.01, epochs: 1}
  - amun: {lr: 0.01, epochs: 1}
  - {label: AMUN (forget only), amun: {retain: false, lr: 0.003, epochs: 1}}
  - {label: "again: 1", finetune: {lr: 8/255, epochs: 1}}
attacks: [loss-threshold]
metrics: [accuracy]
limits: {wall: 30m, memory: 4GiB}
report: {formats: [svg, pdf], gap: [forget_acc, retain_acc, test_acc]}
Y
expect_exit 2 "$lethe" plan all.yaml --store store
check "two scenarios of one name are told" grep -q "forget: scenario indices-amun stands twice" stderr
sed -i '/column: x/d' all.yaml
expect_exit 0 "$lethe" run all.yaml --store store --out out --no-figures -q
check "every scenario has its rows" test "$(column out/runs.csv scenario | sort | uniq -c | awk '{print $2 "=" $1}' | tr '\n' ' ')" = \
    "class-0+7=7 class-3=7 consecutive-2x0.05=14 indices-amun=7 indices-one=7 random-0.1=7 "
check "all of them are fine" test "$(column out/runs.csv status | sort -u)" = ok
check "numbers may be fractions" grep -q '"lr": 0.0313725490196078' out/manifest.json
finish
