#include "score_values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "rng.h"
#include "split.h"
#include "stats.h"
#include "task.h"
#include "text.h"

enum { N_SIDES = 3 }; /* ROW_RETAIN, ROW_FORGET, ROW_TEST */

/* Scores by role, without the samples that the attack was given with their membership. */
struct sides {
    double *score[N_SIDES];
    size_t n[N_SIDES];
};

static int split_scores(const double *scores, const uint8_t *role, const uint8_t *known, uint32_t n,
                        struct sides *ret, struct error *err)
{
    memset(ret, 0, sizeof(*ret));
    for (int r = 0; r < N_SIDES; r++)
        if (!(ret->score[r] = malloc((n + 1u) * sizeof(double))))
            return error_nomem(err);
    for (uint32_t i = 0; i < n; i++)
        if (role[i] < N_SIDES && !(known && known[i]))
            ret->score[role[i]][ret->n[role[i]]++] = scores[i];
    return 0;
}

static void sides_release(struct sides *s)
{
    for (int r = 0; r < N_SIDES; r++)
        free(s->score[r]);
}

static int auc(const struct sides *s, int pos, int neg, double *ret, struct error *err)
{
    struct roc roc;
    TRY(roc_make(s->score[pos], s->n[pos], s->score[neg], s->n[neg], &roc, err));
    *ret = roc.auc;
    roc_release(&roc);
    return 0;
}

/* AMUN's protocol (rmia_evaluate.py): n = size of the smallest of the three sets, drawn without
 * replacement from the larger ones in the order test, forget, retain; mean over three draws. */
static int balanced_auc(const struct sides *s, double *ret, struct error *err)
{
    size_t n = s->n[0] < s->n[1] ? s->n[0] : s->n[1];
    n = n < s->n[2] ? n : s->n[2];
    uint32_t *pick = malloc((n + 1) * sizeof(*pick));
    double *side[2] = {malloc((n + 1) * sizeof(double)), malloc((n + 1) * sizeof(double))};
    const int order[2] = {ROW_TEST, ROW_FORGET};
    double sum = 0;
    int rc = pick && side[0] && side[1] ? 0 : error_nomem(err);
    for (uint64_t draw = 0; rc == 0 && draw < 3; draw++) {
        struct rng rng;
        rng_stream(&rng, task_seed("evaluate", 1), "balanced", draw);
        for (int k = 0; k < 2; k++) {
            rng_choose(&rng, (uint32_t)s->n[order[k]], (uint32_t)n, pick);
            for (size_t i = 0; i < n; i++)
                side[k][i] = s->score[order[k]][pick[i]];
        }
        struct roc roc;
        rc = roc_make(side[1], n, side[0], n, &roc, err);
        if (rc == 0) {
            sum += roc.auc;
            roc_release(&roc);
        }
    }
    *ret = sum / 3;
    free(pick);
    free(side[0]);
    free(side[1]);
    return rc;
}

/* ---- DeLong, DeLong, Clarke-Pearson (1988) ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the sorted v (n): entries below x, plus half of those equal to it. */
static double place(const double *v, size_t n, double x)
{
    size_t lo = 0, hi = n, end;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (v[mid] < x)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (hi = n, end = lo; end < hi;) {
        size_t mid = end + (hi - end) / 2;
        if (v[mid] <= x)
            end = mid + 1;
        else
            hi = mid;
    }
    return (double)lo + (double)(end - lo) / 2;
}

/* Variance (ddof 1) of each x's share of the other side that it beats. */
static double component(const double *x, size_t n, const double *other, size_t m)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < n; i++) {
        double share = place(other, m, x[i]) / (double)m;
        sum += share;
        squares += share * share;
    }
    double mean = sum / (double)n;
    return fmax(0, (squares - (double)n * mean * mean) / (double)(n - 1));
}

/* Half width of the 95 % interval of the forget-test AUC; NaN below two samples on a side. Sorts
 * both. */
static double delong_half_width(struct sides *s)
{
    double *pos = s->score[ROW_FORGET], *neg = s->score[ROW_TEST];
    size_t n = s->n[ROW_FORGET], m = s->n[ROW_TEST];
    if (n < 2 || m < 2)
        return NAN;
    qsort(pos, n, sizeof(*pos), ascending);
    qsort(neg, m, sizeof(*neg), ascending);
    double variance = component(pos, n, neg, m) / (double)n + component(neg, m, pos, n) / (double)m;
    return 1.959963984540054 * sqrt(variance);
}

/* ---- the report ---- */

static char *key_of(const char *name, const char *suffix)
{
    return text_format("%s%s%s", name, *name && *suffix ? "." : "", suffix);
}

/* note (may be NULL) says why v is NaN. */
static int add_value(struct score_report *out, const char *name, const char *suffix, double v,
                     const char *note, struct error *err)
{
    char *key = key_of(name, suffix);
    int rc = key && json_object_set_new(out->values, key, json_number_or_null(v)) == 0
                 ? 0
                 : error_nomem(err);
    if (rc == 0 && isnan(v) && note && json_object_set_new(out->notes, key, json_string(note)) != 0)
        rc = error_nomem(err);
    free(key);
    return rc;
}

static json_t *number_array(const double *v, size_t n)
{
    json_t *a = json_array();
    for (size_t i = 0; a && i < n; i++)
        if (json_array_append_new(a, json_real(v[i])) != 0) {
            json_decref(a);
            return NULL;
        }
    return a;
}

static int add_curve(struct score_report *out, const char *name, const struct roc *roc,
                     struct error *err)
{
    char *key = key_of(name, "forget_test");
    json_t *curve = json_pack("{s:o,s:o}", "x", number_array(roc->fpr, roc->n), "y",
                              number_array(roc->tpr, roc->n));
    int rc = key && curve && json_object_set(out->curves, key, curve) == 0 ? 0 : error_nomem(err);
    json_decref(curve);
    free(key);
    return rc;
}

