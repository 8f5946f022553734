#include "tune_score.h"

#include <math.h>
#include <string.h>

#include "board.h"
#include "text.h"

struct score {
    double value; /* NaN: none */
    uint32_t n_planned, n_used;
    const struct result_row *failed; /* the first run that failed, or NULL */
    bool incomplete;                 /* it may succeed another time */
};

/* Verdicts that load, limits or chance may cause. */
static bool may_pass(enum verdict v)
{
    return v == VERDICT_CRASHED || v == VERDICT_VANISHED || v == VERDICT_TIMEOUT ||
           v == VERDICT_OOM;
}

static double value_of(const struct board *b, const struct board_entry *e, const char *select)
{
    if (strcmp(select, "gap") == 0)
        return e->gap;
    if (strcmp(select, "gap_worst") == 0)
        return e->gap_worst;
    int c = results_column(b->results, select);
    if (c < 0)
        return NAN;
    return b->results->column[c].near_retrain ? e->cell[c].gap : e->cell[c].mean;
}

static bool larger_is_better(const struct results *r, const char *select)
{
    int c = results_column(r, select);
    return c >= 0 && !r->column[c].near_retrain && r->column[c].better == BETTER_HIGHER;
}

static void look_at_rows(const struct results *r, const char *label, struct score *s)
{
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct result_row *row = &r->row[i];
        if (strcmp(row->method, label) != 0 || row->status == VERDICT_OK)
            continue;
        if (!s->failed)
            s->failed = row;
        s->incomplete |= may_pass(row->status);
    }
}

static struct score score_of(const struct board *b, const char *label, const char *select)
{
    struct score s = {0};
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++) {
        const struct board_entry *e = &b->entry[i];
        if (strcmp(e->method, label) != 0)
            continue;
        sum += value_of(b, e, select);
        s.n_planned += e->n_planned;
        s.n_used += e->n_used;
        n++;
    }
    look_at_rows(b->results, label, &s);
    s.value = n ? sum / (double)n : NAN;
    return s;
}

static json_t *trial_json(const struct score *s, json_t *params)
{
    return json_pack("{s:O,s:o,s:s,s:s,s:i,s:i}", "params", params, "value",
                     json_number_or_null(s->value), "status",
                     verdict_name(s->failed ? s->failed->status : VERDICT_OK), "reason",
                     s->failed ? s->failed->reason : "", "n_planned", (int)s->n_planned, "n_used",
                     (int)s->n_used);
}

int tune_score(const struct results *r, const char *select, const char *const *labels, size_t n,
               const json_t *trials, json_t **ret, struct error *err)
{
    struct board board;
    json_t *list = json_array();
    bool incomplete = false;
    double best = NAN, sign = larger_is_better(r, select) ? -1 : 1;
    size_t chosen = 0; /* 1-based; 0: none */
    int rc = list ? board_make(r, &board, err) : error_nomem(err);
    for (size_t k = 0; rc == 0 && k < n; k++) {
        struct score s = score_of(&board, labels[k], select);
        bool good = !s.failed && s.n_used == s.n_planned && !isnan(s.value);
        incomplete |= s.incomplete;
        if (good && (chosen == 0 || sign * s.value < sign * best)) {
            best = s.value;
            chosen = k + 1;
        }
        json_t *trial = trial_json(&s, json_array_get(trials, k));
        rc = trial && json_array_append_new(list, trial) == 0 ? 0 : error_nomem(err);
    }
    if (list && rc == 0)
        board_release(&board);
    json_t *ledger = rc == 0 ? json_pack("{s:o,s:b,s:s,s:O}", "chosen",
                                         chosen ? json_integer((json_int_t)chosen) : json_null(),
                                         "incomplete", incomplete, "select", select, "trials", list)
                             : NULL;
    json_decref(list);
    if (rc == 0 && !ledger)
        rc = error_nomem(err);
    if (rc == 0)
        *ret = ledger;
    return rc;
}
