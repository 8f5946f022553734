"""Change one thing at a time: exactly the tasks that depend on it are planned again. Walks every key of a suite.

usage: invalidation.py BUILD SOURCE WORK
Each case is (key, change of the suite, pattern of the titles that must run); everything else must come from the store."""
import copy, json, os, random, re, shutil, struct, subprocess, sys

build, source, work = sys.argv[1:4]
lethe = build + "/bin/lethe"
random.seed(1)

def npy(path, shape, dtype, data):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (dtype, repr(tuple(shape)))
    head += " " * (63 - (len(head) + 10) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data)

data = work + "/data"
os.makedirs(data)
for part, n in (("train", 120), ("test", 60)):
    labels = [i % 10 for i in range(n)]
    pixels = [random.random() * 0.5 + (0.5 if k == y else 0) for y in labels for k in range(64)]
    npy("%s/%s_images.npy" % (data, part), (n, 1, 8, 8), "<f4", struct.pack("<%df" % len(pixels), *pixels))
    npy("%s/%s_labels.npy" % (data, part), (n,), "<i8", struct.pack("<%dq" % n, *labels))

plugins = build + "/lib/lethe-1/plugins"
mine = plugins + "/random_labels.so"
shutil.copy(mine, work + "/mine.so")

base = {
    "suite": "walk",
    "data": {"name": "npy", "path": data, "classes": 10},
    "model": {"arch": "mlp", "width": 8},
    "train": {"epochs": 2, "batch": 32, "lr": 0.05},
    "seeds": {"model": [1], "forget": [1], "unlearn": [1]},
    "forget": [{"random": 0.1}],
    "references": {"retrain": 2, "shadow": 2},
    "unlearn": [
        {"finetune": {"epochs": 1, "lr": 0.01}},
        {"label": "attacked", "amun": {"epochs": 1}},
        {"label": "mine", "plugin": "mine.so", "params": {"epochs": 1, "lr": 0.02}},
    ],
    "attacks": [{"rmia": {}}, "loss-threshold"],
    "metrics": ["accuracy", "divergence"],
}
# What stands behind an original or an oracle is not touched by what happens to methods, and so on.
everything = "."
all_but_data = "^(?!read )"
nothing = "^$"
of_finetune = "unlearn finetune,"

def at(path, value):
    def change(s):
        node = s
        keys = path.split(".")
        for k in keys[:-1]:
            node = node[int(k)] if isinstance(node, list) else node.setdefault(k, {})
        k = keys[-1]
        if isinstance(node, list):
            node[int(k)] = value
        else:
            node[k] = value
    return change

recipe = {"epochs": 3, "batch": 16, "lr": 0.1, "momentum": 0.5, "weight_decay": 0.001, "optimizer": "adam", "shuffle": False,
          "augment": "crop-flip", "clip_norm": 1.0, "spectral_clip": {"value": 0.5}, "schedule": {"step": 1, "gamma": 0.5}}
cases = [
    ("suite", at("suite", "other"), nothing),
    ("data", at("data.classes", 11), everything),
    ("data", at("data.train", 119), everything),
    ("data", at("data.test", 59), everything),
    ("model", at("model.width", 9), all_but_data),
    ("model", at("model.arch", "cnn"), all_but_data),
    ("seeds", at("seeds.model", [2]), "original 2"),
    ("seeds", at("seeds.forget", [2]), "random-0.1|^(evaluate|metric) .* on: train original"),
    ("seeds", at("seeds.unlearn", [2]), "unlearn "),
    ("forget", at("forget", [{"random": 0.2}]), "random-0.2|^(evaluate|metric) .* on: train original"),
    ("forget", at("forget", [{"class": 3}]), "class-3|^(evaluate|metric) .* on: train original"),
    ("references", at("references.retrain", 3), "oracle 3|^metric divergence"),
    ("references", at("references.shadow", 4), "shadow model [34]|^(attack|evaluate) rmia"),
    ("unlearn", at("unlearn.0.finetune.lr", 0.03), of_finetune),
    ("unlearn", at("unlearn.0.finetune.momentum", 0.4), of_finetune),
    ("unlearn", at("unlearn.1.amun.lr", 0.5), "unlearn attacked,"),
    ("unlearn", at("unlearn.1.amun.attack_eps", 0.1), "unlearn attacked,|^adversarial set"),
    ("unlearn", at("unlearn.1.label", "renamed"), nothing),
    ("unlearn", at("unlearn.0.expect", "unsupported"), nothing),
    ("unlearn", lambda s: s["unlearn"].reverse(), nothing),
    ("unlearn", lambda s: s["unlearn"].append({"gradient-ascent": {}}), "unlearn gradient-ascent"),
    ("unlearn", lambda s: s["unlearn"].pop(), nothing),
    ("attacks", at("attacks.0.rmia.gamma", 1.5), "^(attack|evaluate) rmia"),
    ("attacks", lambda s: s["attacks"].append("svc-mia"), "^(attack|evaluate) svc-mia"),
    ("metrics", lambda s: s["metrics"].append("confidence"), "^metric confidence"),
    ("variants", at("variants", [{"slow": {"lr": 0.01}}]), all_but_data),
    ("budget", at("budget", {"steps": 100000}), "unlearn "),
    ("train", lambda s: (s["seeds"].update({"model": [1, 2]}),
                         s["train"].update({"spectral_clip": {"value": 1}, "lotos": {"factor": 0.05, "mal": 0.8}})), all_but_data),
    ("limits", at("limits", {"wall": "10m", "memory": "4GiB"}), nothing),
    ("report", at("report", {"formats": ["svg"], "gap": ["forget_acc"], "baselines": ["mine"]}), nothing),
    ("tune", at("tune", {"trials": 2, "retrain": 1}), None),
    ("transfer", at("transfer", [{"pgd-linf": {}}]), "^transfer |pgd-linf"),
] + [("train", at("train." + k, v), all_but_data) for k, v in recipe.items()]

