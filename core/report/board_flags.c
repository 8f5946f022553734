/* Flags of an entry; docs/METRICS.md states their rules for readers. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "board_work.h"

/* Moved by less than this share of the original's own distance to the oracles: did nothing. */
#define NO_OP_SHARE 0.05
/* Beyond the oracles by more than so many of their standard deviations: forgot too much. */
#define OVER_SDS 2.0
/* An oracle's AUC may be off 0.5 by so much: finite sets are never quite alike. */
#define AUDIT_SLACK 0.02

/* The row of `original` that a row started from; NULL if it is not on the board. */
static const struct result_row *start_of(const struct results *r, const struct result_row *row)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct result_row *o = &r->row[i];
        if (o->row_class == ROW_ORIGINAL && o->seed_model == row->seed_model &&
            o->seed_forget == row->seed_forget && o->request == row->request &&
            o->status == VERDICT_OK && strcmp(o->scenario, row->scenario) == 0)
            return o;
    }
    return NULL;
}

static bool same_values(const struct results *r, const struct result_row *a,
                        const struct result_row *b)
{
    for (size_t c = 0; c < r->n_columns; c++)
        if (!(a->value[c] == b->value[c] || (isnan(a->value[c]) && isnan(b->value[c]))))
            return false;
    return r->n_columns > 0;
}

/* ---- no-op ---- */

/* Sums over the gap terms, in percentage points: how far a run moved, and how far its original is
 * from the oracles. */
static void add_way(const struct board_work *w, size_t i, const struct result_row *start,
                    double *moved, double *needed)
{
    size_t from = (size_t)(start - w->r->row);
    for (size_t t = 0; t < w->r->n_gap; t++) {
        int c = w->term[t];
        if (c < 0)
            continue;
        double points = board_points(&w->r->column[c]);
        double reference = w->ref.mean[from * w->r->n_columns + (size_t)c];
        *moved += points * fabs(w->r->row[i].value[c] - start->value[c]);
        *needed += points * fabs(start->value[c] - reference);
    }
}

/* Every value equals the original's, or the gap terms have hardly moved. */
static bool is_no_op(const struct board_work *w, const size_t *row, size_t n)
{
    double moved = 0, needed = 0;
    bool same = true;
    size_t n_ok = 0;
    for (size_t k = 0; k < n; k++) {
        const struct result_row *r = &w->r->row[row[k]];
        if (r->status != VERDICT_OK)
            continue;
        const struct result_row *start = start_of(w->r, r);
        if (!start)
            return false;
        same &= same_values(w->r, r, start);
        add_way(w, row[k], start, &moved, &needed);
        n_ok++;
    }
    return n_ok > 0 && (same || (w->r->n_gap > 0 && moved < NO_OP_SHARE * needed));
}

/* ---- the others ---- */

static bool is_collapsed(const struct results *r, const struct board_entry *e,
                         const struct board_entry *original)
{
    int c = results_column(r, "test_acc");
    return c >= 0 && original && e->cell[c].mean < original->cell[c].mean / 2;
}

/* What is measured on the forget set itself: there going too far means forgetting too much. */
static bool is_about_forgetting(const char *term)
{
    size_t n = strlen(term);
    static const char suffix[] = ".auc_forget_test";
    return strcmp(term, "forget_acc") == 0 ||
           (n > sizeof(suffix) - 1 && strcmp(term + n - (sizeof(suffix) - 1), suffix) == 0);
}

/* An oracle never saw the forget set, so no attack should tell it from the test set: where one
 * does, the attack (or the split) measures something else, and the cell decides nothing. Class
 * scenarios are apart: there forget and test samples differ by class. */
static bool fails_own_audit(const struct board_work *w, const struct board_entry *e)
{
    for (size_t t = 0; t < w->r->n_gap; t++) {
        int c = w->term[t];
        if (c < 0 || strncmp(e->scenario, "class-", 6) == 0 ||
            strcmp(w->r->gap[t], "forget_acc") == 0 || !is_about_forgetting(w->r->gap[t]))
            continue;
        const struct board_cell *cell = &e->cell[c];
        bool outside = cell->ci_low > 0.5 || cell->ci_high < 0.5;
        if (outside && fabs(cell->mean - 0.5) > AUDIT_SLACK)
            return true;
    }
    return false;
}

/* On the far side of the oracles, seen from the original, in some term on the forget set. */
static bool is_over_unlearned(const struct board_work *w, const struct board_entry *e,
                              const struct board_entry *original)
{
    for (size_t t = 0; original && t < w->r->n_gap; t++) {
        int c = w->term[t];
        if (c < 0 || !is_about_forgetting(w->r->gap[t]))
            continue;
        double before = original->cell[c].gap_signed, after = e->cell[c].gap_signed;
        double sd = e->cell[c].gap / e->cell[c].gap_z; /* of the oracles; NaN below three */
        if (before * after < 0 && fabs(after) > OVER_SDS * sd)
            return true;
    }
    return false;
}

static bool is_underpowered(const struct board_work *w, const size_t *row, size_t n)
{
    bool few = w->r->n_oracles < 3;
    for (size_t k = 0; k < n; k++)
        few |= w->r->row[row[k]].status == VERDICT_OK && w->ref.n_oracles[row[k]] < 3;
    return few;
}

/* A run of another method with equal seeds and equal values. */
static bool has_twin(const struct results *r, const struct result_row *row, const char *method)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct result_row *o = &r->row[i];
        if (o->status == VERDICT_OK && strcmp(o->method, method) == 0 &&
            strcmp(o->scenario, row->scenario) == 0 && o->seed_model == row->seed_model &&
            o->seed_forget == row->seed_forget && o->seed_unlearn == row->seed_unlearn &&
            o->request == row->request)
            return same_values(r, row, o);
    }
    return false;
}

static bool is_twin_of(const struct results *r, const size_t *row, size_t n, const char *method)
{
    size_t n_ok = 0;
    for (size_t k = 0; k < n; k++) {
        if (r->row[row[k]].status != VERDICT_OK)
            continue;
        if (!has_twin(r, &r->row[row[k]], method))
            return false;
        n_ok++;
    }
    return n_ok > 0;
}

/* Every run has the very values of another method's run: often one of them does not do what its
 * name says. */
static bool is_duplicate(const struct results *r, const size_t *row, size_t n)
{
    for (size_t m = 2; m < r->n_methods; m++) /* behind original and retrain */
        if (strcmp(r->method[m], r->row[row[0]].method) != 0 && is_twin_of(r, row, n, r->method[m]))
            return true;
    return false;
}

void board_fill_flags(const struct board_work *w, const size_t *row, size_t n,
                      const struct board_entry *original, struct board_entry *e)
{
    const bool method = e->row_class == ROW_METHOD;
    const struct {
        bool set;
        const char *name;
    } flags[] = {
        {is_underpowered(w, row, n), "underpowered"},
        {e->n_used < e->n_planned, "failed-runs"},
        {e->row_class == ROW_ORACLE && fails_own_audit(w, e), "undecidable"},
        {method && is_no_op(w, row, n), "no-op"},
        {method && is_collapsed(w->r, e, original), "collapsed"},
        {method && is_over_unlearned(w, e, original), "over-unlearned"},
        {method && is_duplicate(w->r, row, n), "duplicate"},
    };
    size_t at = 0;
    e->flags[0] = '\0';
    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
        if (flags[i].set)
            at += (size_t)snprintf(e->flags + at, sizeof(e->flags) - at, "%s%s", at ? ";" : "",
                                   flags[i].name);
}
