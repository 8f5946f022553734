"""Runs `lethe metric` on the fixtures and on hand-made arrays; prints every case with its error.
Standard library alone: .npy files are read and written here."""
import ast
import json
import math
import os
import struct
import subprocess
import sys

lethe, fixtures, work = sys.argv[1:4]
failures = 0


def load(path):
    b = open(os.path.join(fixtures, path + ".npy"), "rb").read()
    n = struct.unpack("<H", b[8:10])[0]
    head = ast.literal_eval(b[10:10 + n].decode())
    code = {"<f4": "f", "<f8": "d", "<i8": "q", "|u1": "B"}[head["descr"]]
    body = b[10 + n:]
    v = struct.unpack("<%d%s" % (len(body) // struct.calcsize(code), code), body)
    return list(v), head["shape"]


def save(name, values, shape, descr="<f4"):
    code = {"<f4": "f", "<f8": "d", "<i8": "q", "|u1": "B"}[descr]
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (descr, tuple(shape))
    head += " " * (-(11 + len(head)) % 64) + "\n"
    path = os.path.join(work, name + ".npy")
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode())
        f.write(struct.pack("<%d%s" % (len(values), code), *values))
    return path


def run(*args):
    p = subprocess.run([lethe, "metric", *args, "--json", "-q"], capture_output=True, text=True)
    if p.returncode:
        raise SystemExit("lethe metric %s: exit %d: %s" % (" ".join(args), p.returncode, p.stderr))
    return json.loads(p.stdout)


def near(case, name, got, want, tolerance):
    global failures
    bad = got is None or not abs(got - want) <= tolerance
    failures += bad
    print("%-24s %-36s error %-9s tolerance %-8.2g %s" %
          (case, name, "none" if got is None else "%.2g" % abs(got - want), tolerance,
           "FAILED: %r, expected %r" % (got, want) if bad else "ok"))


def equal(case, name, got, want):
    global failures
    failures += got != want
    print("%-24s %-36s %s" % (case, name, "ok" if got == want else "FAILED: %r is not %r" % (got, want)))


def curve_near(case, result, name, path, rtol, atol):
    want, _ = load(path)
    c = result["curves"][name]
    got = dict(zip((int(x) for x in c["x"]), c["y"]))
    finite = {i: w for i, w in enumerate(want) if math.isfinite(w)}
    equal(case, name + " samples", sorted(got), sorted(finite))
    worst = max(abs(got.get(i, math.inf) - w) / (atol + rtol * abs(w)) for i, w in finite.items())
    near(case, name + " (of tolerance)", worst, 0, 1)


def fixture(path):
    return os.path.join(fixtures, path + ".npy")


def two_logits(name, path):
    """Confidences or margins as two logits, the true class first."""
    v, shape = load(path)
    z = [x for m in v for x in (m, 0.0)]
    return save(name, z, tuple(shape) + (2,), "<f8")


def one_hot(name, path, classes=10):
    v, shape = load(path)
    return save(name, [float(k == y) for y in v for k in range(classes)], (len(v), classes))


p, q = fixture("divergence_v1/in_p_retrained"), fixture("divergence_v1/in_q_unlearned")
r = run("divergence", "--target", q, "--retrained", p, "--set", "input=probabilities", "--set",
        "per_sample=true")
near("divergence_v1", "forget_kl", r["values"]["forget_kl"], 2.3802490695025313, 2.5e-6)
near("divergence_v1", "forget_js", r["values"]["forget_js"], 0.3708050104397763, 4.7e-7)
near("divergence_v1", "forget_tv", r["values"]["forget_tv"], 0.6868794252433872, 7.9e-7)
curve_near("divergence_v1", r, "divergence_kl", "divergence_v1/out_kl_official", 2e-5, 2e-6)
curve_near("divergence_v1", r, "divergence_kl_exact", "divergence_v1/out_kl_exact", 1e-9, 1e-12)
curve_near("divergence_v1", r, "divergence_js", "divergence_v1/out_js_exact", 1e-9, 1e-12)
# the same from logits, log p; a probability of 0 is minus infinity
logs = {}
for side, path in (("p", "divergence_v1/in_p_retrained"), ("q", "divergence_v1/in_q_unlearned")):
    v, shape = load(path)
    logs[side] = save("log_" + side, [math.log(x) if x > 0 else -math.inf for x in v], shape, "<f8")
r = run("divergence", "--target", logs["q"], "--retrained", logs["p"])
near("divergence_v1 logits", "forget_kl", r["values"]["forget_kl"], 2.3802490695025313, 2.5e-6)
near("divergence_v1 logits", "forget_js", r["values"]["forget_js"], 0.3708050104397763, 4.7e-7)

everything_test = save("all_test", [2] * 200, (200,), "<i8")
r = run("ece", "--target", fixture("ece_v1/in_logits"), "--labels", fixture("ece_v1/in_labels"),
        "--split", everything_test)
near("ece_v1", "test_ece", r["values"]["test_ece"], 0.1714802235364914, 2e-6)
equal("ece_v1", "forget_ece", r["values"]["forget_ece"], None)
equal("ece_v1", "note of forget_ece", r["notes"]["forget_ece"], "no forget samples")
equal("ece_v1", "n", r["n"], {"forget": 0, "retain": 0, "test": 200, "test_forgotten": 0})

r = run("entropy", "--target", fixture("entropy_v1/in_prob"), "--labels",
        fixture("entropy_v1/in_labels"), "--set", "input=probabilities", "--set", "per_sample=true")
curve_near("entropy_v1", r, "entropy_entropy", "entropy_v1/out_entropy_double_scipy", 1e-12, 1e-12)
curve_near("entropy_v1", r, "entropy_m_entropy_true", "entropy_v1/out_m_entropy_songmittal", 3e-6, 2e-6)
curve_near("entropy_v1", r, "entropy_m_entropy", "entropy_v1/out_m_entropy_svc", 3e-6, 2e-6)

r = run("klom", "--target", fixture("klom_v1/in_logits_unlearned"), "--retrained",
        fixture("klom_v1/in_logits_oracle"), "--labels", fixture("klom_v1/in_labels"), "--set",
        "per_sample=true")
near("klom_v1", "forget_klom", r["values"]["forget_klom"], 1.996726859337085, 3e-9)
near("klom_v1", "forget_klom_p95", r["values"]["forget_klom_p95"], 3.7894898987449137, 5e-9)
curve_near("klom_v1", r, "klom_forget", "klom_v1/out_klom", 1e-9, 1e-9)
curve_near("klom_v1", r, "klom_forget_swapped", "klom_v1/out_klom_as_called", 1e-9, 1e-9)
equal("klom_v1", "models", (r["models"], r["oracles"]), (50, 50))
zeros = save("zeros12", [0] * 12, (12,), "<i8")
r = run("klom", "--target", two_logits("eu", "klom_v1/in_edge_margins_unlearned"), "--retrained",
        two_logits("eo", "klom_v1/in_edge_margins_oracle"), "--labels", zeros, "--set",
        "per_sample=true")
curve_near("klom_v1 edges", r, "klom_forget", "klom_v1/out_klom_edge", 1e-9, 1e-9)

zeros = save("zeros9", [0] * 9, (9,), "<i8")
r = run("forgetting-score", "--target", two_logits("du", "deepmind_forget_v1/in_unlearned_confs"),
        "--retrained", two_logits("dr", "deepmind_forget_v1/in_retrained_confs"), "--labels", zeros,
        "--set", "per_sample=true")
curve_near("deepmind_forget_v1", r, "forgetting_score_epsilon", "deepmind_forget_v1/out_epsilons", 0, 1e-4)
near("deepmind_forget_v1", "forgetting_score", r["values"]["forgetting_score"], 0.13368055555555555, 1e-12)

for n, want in ((51, 0.761), (201, 0.716)):
    r = run("comparator-privacy", "--target", fixture("comparator_privacy_v1/in_logits_unlearned"),
            "--retrained", fixture("comparator_privacy_v1/in_logits_retrained"), "--set",
            "thresholds=%d" % n)
    near("comparator_privacy_v1", "privacy_score at %d" % n, r["values"]["forget_privacy_score"], want, 1e-9)

r = run("zrf", "--target", fixture("zrf_v1/in_logits_model"), "--random",
        fixture("zrf_v1/in_logits_teacher"))
near("zrf_v1", "forget_zrf", r["values"]["forget_zrf"], 0.7727325277179294, 1e-6)
near("zrf_v1", "forget_zrf_ssd", r["values"]["forget_zrf_ssd"], 0.9617782235145569, 2e-6)
r = run("divergence", "--target", fixture("zrf_v1/in_logits_model"), "--retrained",
        fixture("zrf_v1/in_logits_teacher"))
near("zrf_v1", "forget_activation_distance", r["values"]["forget_activation_distance"], 0.49061416489937176, 5e-6)

t = "transfer_netA/in_"
r = run("transfer", "--labels", fixture(t + "labels"), "--target",
        one_hot("tc", t + "target_clean_pred"), "--adversarial", one_hot("ta", t + "target_adv_pred"),
        "--source", one_hot("sc", t + "source_clean_pred"), "--source-adversarial",
        one_hot("sa", t + "source_adv_pred"))
for name, want in (("transfer_eligible", 31), ("transferred", 25), ("source_correct", 55),
                   ("source_fooled", 36), ("transfer_rate", 0.8064516129032258),
                   ("source_attack_success", 0.6545454545454545),
                   ("source_robust_accuracy", 0.34545454545454546),
                   ("raw_adv_accuracy_target", 0.4166666666666667),
                   ("label_match_rate", 0.8064516129032258), ("targets_predict_adv_label", 0.9)):
    near("transfer_netA", name, r["values"]["forget_" + name], want, 1e-12)

member, other = load("yeom_loss/in_loss_member")[0], load("yeom_loss/in_loss_nonmember")[0]
z = save("loss", [x for l in member + other for x in (0.0, math.log(math.expm1(l)))],
         (len(member) + len(other), 2), "<f8")
y = save("loss_y", [0] * (len(member) + len(other)), (len(member) + len(other),), "<i8")
s = save("loss_s", [0] * len(member) + [2] * len(other), (len(member) + len(other),), "|u1")
r = run("yeom", "--target", z, "--labels", y, "--split", s)
for name, want in (("tpr", 0.605), ("fpr", 0.25333333333333335), ("advantage", 0.3516666666666666),
                   ("balanced_accuracy", 0.6758333333333333), ("auc", 0.7511333333333334)):
    near("yeom_loss", "yeom_" + name, r["values"]["yeom_" + name], want, 1e-12)
near("yeom_loss", "yeom_threshold", r["values"]["yeom_threshold"], 0.3343839202169407, 1e-7)


# ---- models: one safetensors file by hand ----
def tensors(name, arrays):
    head, body = {}, b""
    for key, (v, shape) in arrays.items():
        data = struct.pack("<%df" % len(v), *v)
        head[key] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    path = os.path.join(work, name + ".safetensors")
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + body)
    return path


