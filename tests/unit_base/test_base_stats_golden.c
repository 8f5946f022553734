/* ROC curves against scikit-learn's (tests/fixtures/roc_*, auc_pairs_avg_gap, yeom_loss). */
#include <math.h>

#include "npy.h"
#include "stats.h"
#include "unit_base/scratch.h"

struct scores {
    double *v;
    size_t n;
};

static struct scores load(const char *name)
{
    struct error err = ERROR_INIT;
    struct npy a;
    struct scores s;
    char *path = fs_join(getenv("LETHE_FIXTURES"), name);
    assert_ok(npy_open(path, &a, &err));
    s.n = a.n;
    s.v = malloc((a.n + 1) * sizeof *s.v);
    assert_ok(npy_to_f64(&a, s.v, &err));
    npy_release(&a);
    free(path);
    return s;
}

/* Scores whose label is `label`. */
static struct scores side(struct scores s, struct scores labels, double label)
{
    struct scores out = {malloc((s.n + 1) * sizeof *out.v), 0};
    for (size_t i = 0; i < s.n; i++)
        if (labels.v[i] == label)
            out.v[out.n++] = s.v[i];
    return out;
}

static void compare_curve(const struct roc *r, const char *folder)
{
    char name[64];
    snprintf(name, sizeof name, "%s/out_fpr_all.npy", folder);
    struct scores fpr = load(name);
    snprintf(name, sizeof name, "%s/out_tpr_all.npy", folder);
    struct scores tpr = load(name);
    assert_int_equal(r->n, fpr.n);
    for (size_t i = 0; i < r->n; i++) {
        assert_float_equal(r->fpr[i], fpr.v[i], 1e-12);
        assert_float_equal(r->tpr[i], tpr.v[i], 1e-12);
    }
    free(fpr.v);
    free(tpr.v);
}

static struct roc make(struct scores pos, struct scores neg)
{
    struct error err = ERROR_INIT;
    struct roc r;
    assert_ok(roc_make(pos.v, pos.n, neg.v, neg.n, &r, &err));
    return r;
}

static struct roc from_folder(const char *folder)
{
    char name[64];
    snprintf(name, sizeof name, "%s/in_scores.npy", folder);
    struct scores s = load(name);
    snprintf(name, sizeof name, "%s/in_labels.npy", folder);
    struct scores y = load(name), pos = side(s, y, 1), neg = side(s, y, 0);
    struct roc r = make(pos, neg);
    compare_curve(&r, folder);
    free(s.v);
    free(y.v);
    free(pos.v);
    free(neg.v);
    return r;
}

static void ties(void **state)
{
    struct roc r = from_folder("roc_v1");
    assert_float_equal(r.auc, 0.6751219512195121, 1e-12);
    assert_float_equal(roc_tpr_at(&r, 0.01), 0.04390243902439024, 1e-12);
    assert_float_equal(roc_tpr_at(&r, 0.001), 0.004878048780487805, 1e-12);
    assert_float_equal(roc_tpr_at(&r, 0), 0.004878048780487805, 1e-12);
    assert_float_equal(roc_balanced_accuracy(&r), 0.6451532207629769, 1e-12);
    roc_release(&r);
}

static void constant_scores(void **state)
{
    struct roc r = from_folder("roc_v3");
    assert_float_equal(r.auc, 0.5, 1e-12);
    assert_float_equal(roc_tpr_at(&r, 0.01), 0, 1e-12);
    assert_float_equal(roc_tpr_at(&r, 0), 0, 1e-12);
    assert_float_equal(roc_balanced_accuracy(&r), 0.5, 1e-12);
    roc_release(&r);
}

static void assert_auc(struct scores pos, struct scores neg, double want)
{
    struct roc r = make(pos, neg);
    assert_float_equal(r.auc, want, 1e-12);
    roc_release(&r);
}

static void three_sets(void **state)
{
    struct scores f = load("auc_pairs_avg_gap/in_score_forget.npy"),
                  m = load("auc_pairs_avg_gap/in_score_remain.npy"),
                  t = load("auc_pairs_avg_gap/in_score_test.npy");
    assert_auc(f, t, 0.48488095238095236);
    assert_auc(m, f, 0.7538541666666665);
    assert_auc(m, t, 0.7357142857142857);
    free(f.v);
    free(m.v);
    free(t.v);
}

static void losses(void **state)
{
    struct scores member = load("yeom_loss/in_loss_member.npy"),
                  other = load("yeom_loss/in_loss_nonmember.npy");
    assert_float_equal(stats_mean(member.v, member.n), 0.3343839202169407, 1e-12);
    for (size_t i = 0; i < member.n; i++)
        member.v[i] = -member.v[i];
    for (size_t i = 0; i < other.n; i++)
        other.v[i] = -other.v[i];
    assert_auc(member, other, 0.7511333333333334);
    free(member.v);
    free(other.v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ties),
        cmocka_unit_test(constant_scores),
        cmocka_unit_test(three_sets),
        cmocka_unit_test(losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
