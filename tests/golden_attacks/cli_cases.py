#!/usr/bin/env python3
"""Golden cases of attacks through the command line: runs `lethe attack` on the fixtures and prints
one line a case with its largest error and its tolerance. Standard library only.
    cli_cases.py LETHE FIXTURES WORK_DIR"""
import array
import csv
import json
import math
import os
import re
import struct
import subprocess
import sys

LETHE, FIXTURES, WORK = sys.argv[1:4]
TYPES = {"<f4": "f", "<f8": "d", "<i8": "q", "|u1": "B", "u1": "B"}
failures = cases = 0


def load(path):
    """(shape, flat list) of a fixture."""
    with open(os.path.join(FIXTURES, path + ".npy"), "rb") as f:
        raw = f.read()
    size = struct.unpack("<H", raw[8:10])[0]
    header = raw[10:10 + size].decode()
    shape = tuple(int(n) for n in re.search(r"'shape': \(([^)]*)\)", header)[1].split(",") if n.strip())
    data = array.array(TYPES[re.search(r"'descr': '([^']*)'", header)[1]])
    data.frombytes(raw[10 + size:])
    return shape, list(data)


def save(name, shape, values, code="<f4"):
    """A .npy file in the work folder; its path."""
    path = os.path.join(WORK, name + ".npy")
    header = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (
        code.replace("B", "|u1"), "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")")
    header += " " * ((-len(header) - 11) % 64) + "\n"
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        f.write(array.array(TYPES[code], values).tobytes())
    return path


def read_npy(path):
    global FIXTURES
    keep, FIXTURES = FIXTURES, ""
    try:
        return load(os.path.splitext(path)[0])
    finally:
        FIXTURES = keep