def arch(name, text):
    path = os.path.join(work, name + ".yaml")
    with open(path, "w") as f:
        f.write(text)
    return path


listed = subprocess.run([lethe, "plugins", "--json"], capture_output=True, text=True).stdout
if any(x["id"] == "lipschitz" for x in json.loads(listed)):
    conv = tensors("conv", {"0.weight": load("conv_spectral_norm_v1/in_weight")})
    a = arch("conv", "arch: sequential\ninput: [3, 8, 8]\nlayers:\n"
             "  - conv: {out: 4, kernel: 3, stride: 1, pad: 1, bias: false}\n  - flatten\n")
    r = run("lipschitz", "--model", conv, "--arch", a)
    near("conv_spectral_norm_v1", "lipschitz_bound", r["values"]["lipschitz_bound"], 3.1498412943242275, 3.2e-6)
    near("conv_spectral_norm_v1", "reshaped norm", r["curves"]["lipschitz_reshaped"]["y"][0], 1.8680596640880107, 1.9e-6)
    w = "amun_pgdl2_netA/in_w_"
    net = tensors("net_a", {k + "." + s: load(w + f + "_" + s) for k, f in
                            (("0", "conv1"), ("2", "conv2"), ("5", "fc")) for s in ("weight", "bias")})
    shape = [load(w + f + "_weight")[1] for f in ("conv1", "conv2", "fc")]
    a = arch("net_a", open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "net_a.yaml")).read())
    r = run("lipschitz", "--model", net, "--arch", a)
    near("lipschitz_netA", "lipschitz_bound", r["values"]["lipschitz_bound"], 46.75614459244859, 46.8e-5)
    norms = r["curves"]["lipschitz_norms"]["y"]
    for name, want in (("conv1", 5.26895765752832), ("conv2", 3.555757753540724), ("fc", 2.4956393157442354)):
        best = min(norms, key=lambda v: abs(v - want))
        near("lipschitz_netA", "norm_" + name, best, want, want * 1e-5)
    r = run("weight-distance", "--model", net, "--original-model", net, "--retrained-model", net,
            "--arch", a)
    near("weight-distance", "of a model to itself", r["values"]["distance_original_l2"], 0, 0)

print("%d failures" % failures)
sys.exit(failures > 0)
