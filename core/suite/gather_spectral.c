#include "gather_spectral.h"

#include <stdlib.h>

#include "csv.h"
#include "fs.h"
#include "text.h"

static int wrong(const char *path, size_t line, struct error *err)
{
    return error_set(err, ERR_INVALID, "%s:%zu: expected epoch,layer,k,value", path, line);
}

static int read_row(const char *path, const struct csv_table *t, size_t i,
                    struct result_spectral *ret, struct error *err)
{
    int64_t epoch, k;
    if (!text_to_int(t->row[i][0], &epoch) || !text_to_int(t->row[i][2], &k) ||
        !text_to_real(t->row[i][3], &ret->value))
        return wrong(path, t->line[i], err);
    ret->epoch = (uint32_t)epoch;
    ret->k = (uint32_t)k;
    ret->layer = text_dup(t->row[i][1]);
    return ret->layer ? 0 : error_nomem(err);
}

static int read_values(const char *path, struct result_row *row, struct error *err)
{
    struct csv_table t = {0};
    TRY(csv_read(path, (size_t)64 << 20, &t, err));
    int rc = t.n_cols == 4 ? 0 : wrong(path, 1, err);
    row->spectral = rc == 0 ? calloc(t.n_rows + 1, sizeof(*row->spectral)) : NULL;
    if (rc == 0 && !row->spectral)
        rc = error_nomem(err);
    for (size_t i = 0; rc == 0 && i < t.n_rows; i++) {
        rc = read_row(path, &t, i, &row->spectral[i], err);
        row->n_spectral += rc == 0;
    }
    csv_release(&t);
    return rc;
}

int gather_spectral(const struct plan *p, const struct store *store,
                    const struct plan_row *plan_row, struct result_row *row, struct error *err)
{
    const struct suite *s = p->suite;
    const struct recipe *r = &s->variant[s->variant_of[plan_row->scenario]].train;
    if (plan_row->kind != PLAN_ORIGINAL || r->spectral.method == CLIP_OFF || s->originals.files)
        return 0;
    char *path = store_path(store, p->task[plan_row->model].id, "spectral.csv");
    int rc = path ? read_values(path, row, err) : error_nomem(err);
    free(path);
    return rc;
}
