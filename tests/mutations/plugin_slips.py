#!/usr/bin/env python3
"""Seeds ten slips into two of Lethe's own unlearners, one at a time, and runs the conformance suite on
each: which test catches it?

    tests/mutations/plugin_slips.py BUILD_DIR [SOURCE_DIR]

Exit code 0 when each slip is caught by the tests that it names, and the plugins themselves pass."""
import json
import os
import subprocess
import sys
import tempfile

FT, AMUN = "plugins/unlearners/finetune.c", "plugins/unlearners/amun.c"
FIT = "    return lethe_fit(ctx, &fit);\n"
INCLUDE = "#include <lethe/lethe.h>\n"
AMUN_FIT = "    LETHE_TRY(lethe_fit(ctx, &fit));\n"
# name, file, tests of which one at least has to fail, [(old, new)...]
SLIPS = [
    ("finetune: leak of state: each run trains one epoch more", FT, ["repeat", "state"], [
        (INCLUDE, INCLUDE + "static uint32_t n_runs;\n"),
        (FIT, "    fit.epochs += n_runs++;\n" + FIT)]),
    ("finetune: global generator: rand() jitters the learning rate", FT, ["global-random"], [
        (INCLUDE, INCLUDE + "#include <stdlib.h>\n"),
        (FIT, "    fit.lr *= 1 + 1e-3 * (rand() % 100);\n" + FIT)]),
    ("finetune: ignores cancel: a stopped fit counts as done", FT, ["cancel", "interrupted"], [
        (FIT, "    lethe_status status = lethe_fit(ctx, &fit);\n"
              "    return status == LETHE_E_CANCELLED ? LETHE_OK : status;\n")]),
    ("finetune: out of bounds: a momentum of 10 is admitted", FT, ["domains"], [
        ("LETHE_FIT_PARAMS(10, 0.01,", "LETHE_INT(\"epochs\", 3, 0, 1000, \"\", \"e\"),\n"
         "    LETHE_REAL(\"lr\", .01, 0, 10, \"\", \"r\"), LETHE_INT(\"batch\", 32, 1, 999, \"\", \"b\"),\n"
         "    LETHE_REAL(\"momentum\", .9, 0, 10, \"\", \"m\")};\n"
         "static const lethe_param unused[] __attribute__((unused)) = {LETHE_FIT_PARAMS(10, 0.01,"),
        ("lethe_fit_params(ctx, job->model)", "{.model = job->model, .epochs = lethe_int(ctx, 0),"
         " .lr = lethe_real(ctx, 1), .batch = lethe_int(ctx, 2), .momentum = lethe_real(ctx, 3)}")]),
    ("finetune: not deterministic: the nanoseconds of the clock", FT, ["fresh-process", "repeat"], [
        (INCLUDE, INCLUDE + "#include <time.h>\n"),
        (FIT, "    struct timespec now;\n    clock_gettime(CLOCK_REALTIME, &now);\n"
              "    fit.lr *= 1 + 1e-9 * (double)(now.tv_nsec % 1000000);\n" + FIT)]),

    ("amun: leak of state: the adversarial set of the first run is kept", AMUN, ["state", "repeat"], [
        ("/* The declared set,", "static lethe_adversarial kept;\n/* The declared set,"),
        ("        return ctx->host->attack->declared(ctx, 0, ret);\n",
         "    {\n        if (!kept.x) {\n            kept.struct_size = sizeof kept;\n"
         "            LETHE_TRY(ctx->host->attack->declared(ctx, 0, &kept));\n        }\n"
         "        *ret = kept;\n        return LETHE_OK;\n    }\n")]),
    ("amun: global generator: drand48() leaves out the retain set now and then", AMUN,
     ["global-random", "repeat"], [
        (INCLUDE, INCLUDE + "#include <stdlib.h>\n"),
        ("    } else if (lethe_bool(ctx, P_RETAIN))",
         "    } else if (lethe_bool(ctx, P_RETAIN) && drand48() < 0.5)")]),
    ("amun: ignores cancel: trains on, epoch after epoch, whatever is answered", AMUN,
     ["cancel", "interrupted"], [
        (AMUN_FIT, "    uint32_t epochs = fit.epochs;\n    fit.epochs = 1;\n"
                   "    for (uint32_t e = 0; e < epochs; e++)\n        (void)lethe_fit(ctx, &fit);\n")]),
    ("amun: out of bounds: more doublings admitted than the attack can take", AMUN, ["bounds"], [
        ("LETHE_INT(\"attack_max_doublings\", 12, 0, 40, \"\"",
         "LETHE_INT(\"attack_max_doublings\", 12, 0, 1 << 30, \"\"")]),
    ("amun: not deterministic: memory that nobody has written", AMUN, ["fresh-process", "repeat"], [
        (INCLUDE, INCLUDE + "#include <stdlib.h>\n"),
        ("    fit.before_epoch = lethe_slot_epoch;\n",
         "    unsigned char *fresh = malloc(4096);\n"
         "    fit.lr *= 1 + 1e-3 * fresh[1000];\n    free(fresh);\n"
         "    fit.before_epoch = lethe_slot_epoch;\n")]),
]


