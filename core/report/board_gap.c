/* Gaps to the retrained oracles: a row's, a metric's, an entry's. */
#include <math.h>
#include <stdlib.h>

#include "board_interval.h"
#include "board_work.h"
#include "stats.h"

double board_points(const struct result_column *c)
{
    return c->unit && c->unit[0] == 'p' ? 1 : 100; /* "percent", or a fraction */
}

/* Value of row i in a gap term; NaN when there is none. */
static double term_value(const struct board_work *w, size_t i, size_t t)
{
    return w->term[t] < 0 || w->r->row[i].status != VERDICT_OK ? NAN
                                                               : w->r->row[i].value[w->term[t]];
}

static double term_reference(const struct board_work *w, size_t i, size_t t)
{
    return w->term[t] < 0 ? NAN : w->ref.mean[i * w->r->n_columns + (size_t)w->term[t]];
}

/* Signed, in percentage points. */
static double term_gap(const struct board_work *w, size_t i, size_t t)
{
    double points = w->term[t] < 0 ? NAN : board_points(&w->r->column[w->term[t]]);
    return (term_value(w, i, t) - term_reference(w, i, t)) * points;
}

/* A lone oracle is used, though it has no other to be compared with. */
static void judge_row(const struct board_work *w, size_t i)
{
    const struct result_row *row = &w->r->row[i];
    double sum = 0;
    w->used[i] = row->status == VERDICT_OK;
    for (size_t t = 0; t < w->r->n_gap; t++) {
        double gap = term_gap(w, i, t);
        bool lone = row->row_class == ROW_ORACLE && isnan(term_reference(w, i, t));
        if (isnan(term_value(w, i, t)) || (isnan(gap) && !lone))
            w->used[i] = false;
        sum += fabs(gap);
    }
    w->gap[i] = w->used[i] && w->r->n_gap ? sum / (double)w->r->n_gap : NAN;
}

int board_work_make(const struct results *r, struct board_work *ret, struct error *err)
{
    struct board_work w = {.r = r,
                           .term = calloc(r->n_gap + 1, sizeof(*w.term)),
                           .used = calloc(r->n_rows + 1, sizeof(*w.used)),
                           .gap = calloc(r->n_rows + 1, sizeof(*w.gap))};
    int rc = w.term && w.used && w.gap ? board_reference_make(r, &w.ref, err) : error_nomem(err);
    if (rc < 0) {
        board_work_release(&w);
        return rc;
    }
    for (size_t t = 0; t < r->n_gap; t++)
        w.term[t] = results_column(r, r->gap[t]);
    for (size_t i = 0; i < r->n_rows; i++)
        judge_row(&w, i);
    *ret = w;
    return 0;
}

void board_work_release(struct board_work *w)
{
    board_reference_release(&w->ref);
    free(w->term);
    free(w->used);
    free(w->gap);
    *w = (struct board_work){0};
}

/* ---- cells ---- */

/* Standard deviation of the oracles, pooled over the forget sets of the rows; NaN when a set has
 * fewer than 3 oracles or when they do not differ. */
static double oracle_sd(const struct board_work *w, const size_t *row, size_t n, size_t c)
{
    double sum = 0;
    size_t count = 0;
    for (size_t k = 0; k < n; k++) {
        size_t at = row[k] * w->r->n_columns + c;
        if (w->r->row[row[k]].status != VERDICT_OK || isnan(w->r->row[row[k]].value[c]))
            continue;
        if (w->ref.n_sd[at] < 3)
            return NAN;
        sum += w->ref.sd[at] * w->ref.sd[at];
        count++;
    }
    double sd = count ? sqrt(sum / (double)count) : NAN;
    return sd > 0 ? sd : NAN;
}

struct sums {
    double gap, gap_signed;
    uint32_t n;
};

static void add_row(const struct board_work *w, size_t i, size_t c, struct sums *s)
{
    double d = w->r->row[i].value[c] - w->ref.mean[i * w->r->n_columns + c];
    if (isnan(d))
        return;
    s->gap += fabs(d);
    s->gap_signed += d;
    s->n++;
}

/* A value of a whole group counts once per forget set: does an earlier row hold it already? */
static bool is_repeated(const struct board_work *w, const size_t *row, size_t k, size_t c)
{
    for (size_t j = 0; j < k; j++) {
        const struct result_row *r = &w->r->row[row[j]];
        if (r->seed_forget == w->r->row[row[k]].seed_forget && r->status == VERDICT_OK &&
            !isnan(r->value[c]))
            return true;
    }
    return false;
}

