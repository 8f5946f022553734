#include "fake_results.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "strbuf.h"
#include "text.h"

static void *must(void *p)
{
    assert_non_null(p);
    return p;
}

static char **copy_list(const char *const *from, size_t n, const char *const *front, size_t n_front)
{
    char **out = must(calloc(n + n_front + 1, sizeof(*out)));
    for (size_t i = 0; i < n_front; i++)
        out[i] = must(text_dup(front[i]));
    for (size_t i = 0; i < n; i++)
        out[n_front + i] = must(text_dup(from[i]));
    return out;
}

static size_t count(const char *const *list)
{
    size_t n = 0;
    while (list[n])
        n++;
    return n;
}

void fake_frame(struct results *r, const struct fake_column *columns, size_t n_columns,
                const char *const *scenarios, const char *const *methods, const char *const *gap)
{
    static const char *const sentinels[] = {"original", "retrain"};
    static const char *const counts[] = {"read_forget", "forward"};
    memset(r, 0, sizeof(*r));
    r->suite = must(text_dup("fake"));
    r->column = must(calloc(n_columns + 1, sizeof(*r->column)));
    r->n_columns = n_columns;
    for (size_t c = 0; c < n_columns; c++) {
        r->column[c].name = must(text_dup(columns[c].name));
        r->column[c].unit = must(text_dup(columns[c].unit));
        r->column[c].doc = must(text_dup(""));
        r->column[c].better = BETTER_NEAR_REFERENCE;
        r->column[c].near_retrain = true;
    }
    r->n_counts = 2;
    r->count_name = copy_list(counts, 2, NULL, 0);
    r->n_scenarios = count(scenarios);
    r->scenario = copy_list(scenarios, r->n_scenarios, NULL, 0);
    r->n_methods = count(methods) + 2;
    r->method = copy_list(methods, r->n_methods - 2, sentinels, 2);
    r->n_gap = count(gap);
    r->gap = copy_list(gap, r->n_gap, NULL, 0);
}

void fake_set(char **member, const char *text)
{
    free(*member);
    *member = must(text_dup(text));
}

struct result_row *fake_row(struct results *r, enum row_class row_class, const char *scenario,
                            const char *method, int64_t seed_model, int64_t seed_forget,
                            const double *values)
{
    static const char *const kind[] = {"unlearned", "original", "oracle"};
    r->row = must(realloc(r->row, (r->n_rows + 1) * sizeof(*r->row)));
    struct result_row *row = &r->row[r->n_rows++];
    memset(row, 0, sizeof(*row));
    row->run = (uint32_t)r->n_rows;
    row->row_class = row_class;
    row->scenario = must(text_dup(scenario));
    row->method = must(text_dup(method));
    row->plugin = must(text_dup(method));
    row->division = must(text_dup(row_class == ROW_METHOD ? "with-retain" : "reference"));
    row->seed_model = seed_model;
    row->seed_forget = seed_forget;
    row->seed_unlearn = row_class == ROW_METHOD ? 1 : -1;
    row->request = -1;
    row->reason = must(text_dup(""));
    row->failed_parts = must(text_dup(""));
    row->value = must(calloc(r->n_columns + 1, sizeof(*row->value)));
    row->note = must(calloc(r->n_columns + 1, sizeof(*row->note)));
    row->count = must(calloc(r->n_counts + 1, sizeof(*row->count)));
    memcpy(row->value, values, r->n_columns * sizeof(*row->value));
    row->count[0] = 500;
    row->count[1] = 10000;
    row->model_id = must(
        text_format("%s-%s-%d-%d", kind[row_class], scenario, (int)seed_model, (int)seed_forget));
    row->original_id =
        must(row_class == ROW_ORACLE ? text_dup("") : text_format("original-%d", (int)seed_model));
    row->oracle_ids = must(text_dup(""));
    row->wall_s = 1.5;
    row->cpu_s = 1.25;
    row->prepare_s = 0.5;
    row->peak_mb = 100;
    row->host = must(text_dup("node1"));
    row->executor = must(text_dup("local"));
    return row;
}

void fake_fail(const struct results *r, struct result_row *row, enum verdict status, int signal,
               const char *reason)
{
    row->status = status;
    row->signal = signal;
    fake_set(&row->reason, reason);
    fake_set(&row->model_id, "");
    fake_set(&row->division, "");
    fake_set(&row->host, "");
    row->wall_s = row->cpu_s = row->prepare_s = row->peak_mb = 0;
    for (size_t c = 0; c < r->n_columns; c++)
        row->value[c] = NAN;
    for (size_t i = 0; i < r->n_counts; i++)
        row->count[i] = NAN;
}

void fake_curve(struct result_row *row, const char *name, const char *series, const double *x,
                const double *y, size_t n)
{
    row->curve = must(realloc(row->curve, (row->n_curves + 1) * sizeof(*row->curve)));
    struct result_curve *c = &row->curve[row->n_curves++];
    c->name = must(text_dup(name));
    c->series = must(text_dup(series));
    c->n = n;
    c->x = must(malloc((n + 1) * sizeof(*c->x)));
    c->y = must(malloc((n + 1) * sizeof(*c->y)));
    memcpy(c->x, x, n * sizeof(*x));
    memcpy(c->y, y, n * sizeof(*y));
}

void fake_link_oracles(struct results *r)
{
    uint32_t n_oracles = 0;
    for (size_t i = 0; i < r->n_rows; i++) {
        struct strbuf ids;
        strbuf_init(&ids);
        for (size_t k = 0; k < r->n_rows; k++) {
            const struct result_row *o = &r->row[k];
            bool fits = o != &r->row[i] && o->row_class == ROW_ORACLE && o->status == VERDICT_OK &&
                        strcmp(o->scenario, r->row[i].scenario) == 0 &&
                        o->seed_forget == r->row[i].seed_forget;
            if (fits)
                strbuf_addf(&ids, "%s%s", ids.len ? ";" : "", o->model_id);
        }
        fake_set(&r->row[i].oracle_ids, ids.s);
        strbuf_release(&ids);
    }
    for (size_t k = 0; k < r->n_rows; k++)
        n_oracles += r->row[k].row_class == ROW_ORACLE &&
                     strcmp(r->row[k].scenario, r->scenario[0]) == 0 &&
                     r->row[k].seed_forget == r->row[0].seed_forget;
    r->n_oracles = n_oracles;
}