def keys_of(path, array):
    text = open(source + "/" + path).read()
    return set(re.findall(r'"(\w+)"', re.search(array + r"\[\] = \{(.*?)NULL\}", text, re.S).group(1)))

failures = []
walked = {key for key, _, _ in cases}
missing = keys_of("core/suite/suite_file.c", "suite_keys") - walked
if missing:
    failures.append("no case changes these keys of a suite: %s" % ", ".join(sorted(missing)))
text = open(source + "/core/nn/recipe.c").read()
known = set(re.findall(r'"(\w+)"', re.search(r'keys\[\] = \{\s*"epochs"(.*?)NULL\}', text, re.S).group(0)))
unknown = known - set(recipe) - {"lotos", "beta1", "beta2", "eps"}  # cases of their own
if unknown:
    failures.append("no case changes these keys of train: %s" % ", ".join(sorted(unknown)))

def write(name, suite):
    with open(work + "/" + name, "w") as f:
        json.dump(suite, f)
    return work + "/" + name

def plan(path):
    out = subprocess.run([lethe, "plan", path, "--store", work + "/store", "--list"], capture_output=True, text=True)
    if out.returncode != 0:
        raise SystemExit("lethe plan failed: " + out.stderr)
    rows = [re.match(r"(\w{12}) (\S+) +(done|to run) +(.*)", line).groups() for line in out.stdout.splitlines()]
    return [(state == "to run", title) for _, _, state, title in rows]

def run(path):
    out = subprocess.run([lethe, "run", path, "--store", work + "/store", "--out", work + "/out", "-q", "--no-figures"],
                         capture_output=True, text=True)
    if out.returncode != 0:
        raise SystemExit("lethe run failed: " + out.stderr)

def compare(what, path, pattern):
    tasks = plan(path)
    if pattern is None:  # the key only adds tasks, or replaces all: what was planned before must still be there
        if what == "tune":
            done = sum(not to_run for to_run, _ in tasks)
            if done < n_settled:
                failures.append("%s: only %d of %d tasks come from the store" % (what, done, n_settled))
        return
    for to_run, title in tasks:
        if to_run != bool(re.search(pattern, title)):
            failures.append("%s: %s %s" % (what, title, "runs again" if to_run else "is taken from the store"))
    if pattern != nothing and not any(to_run for to_run, _ in tasks):
        failures.append("%s: nothing would run" % what)

path = write("base.yaml", base)
run(path)
if any(to_run for to_run, _ in plan(path)):
    failures.append("a finished suite would run tasks")
# Methods whose parameters may be tuned are planned after the trials, so they are not counted.
n_settled = sum("unlearn" not in title for _, title in plan(path))
for key, change, pattern in cases:
    changed = copy.deepcopy(base)
    change(changed)
    compare("%s (%s)" % (key, json.dumps(changed.get(key))[:90]) if pattern else key, write("changed.yaml", changed), pattern)

# What a suite does not say: the bytes of a plugin and of the data.
with open(work + "/mine.so", "ab") as f:
    f.write(b"\0")
compare("a byte of a plugin", path, "unlearn mine,")
shutil.copy(mine, work + "/mine.so")
compare("the plugin as it was", path, nothing)
for name in ("train_images.npy", "train_labels.npy", "test_images.npy", "test_labels.npy"):
    with open(data + "/" + name, "r+b") as f:
        bytes_ = bytearray(f.read())
        at_byte = len(bytes_) - 4 if "images" in name else 128
        old = bytes_[at_byte]
        f.seek(at_byte)
        f.write(bytes([old ^ 1]))
    compare("a byte of " + name, path, everything)
    with open(data + "/" + name, "r+b") as f:
        f.seek(at_byte)
        f.write(bytes([old]))
compare("the data as they were", path, nothing)

# Adam's own keys, from a base with Adam; they are nothing to SGD.
adam = copy.deepcopy(base)
adam.update({"unlearn": [], "attacks": [], "references": {"retrain": 1}})
adam["train"]["optimizer"] = "adam"
run(write("adam.yaml", adam))
for k, v in (("beta1", 0.8), ("beta2", 0.99), ("eps", 1e-6)):
    changed = copy.deepcopy(adam)
    changed["train"][k] = v
    compare("train." + k, write("changed.yaml", changed), all_but_data)

print("%d changes" % (len(cases) + 11))
for f in failures[:40]:
    print("FAIL: " + f, file=sys.stderr)
sys.exit(bool(failures))