static int fill_cell(const struct board_work *w, const size_t *row, size_t n, size_t c,
                     struct board_sample *sample, double *v, struct board_cell *cell,
                     struct error *err)
{
    struct sums s = {0};
    cell->n = 0;
    for (size_t k = 0; k < n; k++) {
        const struct result_row *r = &w->r->row[row[k]];
        if (r->status != VERDICT_OK || isnan(r->value[c]) ||
            (w->r->column[c].group && is_repeated(w, row, k, c)))
            continue;
        sample[cell->n] = (struct board_sample){r->seed_model, r->seed_forget, r->value[c]};
        v[cell->n++] = r->value[c];
        add_row(w, row[k], c, &s);
    }
    bool compared = w->r->column[c].near_retrain && s.n > 0;
    cell->mean = stats_mean(v, cell->n);
    cell->sd = stats_sd(v, cell->n);
    cell->gap = compared ? s.gap / s.n : NAN;
    cell->gap_signed = compared ? s.gap_signed / s.n : NAN;
    cell->gap_z = compared ? cell->gap / oracle_sd(w, row, n, c) : NAN;
    return board_interval(sample, cell->n, &cell->ci_low, &cell->ci_high, err);
}

int board_fill_cells(const struct board_work *w, const size_t *row, size_t n, struct board_entry *e,
                     struct error *err)
{
    struct board_sample *sample = malloc((n + 1) * sizeof(*sample));
    double *v = malloc((n + 1) * sizeof(*v));
    int rc = sample && v ? 0 : error_nomem(err);
    for (size_t c = 0; rc == 0 && c < w->r->n_columns; c++)
        rc = fill_cell(w, row, n, c, sample, v, &e->cell[c], err);
    free(sample);
    free(v);
    return rc;
}

/* ---- the entry's own gap ---- */

/* Mean over the used rows of term t: absolute, and of the means. */
static void term_means(const struct board_work *w, const size_t *row, size_t n, size_t t,
                       double *ret_absolute, double *ret_of_means)
{
    double absolute = 0, signed_sum = 0;
    size_t count = 0;
    for (size_t k = 0; k < n; k++) {
        if (isnan(w->gap[row[k]]))
            continue;
        double gap = term_gap(w, row[k], t);
        absolute += fabs(gap);
        signed_sum += gap;
        count++;
    }
    *ret_absolute = count ? absolute / (double)count : NAN;
    *ret_of_means = count ? fabs(signed_sum / (double)count) : NAN;
}

static void fill_terms(const struct board_work *w, const size_t *row, size_t n,
                       struct board_entry *e)
{
    double of_means = 0, worst = NAN, z = 0;
    for (size_t t = 0; t < w->r->n_gap; t++) {
        double absolute, signed_mean;
        term_means(w, row, n, t, &absolute, &signed_mean);
        of_means += signed_mean;
        worst = fmax(worst, absolute);
        z += w->term[t] < 0 ? NAN : e->cell[w->term[t]].gap_z;
    }
    double n_terms = w->r->n_gap ? (double)w->r->n_gap : NAN;
    e->gap_of_means = of_means / n_terms;
    e->gap_worst = worst;
    e->gap_z = isnan(e->gap) ? NAN : z / n_terms;
}

int board_fill_gaps(const struct board_work *w, const size_t *row, size_t n, struct board_entry *e,
                    struct error *err)
{
    struct board_sample *sample = malloc((n + 1) * sizeof(*sample));
    double *v = malloc((n + 1) * sizeof(*v));
    size_t n_gaps = 0;
    if (!sample || !v) {
        free(sample);
        free(v);
        return error_nomem(err);
    }
    for (size_t k = 0; k < n; k++) {
        const struct result_row *r = &w->r->row[row[k]];
        e->n_used += w->used[row[k]];
        if (isnan(w->gap[row[k]]))
            continue;
        sample[n_gaps] = (struct board_sample){r->seed_model, r->seed_forget, w->gap[row[k]]};
        v[n_gaps++] = w->gap[row[k]];
    }
    e->gap = stats_mean(v, n_gaps);
    e->gap_sd = stats_sd(v, n_gaps);
    int rc = board_interval(sample, n_gaps, &e->gap_ci_low, &e->gap_ci_high, err);
    fill_terms(w, row, n, e);
    free(sample);
    free(v);
    return rc;
}
