/* What each row is compared with: the mean and the spread of its oracles. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "board_work.h"
#include "stats.h"

/* Whether the ';'-separated list holds id. */
static bool names(const char *list, const char *id)
{
    size_t n = strlen(id);
    for (const char *p = list; n && (p = strstr(p, id)); p++) {
        bool begins = p == list || p[-1] == ';';
        if (begins && (p[n] == '\0' || p[n] == ';'))
            return true;
    }
    return false;
}

static bool is_oracle_of(const struct result_row *o, const struct result_row *row)
{
    return o != row && o->row_class == ROW_ORACLE && o->status == VERDICT_OK &&
           strcmp(o->scenario, row->scenario) == 0 && names(row->oracle_ids, o->model_id);
}

/* The oracles of a row, as indices of rows. */
static size_t oracles_of(const struct results *r, const struct result_row *row, size_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        if (is_oracle_of(&r->row[i], row))
            ret[n++] = i;
    return n;
}

struct scratch {
    size_t *oracle; /* (n_rows) */
    double *v;      /* (n_rows) */
};

static void fill_row(const struct results *r, size_t i, struct scratch *s,
                     struct board_reference *ref)
{
    const struct result_row *row = &r->row[i];
    size_t n_oracles = oracles_of(r, row, s->oracle);
    bool self = row->row_class == ROW_ORACLE && row->status == VERDICT_OK;
    ref->n_oracles[i] = (uint32_t)n_oracles + self;
    for (size_t c = 0; c < r->n_columns; c++) {
        size_t at = i * r->n_columns + c;
        uint32_t n = 0;
        for (size_t k = 0; k < n_oracles; k++)
            if (!isnan(r->row[s->oracle[k]].value[c]))
                s->v[n++] = r->row[s->oracle[k]].value[c];
        ref->n[at] = n;
        ref->mean[at] = stats_mean(s->v, n);
        if (self && !isnan(row->value[c]))
            s->v[n++] = row->value[c];
        ref->n_sd[at] = n;
        ref->sd[at] = stats_sd(s->v, n);
    }
}

int board_reference_make(const struct results *r, struct board_reference *ret, struct error *err)
{
    size_t n = r->n_rows * r->n_columns + 1;
    struct scratch s = {malloc((r->n_rows + 1) * sizeof(*s.oracle)),
                        malloc((r->n_rows + 1) * sizeof(*s.v))};
    struct board_reference ref = {.n_oracles = calloc(r->n_rows + 1, sizeof(*ref.n_oracles)),
                                  .n = calloc(n, sizeof(*ref.n)),
                                  .mean = calloc(n, sizeof(*ref.mean)),
                                  .sd = calloc(n, sizeof(*ref.sd)),
                                  .n_sd = calloc(n, sizeof(*ref.n_sd))};
    bool ok = s.oracle && s.v && ref.n_oracles && ref.n && ref.mean && ref.sd && ref.n_sd;
    for (size_t i = 0; ok && i < r->n_rows; i++)
        fill_row(r, i, &s, &ref);
    free(s.oracle);
    free(s.v);
    if (!ok) {
        board_reference_release(&ref);
        return error_nomem(err);
    }
    *ret = ref;
    return 0;
}

void board_reference_release(struct board_reference *ref)
{
    free(ref->n_oracles);
    free(ref->n);
    free(ref->mean);
    free(ref->sd);
    free(ref->n_sd);
    *ref = (struct board_reference){0};
}