def lethe(*args):
    done = subprocess.run([LETHE, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError("lethe %s: exit %d: %s" % (" ".join(args), done.returncode, done.stderr))
    return done.stdout


def scores(attack, *args):
    out = os.path.join(WORK, "scores.csv")
    lethe("attack", attack, *args, "--out", out)
    with open(out) as f:
        rows = list(csv.DictReader(f))
    return {k: [float(r[k]) for r in rows] for k in rows[0]}


def report(case, error, tolerance):
    global failures, cases
    cases += 1
    ok = error <= tolerance
    failures += not ok
    print("%-62s error %.3g  tolerance %g  %s" % (case, error, tolerance, "ok" if ok else "FAILED"))


def compare(case, found, expected, atol, rtol=0.0):
    """Error beyond the relative part."""
    worst = max([0.0] + [abs(a - b) - rtol * abs(b) for a, b in zip(found, expected)])
    if len(found) != len(expected) or any(math.isnan(v) for v in found):
        worst = math.inf
    report(case, worst, atol)


def sets(**values):
    return [w for k, v in values.items() for w in ("--set", "%s=%s" % (k, v))]


def log_odds(p):
    """Logits of two classes whose softmax is (p, 1 - p)."""
    return [-math.inf if p <= 0 else math.log(p), -math.inf if p >= 1 else math.log1p(-p)]


# ---- membership attacks ----

def rmia_amun():
    case = "rmia_amun_v1"
    shape, t = load(case + "/in_target_logits")
    rshape, r = load(case + "/in_reference_logits")
    _, y = load(case + "/in_labels")
    ishape, inc = load(case + "/in_inclusion")
    member = load(case + "/in_target_member")[1]
    files = ["--target", save("t", shape, t), "--labels", save("y", shape[:1], y, "<i8"),
             "--references", save("r", rshape, r), "--inclusion", save("i", ishape, inc, "|u1")]
    for signal in ("softmax", "taylor", "soft-margin", "taylor-soft-margin"):
        for gamma in (1, 2):
            found = scores("rmia", *files, *sets(variant="amun", signal=signal, temperature=2,
                                                 gamma=gamma, margin=0.6, order=4))["score"]
            name = "out_rmia_%s_gamma%d" % (signal.replace("-", "_"), gamma)
            compare("%s %s" % (case, name), found, load("%s/%s" % (case, name))[1], 1e-9)
    split = save("s", shape[:1], [1 if m else 2 for m in member], "|u1")
    result = json.loads(lethe("attack", "rmia", *files, "--split", split, "--json"))
    report(case + " AUC of members, gamma 2", abs(result["roc"]["auc_forget_test"] - 0.8716666666666666),
           1e-12)


def rmia_from_signals():
    case = "rmia_amun_from_signals"
    shape, r = load(case + "/in_reference_signals")
    ishape, inc = load(case + "/in_inclusion")
    n = shape[1]
    files = ["--labels", save("y", (n,), [0] * n, "<i8"), "--inclusion", save("i", ishape, inc, "|u1"),
             "--references", save("r", shape + (2,), [z for p in r for z in log_odds(p)], "<f8")]
    for target, gamma, out in (("target_signals", 1, "rmia_gamma1"), ("target_signals", 1.25, "rmia_gamma1p25"),
                               ("target_signals", 2, "rmia_gamma2"),
                               ("target_signals_with_zeros", 2, "rmia_gamma2_with_zeros")):
        _, t = load("%s/in_%s" % (case, target))
        path = save("t", (n, 2), [z for p in t for z in log_odds(p)], "<f8")
        found = scores("rmia", "--target", path, *files, *sets(signal="softmax", temperature=1, gamma=gamma))
        compare("%s %s" % (case, out), found["score"], load("%s/out_%s" % (case, out))[1], 1e-12)


def rmia_lira_2024():
    case = "rmia_lira_2024_v1"
    shape, logits = load(case + "/in_logits")
    models, n, c = shape
    _, y = load(case + "/in_labels")
    ishape, inc = load(case + "/in_inclusion")
    member = load(case + "/in_target_member")[1]
    files = ["--target", save("t", (n, c), logits[:n * c]), "--labels", save("y", (n,), y, "<i8"),
             "--references", save("r", (models - 1, n, c), logits[n * c:]),
             "--inclusion", save("i", ishape, inc, "|u1")]
    split = ["--split", save("s", (n,), [1 if m else 2 for m in member], "|u1")]

    def check(out, attack, tolerance, *args, rtol=0.0):
        expected = [-v for v in load("%s/out_%s" % (case, out))[1]]
        compare("%s %s" % (case, out), scores(attack, *files, *args)["score"], expected, tolerance, rtol)

    for mode in ("online", "offline"):
        for name, signal in (("sm_taylor", {"signal": "taylor-soft-margin", "temperature": 2}),
                             ("softmax_T1", {"signal": "softmax", "temperature": 1})):
            check("rmia_%s_%s" % (mode, name), "rmia", 1e-6, *split,
                  *sets(variant=mode, population="nonmembers", gamma=2, self_pair="true", **signal))
        for fixed in (True, False):
            check("lira_%s_fixvar%s" % (mode, fixed), "lira", 1e-7,
                  *sets(mode=mode, preset="rmia2024", variance="fixed" if fixed else "per-example"), rtol=1e-7)
    check("attack_R", "attack-r", 1e-6)
    expected = [-v for v in load(case + "/out_attack_P")[1]]
    found = scores("attack-p", *files[:4], *split)["score"]
    compare(case + " attack_P", found, expected, 1e-6)


def lira_carlini():
    case = "lira_carlini_v1"
    (models, n, views, c), logits = load(case + "/in_logits")
    _, y = load(case + "/in_labels")
    _, inc = load(case + "/in_inclusion")
    last = (models - 1) * n * views * c
    files = ["--target", save("t", (n, views, c), logits[last:]), "--labels", save("y", (n,), y, "<i8"),
             "--references", save("r", (models - 1, n, views, c), logits[:last]),
             "--inclusion", save("i", (models - 1, n), inc[:(models - 1) * n], "|u1")]
    split = save("s", (n,), [1 if m else 2 for m in inc[(models - 1) * n:]], "|u1")
    for mode in ("online", "offline"):
        for fixed in (False, True):
            name = "%s_fixvar%s" % (mode, fixed)
            args = files + sets(mode=mode, variance="fixed" if fixed else "per-example", preset="carlini")
            expected = [-v for v in load("%s/out_%s" % (case, name))[1]]
            compare("%s %s" % (case, name), scores("lira", *args)["score"], expected, 1e-6, 1e-5)
            auc = {"online_fixvarFalse": 0.8125, "online_fixvarTrue": 0.83, "offline_fixvarFalse": 0.755,
                   "offline_fixvarTrue": 0.8075}[name]
            result = json.loads(lethe("attack", "lira", *args, "--split", split, "--json"))
            report("%s %s AUC" % (case, name), abs(result["roc"]["auc_forget_test"] - auc), 1e-9)
    expected = [-v for v in load(case + "/out_global_threshold")[1]]
    compare(case + " global_threshold", scores("lira", *files, *sets(mode="global"))["score"], expected, 1e-6, 1e-6)
    clean = scores("lira", *files, *sets(mode="online"))["score"]
    expected = [-v for v in load(case + "/out_online_fixvarFalse")[1]]
    compare(case + " online, default preset", clean, expected, 1e-6, 1e-5)


def stack(case, sides, of):
    """Target, labels and split of several sets one below the other; of(p) makes numbers of p."""
    x, y, split = [], [], []
    for name, role in sides:
        (n, c), p = load("%s/in_%s_prob" % (case, name))
        x += [of(v) for v in p]
        y += load("%s/in_%s_labels" % (case, name))[1]
        split += [role] * n
    return ["--target", save("t", (len(y), c), x), "--labels", save("y", (len(y),), y, "<i8"),
            "--split", save("s", (len(y),), split, "|u1")]


def log_or_floor(p):
    return math.log(p) if p > 0 else -math.inf


def svc_mia():
    case, expected = "svc_mia_v1", {"correctness": 0.18, "confidence": 0.62, "entropy": 0.66,
                                    "m_entropy": 0.5, "prob": 0.86}
    sides = (("shadow_train", 0), ("shadow_test", 2), ("target_test", 1))
    for kind, of, extra in (("logits", log_or_floor, []),
                            ("probabilities", float, sets(input="probabilities"))):
        files = stack(case, sides, of)
        result = json.loads(lethe("attack", "svc-mia", *files, *extra, "--json"))
        for feature, value in expected.items():
            report("%s %s from %s" % (case, feature, kind), abs(result["scores"][feature] - value), 1e-9)
        found = scores("svc-mia", *files, *extra)
        for feature in expected:
            compare("%s decision %s from %s" % (case, feature, kind), found["score_" + feature],
                    load("%s/out_decision_target_test_%s" % (case, feature))[1], 0.02)


def song_mittal():
    case = "song_mittal_v1"
    accuracy = {"correctness": 0.5964285714285714, "confidence": 0.6071428571428572,
                "entropy": 0.6154761904761905, "m_entropy": 0.6333333333333333}
    shadow = (("s_tr", 0), ("s_te", 2))
    members, others = (json.loads(lethe("attack", "song-mittal", *stack(case, shadow + ((judged, 1),), float),
                                        "--json", *sets(input="probabilities")))
                       for judged in ("t_tr", "t_te"))
    for feature, value in accuracy.items():
        pair = [members["member"][feature], others["scores"][feature]]
        compare("%s %s" % (case, feature), pair, load("%s/out_%s" % (case, feature))[1], 1e-9)
        report("%s %s attack accuracy" % (case, feature), abs(sum(pair) / 2 - value), 1e-9)


def probabilities_of(entropy, classes=10):
    """A distribution of that entropy: one class p, the others alike."""
    lo, hi = 1 / classes, 1.0
    for _ in range(200):
        p = (lo + hi) / 2
        q = (1 - p) / (classes - 1)
        e = -(p * math.log(p) + ((classes - 1) * q * math.log(q) if q > 0 else 0))
        lo, hi = (p, hi) if e > entropy else (lo, p)
    return [p] + [q] * (classes - 1)


def entropy_logistic():
    case = "zrf_v1"
    train, label = load(case + "/in_mia_entropy_train")[1], load(case + "/in_mia_labels_train")[1]
    forget = load(case + "/in_mia_entropy_forget")[1]
    split = [0 if l else 2 for l in label] + [1] * len(forget)
    n = len(split)
    files = ["--target", save("t", (n, 10), [p for e in train + forget for p in probabilities_of(e)], "<f8"),
             "--labels", save("y", (n,), [0] * n, "<i8"), "--split", save("s", (n,), split, "|u1")]
    result = json.loads(lethe("attack", "entropy-logistic", *files, "--json", *sets(input="probabilities")))
    report(case + " entropy-logistic, forget judged member",
           abs(result["member"]["entropy"] - 0.25806451612903225), 1e-9)
    found = scores("entropy-logistic", *files, *sets(input="probabilities"))["score"]
    compare(case + " entropy-logistic decision", found,
            [-1.752195846764871 * e + 1.4720412353254917 for e in forget], 0.005)


def u_lira():
    case = "ulira_v1"
    (m, n), inside = load(case + "/in_w_unlearned_shadow")
    (k, _), outside = load(case + "/in_w_retrained_shadow")
    _, w = load(case + "/in_w_target")
    pairs = lambda v: [z for x in v for z in (x, 0.0)]
    found = scores("u-lira", "--target", save("t", (n, 2), pairs(w), "<f8"),
                   "--labels", save("y", (n,), [0] * n, "<i8"),
                   "--references", save("r", (m + k, n, 2), pairs(inside + outside), "<f8"),
                   "--inclusion", save("i", (m + k, n), [1] * (m * n) + [0] * (k * n), "|u1"))["score"]
    compare(case + " log_ratio", found, load(case + "/out_log_ratio")[1], 2e-5, 2e-5)
    p = [1 / (1 + math.exp(-s)) for s in found]
    compare(case + " p_member", p, load(case + "/out_p_member")[1], 2e-6)


def rmia_privacy_meter():
    case = "rmia_offline_pm_v1"
    (n, models), signal = load(case + "/in_signals")
    (n_z, _), population = load(case + "/in_population_signals")
    _, member = load(case + "/in_memberships")
    rows = n + n_z

    def column(model):
        both = [signal[i * models + model] for i in range(n)] + \
               [population[j * models + model] for j in range(n_z)]
        return [z for p in both for z in log_odds(p)]

    def inclusion(model):
        return [member[i * models + model] for i in range(n)] + [0] * n_z

    def run(target, references, **extra):
        files = ["--target", save("t", (rows, 2), column(target), "<f8"),
                 "--labels", save("y", (rows,), [0] * rows, "<i8"),
                 "--references", save("r", (len(references), rows, 2),
                                      [z for m in references for z in column(m)], "<f8"),
                 "--inclusion", save("i", (len(references), rows),
                                     [b for m in references for b in inclusion(m)], "|u1"),
                 "--split", save("s", (rows,), [1] * n + [2] * n_z, "|u1")]
        return scores("rmia", *files, *sets(variant="privacy-meter", population="nonmembers", signal="softmax",
                                            temperature=1, gamma=1, **extra))["score"][:n]

    for target in (0, 3):
        others = [m for m in range(models) if m // 2 != target // 2]
        for a, name in ((0, "0"), (0.3, "0p3"), (1, "1")):
            for refs in (1, 3):
                out = "rmia_target%d_a%s_refs%d" % (target, name, refs)
                compare("%s %s" % (case, out), run(target, others[:2 * refs], offline_a=a),
                        load("%s/out_%s" % (case, out))[1], 1e-12)
        tuned = run(target, [target ^ 1] + others, tune_a="true")
        compare("%s tune_a of target %d is 0.8" % (case, target), tuned, run(target, others, offline_a=0.8), 0)


# ---- example attacks ----

NET_A = """arch: sequential
input: [3, 8, 8]
layers:
  - conv: {out: 4, kernel: 3, stride: 1, pad: 1, bias: true}
  - relu
  - conv: {out: 6, kernel: 3, stride: 2, pad: 1, bias: true}
  - relu
  - flatten
  - linear: {out: 5}
"""


def save_model():
    """The fixtures' network as safetensors."""
    header, blob = {}, b""
    for layer, name in ((0, "conv1"), (2, "conv2"), (5, "fc")):
        for part in ("weight", "bias"):
            shape, values = load("amun_pgdl2_netA/in_w_%s_%s" % (name, part))
            raw = array.array("f", values).tobytes()
            header["%d.%s" % (layer, part)] = {"dtype": "F32", "shape": list(shape),
                                               "data_offsets": [len(blob), len(blob) + len(raw)]}
            blob += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(WORK, "net.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + blob)
    with open(os.path.join(WORK, "net.yaml"), "w") as f:
        f.write(NET_A)


def examples():
    save_model()
    shape, x = load("amun_pgdl2_netA/in_images")
    _, y = load("amun_pgdl2_netA/in_labels")
    files = ["--model", os.path.join(WORK, "net.safetensors"), "--arch", os.path.join(WORK, "net.yaml"),
             "--images", save("x", shape, x), "--labels", save("y", shape[:1], y, "<i8")]

    def run(attack, **settings):
        out = os.path.join(WORK, "adversarial")
        lethe("attack", attack, *files, "--out", out, *sets(**settings))
        with open(os.path.join(out, "perturbation.csv")) as f:
            table = list(csv.DictReader(f))
        return read_npy(os.path.join(out, "adversarial.npy"))[1], read_npy(os.path.join(out, "labels.npy"))[1], table

    for case, attack, image, pred, tolerance, settings in (
            ("attacks_netA", "fgsm", "fgsm", "pred_fgsm", 2e-6, {"eps": "8/255"}),
            ("attacks_netA", "fgsm", "amun_fgsm_discretised", None, 2e-6, {"eps": 0.1, "discretize": "true"}),
            ("attacks_netA", "pgd-linf", "pgd_linf", "pred_pgd_linf", 2e-6,
             {"eps": "8/255", "alpha": "2/255", "steps": 10, "random_start": "false"}),
            ("attacks_netA", "pgd-l2", "pgd_l2", "pred_pgd_l2", 1e-4,
             {"eps": 1, "alpha": 0.2, "steps": 10, "random_start": "false"}),
            ("amun_pgdl2_netA", "pgd-l2-nearest", "adv_images", "adv_pred", 1e-4, {"eps": 0.04, "steps": 50}),
            ("amun_pgdl2_netA_steps5", "pgd-l2-nearest", "adv_images", "adv_pred", 2e-4, {"eps": 0.01, "steps": 5})):
        images, labels, table = run(attack, **settings)
        compare("%s %s" % (case, image), images, load("%s/out_%s" % (case, image))[1], tolerance)
        if pred:
            compare("%s %s" % (case, pred), labels, load("%s/out_%s" % (case, pred))[1], 0)
        if attack == "pgd-l2-nearest":
            compare(case + " eps", [float(r["radius"]) for r in table], load(case + "/out_eps")[1], 0, 1e-6)
            compare(case + " delta_norm", [float(r["l2"]) for r in table], load(case + "/out_delta_norm")[1], tolerance)


def mia_nn():
    case = "mia_nn_v1"
    (n, c), own = load(case + "/in_un_logits_retained")
    (k, _), forgotten = load(case + "/in_un_logits_forget")
    _, y = load(case + "/in_un_labels_retained")
    oracles = []
    for m in range(3):
        oracles += load("%s/in_re%d_logits_retained" % (case, m))[1] + load("%s/in_re%d_logits_forget" % (case, m))[1]
    rows = n + k
    result = json.loads(lethe("metric", "mia-nn", "--target", save("t", (rows, c), own + forgotten),
                              "--labels", save("y", (rows,), y + [2] * k, "<i8"),
                              "--split", save("s", (rows,), [2] * n + [3] * k, "|u1"),
                              "--retrained", save("r", (3, rows, c), oracles), "--json"))["values"]
    for name, value, tolerance in (("mia_nn", 0.4666666666666667, 0.034), ("mia_nn_class", 3, 0),
                                   ("mia_nn_retrain", 0.6555555555555556, 0.034),
                                   ("mia_nn_gap", 0.18888888888888888, 0.034)):
        report("%s %s" % (case, name), abs(result[name] - value), tolerance)


for run in (rmia_amun, rmia_from_signals, rmia_lira_2024, lira_carlini, svc_mia, song_mittal, entropy_logistic,
            u_lira, rmia_privacy_meter, examples, mia_nn):
    try:
        run()
    except (RuntimeError, KeyError, OSError, ValueError) as e:
        failures += 1
        print("%s: %s: %s  FAILED" % (run.__name__, type(e).__name__, e))
print("%d cases, %d failures" % (cases, failures))
sys.exit(failures > 0)