def compile_plugin(source, text, out):
    path = out[:-3] + ".c"
    open(path, "w").write(text)
    cc = os.environ.get("CC", "cc")
    sanitize = os.environ.get("LETHE_SANITIZE")
    flags = ["-fsanitize=" + sanitize] if sanitize else []
    subprocess.run([cc, "-std=c11", "-D_GNU_SOURCE", "-O1", "-w", "-shared", "-fPIC",
                    "-fvisibility=hidden", *flags, "-I", os.path.join(source, "include"), "-o", out,
                    path, "-lm"], check=True)


def check(build, files):
    """{file: [(test, outcome, text) that failed, crashed or hung]}"""
    r = subprocess.run([os.path.join(build, "bin/lethe"), "plugin", "check", "--json", "--timeout",
                        "60s", *files], stdout=subprocess.PIPE, check=False)
    if r.returncode not in (0, 1):
        sys.exit("lethe plugin check ended with %d" % r.returncode)
    bad = ("fail", "crash", "timeout")
    return {f["file"]: [(x["test"], x["outcome"], x["text"]) for x in f["results"] if x["outcome"] in bad]
            for f in json.loads(r.stdout)["files"]}


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    build = os.path.abspath(sys.argv[1])
    source = os.path.abspath(sys.argv[2] if len(sys.argv) > 2 else os.path.join(here, "../.."))
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="lethe-slips-") as work:
        files = []
        for i, (name, path, tests, changes) in enumerate(SLIPS):
            text = open(os.path.join(source, path)).read()
            for old, new in changes:
                if text.count(old) != 1:
                    sys.exit("%s: the text to change is not there once in %s: %s" % (name, path, old))
                text = text.replace(old, new)
            files.append(os.path.join(work, "slip_%02d.so" % i))
            compile_plugin(source, text, files[-1])
        whole = []
        for path in (FT, AMUN):
            whole.append(os.path.join(work, os.path.basename(path)[:-2] + ".so"))
            compile_plugin(source, open(os.path.join(source, path)).read(), whole[-1])
        found = check(build, files + whole)
        caught = 0
        for f, (name, path, tests, changes) in zip(files, SLIPS):
            by = [t for t, outcome, text in found[f]]
            caught += bool(by)
            ok = any(t in by for t in tests)
            wrong += not ok
            print("%-72s %s" % (name, "caught by " + ", ".join(by) if by else "NOT CAUGHT"))
            if not ok:
                print("    expected one of: " + ", ".join(tests))
        for f in whole:
            wrong += bool(found[f])
            if found[f]:
                print("without a slip: %s %s" % (os.path.basename(f), found[f]))
        print("%d of %d caught" % (caught, len(SLIPS)))
    return 1 if wrong or caught < 8 else 0


sys.exit(main())
