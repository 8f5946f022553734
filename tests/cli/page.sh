#!/usr/bin/env bash
# index.html: every number traces to the CSVs; the same bytes again; text from plugins and labels is no markup; and, where
# chromium is installed, sorting, filters, drill-down, keyboard, phone, paper. PICTURES=DIR keeps screenshots.
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")" && pwd)
cat >"$work/page.yaml" <<Y
suite: "page <b>&amp;</b> 'test'"
data: {name: synthetic, train: 240, test: 120, noise: 0.3}
model: {arch: cnn, width: 8}
train: {epochs: 8, batch: 32, lr: 0.02, momentum: 0.9}
seeds: {model: [1, 2], forget: [1, 2], unlearn: [1]}
forget: [{random: 0.1}, {class: 3}]
references: {retrain: 3, shadow: 4}
unlearn:
  - finetune: {epochs: 2, lr: 0.01}
  - random-labels: {epochs: 2, lr: 0.01}
  - amun: {epochs: 2, lr: 0.01}
  - {label: "<i>amun</i> & \"alone\"", amun: {epochs: 1, lr: 0.001, retain: false, forget: false}}
  - gradient-ascent: {epochs: 1, lr: 0.001}
  - {label: breaks, plugin: $LETHE_BUILD/tests/plugins/bad_markup.so}
attacks: [rmia]
metrics:
  - accuracy
  - confidence
  - {label: certainty, plugin: $LETHE_BUILD/tests/plugins/bad_foreign_metric.so}
report:
  names: {finetune: {name: Fine-tuning <b>bold</b>, colour: "#123456"}, certainty: Sure}
Y
sed -i 's/^suite: .*/suite: page-test/' "$work/page.yaml"

expect_exit 1 "$lethe" run "$work/page.yaml" -j2 --store "$work/s" --out "$work/o"
check "the page is there" test -s "$work/o/index.html"
check "every number traces to the tables" python3 "$here/page_numbers.py" "$work/o"
check "a third party's outputs are on the board" python3 - "$work/o" <<'PY'
import csv, json, re, sys
page = open(sys.argv[1] + "/index.html", encoding="utf-8").read()
data = json.loads(re.search(r'id="data">(.*?)</script>', page, re.S)[1])
heads = {c["name"]: c["head"] for c in data["columns"]}
assert heads["certainty.certainty_forget"] == "Sure certainty forget", heads
i = list(heads).index("certainty.certainty_drop")
assert all(e["cells"][i][0] is not None for e in data["board"] if e["used"]), "no values"
assert "certainty.certainty_drop_gap" in next(csv.reader(open(sys.argv[1] + "/leaderboard.csv")))
assert data["methods"][2]["name"] == "Fine-tuning <b>bold</b>" and data["methods"][2]["colour"] == "#123456"
PY
check "neither host, nor folder, nor date" python3 - "$work/o/index.html" "$work" <<'PY'
import re, socket, sys
page = open(sys.argv[1], encoding="utf-8").read()
own = page.split("</style>")[1].replace("plugin: ", "")
assert not re.search(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]T", own)
assert len(socket.gethostname()) < 4 or socket.gethostname() not in own
assert sys.argv[2] not in own, own[own.index(sys.argv[2]) - 80:][:200]
PY
cp "$work/o/index.html" "$work/first.html"
expect_exit 1 "$lethe" report "$work/o"
check "the same bytes again" cmp "$work/first.html" "$work/o/index.html"
expect_exit 1 "$lethe" report "$work/o" --out "$work/elsewhere"
check "and in another folder" cmp "$work/first.html" "$work/elsewhere/index.html"
mkdir "$work/bin"
expect_exit 3 env PATH="$work/bin" "$lethe" report "$work/o" --out "$work/o2"
check "without gnuplot the page has no pictures" test "$(grep -c '<figure' "$work/o2/index.html")" = 0
check "but the rest" python3 "$here/page_numbers.py" "$work/o2"

if command -v chromedriver >/dev/null && command -v chromium >/dev/null; then
    check "in a browser" python3 "$here/page_browser.py" "$work/o" ${PICTURES:+"$PICTURES"}
else
    echo "no chromium here: the page was not opened in a browser"
fi
finish
