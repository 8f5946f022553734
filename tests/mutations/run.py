#!/usr/bin/env python3
"""Seeds 20 slips into metric and statistics code, one at a time, and runs the unit and golden tests on
each: how many do they catch? Not part of the timed suite.

    tests/mutations/run.py [SOURCE_DIR]

Works on a copy in a temporary folder. Exit code 0 when at least 18 are caught."""
import os
import shutil
import subprocess
import sys
import tempfile

TESTS = ["metrics_golden", "metrics_brute", "metrics_empty", "stats_tests", "stats_compare",
         "report_board", "report_interval", "stats_studies"]
M = "plugins/metrics/"
SLIPS = [
    ("log of the wrong probability in the modified entropy, as published", "include/lethe/scores.h",
     ": p[k] * lethe_floored_log_(1 - p[k]);", ": p[k] * lethe_floored_log_(p[k]);"),
    ("KL in the other direction", M + "divergence.c",
     "exact += p[k] > 0 ? p[k] * (log_p[k] - log_q[k]) : 0;",
     "exact += q[k] > 0 ? q[k] * (log_q[k] - log_p[k]) : 0;"),
    ("total variation without the half", M + "divergence.c", "v[TV] += tv / 2;", "v[TV] += tv;"),
    ("Jensen-Shannon with a wrong sign", M + "divergence.c",
     "(q[k] > 0 ? q[k] * (log_q[k] - log(m)) : 0);", "(q[k] > 0 ? q[k] * (log(m) - log_q[k]) : 0);"),
    ("mean over the wrong axis: classes too", M + "zrf.c", "zrf = fmin(fmax(1 - s.js / (double)u->n,",
     "zrf = fmin(fmax(1 - s.js / ((double)u->n * u->n_classes),"),
    ("calibration bins [lo, hi)", M + "ece.c",
     "(float)confidence <= (float)k / (float)b->n)", "(float)confidence < (float)k / (float)b->n)"),
    ("calibration error without the absolute value", M + "ece.c",
     "fabs(b.confidence[k] - b.hits[k])", "(b.confidence[k] - b.hits[k])"),
    ("KLoM keeps the common maximum", M + "klom.c", "if (v[i] >= hi)\n            continue;",
     "if (v[i] > hi)\n            continue;"),
    ("KLoM does not clip", M + "klom.c", "#define CLIP 100.0", "#define CLIP 1000.0"),
    ("margin over all classes", "include/lethe/measures.h",
     "for (uint32_t k = 0; k < c; k++)\n        if ((int32_t)k != y)\n            sum += exp(z[k] - top);",
     "for (uint32_t k = 0; k < c; k++)\n        sum += exp(z[k] - top);"),
    ("quantile off by one", "include/lethe/measures.h", "double at = q * (double)(n - 1),",
     "double at = q * (double)n,"),
    ("epsilon takes the smaller bound", M + "forgetting_score.c",
     "eps = fmax(0, fmax(log(1 - s->delta - fpr)", "eps = fmax(0, fmin(log(1 - s->delta - fpr)"),
    ("bucket width 1 instead of 1/2", M + "forgetting_score.c", "#define BUCKET 0.5",
     "#define BUCKET 1.0"),
    ("ties of the AUC count nothing", M + "yeom.c",
     "twice += 2.0 * (double)(m - above) + (double)(above - upto);",
     "twice += 2.0 * (double)(m - above);"),
    ("transfer counts samples the target had wrong", M + "transfer.c",
     "int eligible = fooled && prediction(target, i) == y;", "int eligible = fooled;"),
    ("privacy score takes the larger bound", M + "comparator_privacy.c",
     "-fmax(0, fmin(log(1 - DELTA - a)", "-fmax(0, fmax(log(1 - DELTA - a)"),
    ("biased variance", "core/base/stats.c", "return sqrt(sum / (double)(n - 1));",
     "return sqrt(sum / (double)n);"),
    ("Holm multiplies by the number of tests (Bonferroni)", "core/base/stats_tests.c",
     "fmin(1, (double)(m - i) * order[i].v)", "fmin(1, (double)m * order[i].v)"),
    ("degrees of freedom of the crossed grid", "core/report/board_interval.c",
     "double df_row = a - 1, df_col = b - 1,", "double df_row = a, df_col = b,"),
    ("gaps without the absolute value", "core/report/board_gap.c", "s->gap += fabs(d);",
     "s->gap += d;"),
]


def sh(args, **kw):
    return subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw)


def build(src, out):
    return sh(["cmake", "--build", out, "-j", str(os.cpu_count() or 1), "--target"] +
              ["test_" + t for t in TESTS])


def first_failure(src, out):
    env = dict(os.environ, LETHE_FIXTURES=os.path.join(src, "tests/fixtures"))
    for t in TESTS:
        if sh([os.path.join(out, "bin/test_" + t)], env=env, timeout=300).returncode:
            return t
    return None


def main():
    source = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "../.."))
    work = tempfile.mkdtemp(prefix="lethe-mutations-")
    src, out = os.path.join(work, "src"), os.path.join(work, "build")
    caught = 0
    try:
        shutil.copytree(source, src, ignore=shutil.ignore_patterns("build", ".git"))
        sh(["cmake", "-S", src, "-B", out, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DLETHE_WERROR=OFF"])
        b = build(src, out)
        if b.returncode or first_failure(src, out):
            print(b.stdout[-2000:], "the tests fail without a slip")
            return 2
        for i, (what, path, old, new) in enumerate(SLIPS, 1):
            full = os.path.join(src, path)
            text = open(full).read()
            if text.count(old) != 1:
                print("%2d  %s: the text to change is not there once in %s" % (i, what, path))
                return 2
            open(full, "w").write(text.replace(old, new))
            b = build(src, out)
            failed = "does not build" if b.returncode else first_failure(src, out)
            open(full, "w").write(text)
            caught += failed is not None
            print("%2d  %-62s %s" % (i, what, "caught by " + failed if failed else "NOT CAUGHT"), flush=True)
        print("%d of %d caught" % (caught, len(SLIPS)))
        return 0 if caught >= 18 else 1
    finally:
        shutil.rmtree(work)


sys.exit(main())