static const char *empty_note(const struct sides *s)
{
    static const char *const notes[N_SIDES] = {"no retain samples are judged",
                                               "no forget samples are judged",
                                               "no test samples are judged"};
    for (int r = ROW_FORGET; r <= ROW_TEST; r++)
        if (s->n[r] == 0)
            return notes[r];
    return s->n[ROW_RETAIN] == 0 ? notes[ROW_RETAIN] : NULL;
}

/* A rate that the negatives cannot resolve would be the one at 0 under another name. */
static int add_tpr(struct score_report *out, const char *name, const char *suffix,
                   const struct roc *roc, double x, const char *empty, struct error *err)
{
    bool enough = x == 0 || (double)roc->n_neg * x >= 1 - 1e-9;
    char *note = NULL;
    if (!enough && roc->n_neg > 0)
        note = text_format("%llu negatives cannot resolve a false positive rate of %g; "
                           "tpr_at_0_fpr is the same",
                           (unsigned long long)roc->n_neg, x);
    int rc =
        add_value(out, name, suffix, enough ? roc_tpr_at(roc, x) : NAN, note ? note : empty, err);
    free(note);
    return rc;
}

/* Fitted attacks judge a score of at least 0 a member. */
static double share_below_zero(const struct sides *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n[ROW_FORGET]; i++)
        n += s->score[ROW_FORGET][i] < 0;
    return s->n[ROW_FORGET] ? (double)n / (double)s->n[ROW_FORGET] : NAN;
}

static int add_aucs(const struct sides *s, const struct roc *roc, const char *name,
                    const char *empty, struct score_report *out, struct error *err)
{
    double retain_test = 0, forget_retain = 0, balanced = 0;
    TRY(auc(s, ROW_RETAIN, ROW_TEST, &retain_test, err));
    TRY(auc(s, ROW_RETAIN, ROW_FORGET, &forget_retain, err));
    TRY(balanced_auc(s, &balanced, err));
    TRY(add_value(out, name, "auc_forget_test", roc->auc, empty, err));
    TRY(add_value(out, name, "auc_retain_test", retain_test, empty, err));
    TRY(add_value(out, name, "auc_forget_retain", forget_retain, empty, err));
    return add_value(out, name, "auc_forget_test_balanced", balanced, empty, err);
}

static int add_rates(const struct roc *roc, const char *name, const char *empty,
                     struct score_report *out, struct error *err)
{
    static const struct {
        const char *suffix;
        double x;
    } rates[] = {{"tpr_at_1pct_fpr", 0.01},
                 {"tpr_at_0p1pct_fpr", 0.001},
                 {"tpr_at_0p01pct_fpr", 0.0001},
                 {"tpr_at_0_fpr", 0}};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
        TRY(add_tpr(out, name, rates[i].suffix, roc, rates[i].x, empty, err));
    TRY(add_value(out, name, "balanced_accuracy", roc_balanced_accuracy(roc), empty, err));
    return add_value(out, name, "n_negatives", (double)roc->n_neg, NULL, err);
}

static int add_interval(struct sides *s, const struct roc *roc, const char *name,
                        struct score_report *out, struct error *err)
{
    static const char few[] = "an interval needs 2 forget and 2 test samples";
    double half = delong_half_width(s);
    TRY(add_value(out, name, "auc_forget_test_low", fmax(roc->auc - half, isnan(half) ? half : 0),
                  few, err));
    return add_value(out, name, "auc_forget_test_high",
                     fmin(roc->auc + half, isnan(half) ? half : 1), few, err);
}

int score_values(const double *scores, const uint8_t *role, const uint8_t *known, uint32_t n,
                 const char *name, struct score_report *out, struct error *err)
{
    struct sides s;
    struct roc roc = {0};
    int rc = split_scores(scores, role, known, n, &s, err);
    if (rc == 0)
        rc = roc_make(s.score[ROW_FORGET], s.n[ROW_FORGET], s.score[ROW_TEST], s.n[ROW_TEST], &roc,
                      err);
    const char *empty = rc == 0 ? empty_note(&s) : NULL;
    if (rc == 0)
        rc = add_aucs(&s, &roc, name, empty, out, err);
    if (rc == 0)
        rc = add_rates(&roc, name, empty, out, err);
    if (rc == 0)
        rc =
            add_value(out, name, *name ? "" : "nonmember_forget", share_below_zero(&s), empty, err);
    if (rc == 0)
        rc = add_interval(&s, &roc, name, out, err); /* sorts the scores: last */
    if (rc == 0 && roc.n_pos > 0 && roc.n_neg > 0)   /* else there is nothing to draw */
        rc = add_curve(out, name, &roc, err);
    roc_release(&roc);
    sides_release(&s);
    return rc;
}

int score_accuracy(const double *scores, const uint8_t *role, const uint8_t *known, uint32_t n,
                   const char *name, struct score_report *out, struct error *err)
{
    double right[2] = {0, 0}, count[2] = {0, 0}; /* forget, test */
    for (uint32_t i = 0; i < n; i++) {
        bool forget = role[i] == ROW_FORGET;
        if ((!forget && role[i] != ROW_TEST) || (known && known[i]))
            continue;
        count[!forget]++;
        right[!forget] += (scores[i] > 0) == forget;
    }
    double v = count[0] > 0 && count[1] > 0 ? (right[0] / count[0] + right[1] / count[1]) / 2 : NAN;
    return add_value(out, name, "accuracy", v, "needs judged forget and test samples", err);
}
