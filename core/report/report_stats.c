#include "report_stats.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "board_compare.h"
#include "board_variance.h"
#include "stats_tests.h"

static void header(struct csv_writer *w, const char *const *names)
{
    for (; *names; names++)
        csv_cell(w, *names);
    csv_end_row(w);
}

static void doubles(struct csv_writer *w, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        csv_cell_double(w, v[i]);
}

int report_comparisons(const struct board *b, struct csv_writer *out, struct error *err)
{
    static const char *const names[] = {
        "scenario", "family", "method", "baseline", "n_cells",      "difference", "ci_low",
        "ci_high",  "p",      "p_holm", "p_least",  "cells_needed", NULL};
    struct board_comparisons c;
    TRY(board_compare(b, &c, err));
    header(out, names);
    for (size_t i = 0; i < c.n; i++) {
        const struct board_comparison *x = &c.item[i];
        const double v[] = {x->difference, x->ci_low,  x->ci_high,     x->p,
                            x->p_holm,     x->p_least, x->cells_needed};
        csv_cell(out, x->scenario);
        csv_cell(out, x->family);
        csv_cell(out, x->method);
        csv_cell(out, x->baseline);
        csv_cell_int(out, x->n_cells);
        doubles(out, v, sizeof(v) / sizeof(v[0]));
        csv_end_row(out);
    }
    board_comparisons_release(&c);
    return 0;
}

int report_ranks(const struct board *b, struct csv_writer *out, struct error *err)
{
    static const char *const names[] = {"scenario",   "method",     "n_blocks",
                                        "mean_rank",  "p_first",    "friedman_chi2",
                                        "friedman_p", "nemenyi_cd", NULL};
    struct board_ranks r;
    TRY(board_ranks_make(b, &r, err));
    header(out, names);
    for (size_t i = 0; i < r.n; i++) {
        const struct board_rank *x = &r.item[i];
        const double v[] = {x->mean_rank, x->p_first, x->friedman_chi2, x->friedman_p, x->nemenyi};
        csv_cell(out, x->scenario);
        csv_cell(out, x->method);
        csv_cell_int(out, x->n_blocks);
        doubles(out, v, sizeof(v) / sizeof(v[0]));
        csv_end_row(out);
    }
    board_ranks_release(&r);
    return 0;
}

/* ---- agreement ---- */

/* Gaps in term t (n_gap: the gap itself) of the ranked methods of a scenario. */
static size_t term_gaps(const struct board *b, const char *scenario, size_t t, double *ret)
{
    const struct results *r = b->results;
    int c = t < r->n_gap ? results_column(r, r->gap[t]) : -1;
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) {
        const struct board_entry *e = &b->entry[i];
        if (e->rank == 0 || strcmp(e->scenario, scenario) != 0)
            continue;
        ret[n++] = t == r->n_gap ? e->gap : c >= 0 ? e->cell[c].gap : NAN;
    }
    return n;
}

static const char *term_name(const struct results *r, size_t t)
{
    return t < r->n_gap ? r->gap[t] : "gap";
}

int report_agreement_of(const struct board *b, const char *scenario, size_t i, size_t j,
                        size_t *ret_n, double *ret_tau, struct error *err)
{
    double *x = malloc((b->n + 1) * sizeof(*x)), *y = malloc((b->n + 1) * sizeof(*y));
    int rc = x && y ? 0 : error_nomem(err);
    if (rc == 0) {
        *ret_n = term_gaps(b, scenario, i, x);
        term_gaps(b, scenario, j, y);
        *ret_tau = stats_kendall(x, y, *ret_n);
    }
    free(x);
    free(y);
    return rc;
}

int report_agreement(const struct board *b, struct csv_writer *out, struct error *err)
{
    static const char *const names[] = {"scenario",  "metric_a",    "metric_b",
                                        "n_methods", "kendall_tau", NULL};
    const struct results *r = b->results;
    header(out, names);
    for (size_t s = 0; s < r->n_scenarios; s++)
        for (size_t i = 0; i <= r->n_gap; i++)
            for (size_t j = i + 1; j <= r->n_gap; j++) {
                size_t n;
                double tau;
                TRY(report_agreement_of(b, r->scenario[s], i, j, &n, &tau, err));
                csv_cell(out, r->scenario[s]);
                csv_cell(out, term_name(r, i));
                csv_cell(out, term_name(r, j));
                csv_cell_int(out, (int64_t)n);
                csv_cell_double(out, tau);
                csv_end_row(out);
            }
    return 0;
}

/* ---- variance ---- */

static size_t samples_of(const struct results *r, const struct board_entry *e, size_t c,
                         struct board_sample *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct result_row *row = &r->row[i];
        if (strcmp(row->scenario, e->scenario) == 0 && strcmp(row->method, e->method) == 0 &&
            row->status == VERDICT_OK && !row->interim && !isnan(row->value[c]))
            ret[n++] = (struct board_sample){row->seed_model, row->seed_forget, row->value[c]};
    }
    return n;
}

static void variance_row(const struct board_entry *e, const char *column, size_t n,
                         const struct variance_parts *v, struct csv_writer *out)
{
    double total = v->model + v->forget + v->rest;
    double shares = total > 0 ? 1 / total : NAN;
    const double cells[] = {v->model,          v->forget,          v->rest,         v->unlearn,
                            v->model * shares, v->forget * shares, v->rest * shares};
    csv_cell(out, e->scenario);
    csv_cell(out, e->method);
    csv_cell(out, column);
    csv_cell_int(out, (int64_t)n);
    doubles(out, cells, sizeof(cells) / sizeof(cells[0]));
    csv_end_row(out);
}

int report_variance(const struct board *b, struct csv_writer *out, struct error *err)
{
    static const char *const names[] = {"scenario",    "method",       "metric",     "n_runs",
                                        "var_model",   "var_forget",   "var_rest",   "var_unlearn",
                                        "share_model", "share_forget", "share_rest", NULL};
    const struct results *r = b->results;
    struct board_sample *sample = malloc((r->n_rows + 1) * sizeof(*sample));
    int rc = sample ? 0 : error_nomem(err);
    if (rc == 0)
        header(out, names);
    for (size_t i = 0; rc == 0 && i < b->n; i++)
        for (size_t t = 0; rc == 0 && t < r->n_gap; t++) {
            struct variance_parts v;
            int c = results_column(r, r->gap[t]);
            if (c < 0)
                continue;
            size_t n = samples_of(r, &b->entry[i], (size_t)c, sample);
            rc = board_variance(sample, n, &v, err);
            if (rc == 0)
                variance_row(&b->entry[i], r->gap[t], n, &v, out);
        }
    free(sample);
    return rc;
}
