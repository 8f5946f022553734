/* Tables of what stands behind a leaderboard: costs, runs planned and used, the environment. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report_names.h"
#include "stats.h"
#include "table.h"
#include "tex.h"

static bool is_of(const struct result_row *row, const struct board_entry *e)
{
    return strcmp(row->scenario, e->scenario) == 0 && strcmp(row->method, e->method) == 0;
}

/* Between scenarios of a table. */
static void begin_scenario(struct tex_table *t, const struct board *b, size_t i)
{
    if (i == 0 || strcmp(b->entry[i].scenario, b->entry[i - 1].scenario) != 0)
        tex_block(t, b->entry[i].scenario);
}

/* ---- costs ---- */

enum cost { COST_WALL, COST_CPU, COST_PEAK, COST_FORWARD, COST_BACKWARD, COST_STEPS, N_COSTS };
static const struct {
    const char *name, *heading, *count; /* count: column of runs.csv; NULL: seconds or memory */
    int digits;
} costs[N_COSTS] = {
    [COST_WALL] = {"wall_s", "Wall, s", NULL, 2},
    [COST_CPU] = {"cpu_s", "CPU, s", NULL, 2},
    [COST_PEAK] = {"peak_mb", "Peak, MB", NULL, 0},
    [COST_FORWARD] = {"forward", "Forward", "forward", 0},
    [COST_BACKWARD] = {"backward", "Backward", "backward", 0},
    [COST_STEPS] = {"optimizer_steps", "Steps", "optimizer_steps", 0},
};

static double cost_of(const struct results *r, const struct result_row *row, size_t cost)
{
    if (cost == COST_WALL)
        return row->wall_s;
    if (cost == COST_CPU)
        return row->cpu_s;
    if (cost == COST_PEAK)
        return row->peak_mb;
    for (size_t i = 0; i < r->n_counts; i++)
        if (strcmp(r->count_name[i], costs[cost].count) == 0)
            return row->count[i];
    return NAN;
}

struct cost_values {
    double *v; /* (n) of one entry and cost */
    size_t n;
};

static struct cost_values collect_cost(const struct results *r, const struct board_entry *e,
                                       size_t cost, double *memory)
{
    struct cost_values c = {memory, 0};
    for (size_t i = 0; i < r->n_rows; i++) {
        double v = cost_of(r, &r->row[i], cost);
        if (is_of(&r->row[i], e) && r->row[i].status == VERDICT_OK && !r->row[i].interim &&
            !isnan(v))
            c.v[c.n++] = v;
    }
    return c;
}

static void cost_row(struct tex_table *t, const struct results *r, const struct board_entry *e,
                     double *memory)
{
    tex_cell(t, report_method_name(r, e->method));
    csv_cell(&t->csv, e->scenario);
    csv_cell(&t->csv, e->method);
    for (size_t k = 0; k < N_COSTS; k++) {
        struct cost_values c = collect_cost(r, e, k, memory);
        double mean = stats_mean(c.v, c.n);
        tex_cell_number(t, mean, costs[k].digits);
        csv_cell_double(&t->csv, mean);
        csv_cell_double(&t->csv, stats_sd(c.v, c.n));
    }
    tex_end_row(t);
    csv_end_row(&t->csv);
}

static void cost_head(struct tex_table *t)
{
    struct strbuf sd;
    strbuf_init(&sd);
    tex_cell(t, "Method");
    csv_cell(&t->csv, "scenario");
    csv_cell(&t->csv, "method");
    for (size_t k = 0; k < N_COSTS; k++) {
        tex_cell(t, costs[k].heading);
        csv_cell(&t->csv, costs[k].name);
        strbuf_reset(&sd);
        strbuf_addf(&sd, "%s_sd", costs[k].name);
        csv_cell(&t->csv, sd.s);
    }
    tex_end_row(t);
    csv_end_row(&t->csv);
    t->tex.failed |= sd.failed;
    strbuf_release(&sd);
}

int table_cost(const struct board *b, const char *dir, struct error *err)
{
    struct tex_table t;
    double *memory = malloc((b->results->n_rows + 1) * sizeof(*memory));
    if (!memory)
        return error_nomem(err);
    tex_table_begin(&t, "lrrrrrr", "costs.csv and runs.csv");
    cost_head(&t);
    for (size_t i = 0; i < b->n; i++) {
        if (b->entry[i].row_class == ROW_ORIGINAL)
            continue;
        if (i == 0 || strcmp(b->entry[i].scenario, b->entry[i - 1].scenario) != 0 ||
            b->entry[i - 1].row_class == ROW_ORIGINAL)
            tex_block(&t, b->entry[i].scenario);
        cost_row(&t, b->results, &b->entry[i], memory);
    }
    tex_note(&t,
             "Means over runs. Seconds with preparation (adversarial sets, masks), on the machine "
             "that ran them; samples through the network and optimiser steps are the same on "
             "every machine. Retrain: training anew without the forget set.");
    free(memory);
    return tex_table_save(&t, dir, "cost", err);
}

/* ---- planned, used, failed ---- */

/* "timeout 2, crashed 1" */
static void verdicts(const struct results *r, const struct board_entry *e, struct strbuf *out,
                     size_t *ret_failed, size_t *ret_parts)
{
    *ret_failed = *ret_parts = 0;
    for (int v = 0; v < VERDICT_COUNT; v++) {
        size_t n = 0;
        for (size_t i = 0; i < r->n_rows; i++)
            n += is_of(&r->row[i], e) && !r->row[i].interim && (int)r->row[i].status == v;
        if (v == VERDICT_OK || n == 0)
            continue;
        *ret_failed += n;
        strbuf_addf(out, "%s%s %zu", out->len ? ", " : "", verdict_name((enum verdict)v), n);
    }
    for (size_t i = 0; i < r->n_rows; i++)
        *ret_parts += is_of(&r->row[i], e) && !r->row[i].interim && r->row[i].failed_parts &&
                      *r->row[i].failed_parts;
}

static void runs_row(struct tex_table *t, const struct results *r, const struct board_entry *e)
{
    struct strbuf why;
    size_t failed, parts;
    strbuf_init(&why);
    verdicts(r, e, &why, &failed, &parts);
    const int64_t n[] = {e->n_planned, e->n_used, (int64_t)failed, (int64_t)parts};
    tex_cell(t, report_method_name(r, e->method));
    csv_cell(&t->csv, e->scenario);
    csv_cell(&t->csv, e->method);
    for (size_t i = 0; i < 4; i++) {
        tex_cell_number(t, (double)n[i], 0);
        csv_cell_int(&t->csv, n[i]);
    }
    tex_cell(t, why.s);
    csv_cell(&t->csv, why.s);
    tex_end_row(t);
    csv_end_row(&t->csv);
    t->tex.failed |= why.failed;
    strbuf_release(&why);
}

int table_runs(const struct board *b, const char *dir, struct error *err)
{
    static const char *const heads[] = {"Method", "Planned", "Used", "Failed", "Parts lost", "Why"},
                             *const names[] = {"scenario", "method",     "planned", "used",
                                               "failed",   "parts_lost", "why"};
    struct tex_table t;
    tex_table_begin(&t, "lrrrrl", "runs.csv");
    for (size_t i = 0; i < 6; i++)
        tex_cell(&t, heads[i]);
    for (size_t i = 0; i < 7; i++)
        csv_cell(&t.csv, names[i]);
    tex_end_row(&t);
    csv_end_row(&t.csv);
    for (size_t i = 0; i < b->n; i++) {
        begin_scenario(&t, b, i);
        runs_row(&t, b->results, &b->entry[i]);
    }
    tex_note(&t, "Used: runs that succeeded and have every gap term. Parts lost: runs in which an "
                 "attack or a metric failed.");
    return tex_table_save(&t, dir, "runs", err);
}

/* ---- environment ---- */

static void pair(struct tex_table *t, const char *what, const char *value)
{
    tex_cell(t, what);
    tex_cell(t, value);
    tex_end_row(t);
    csv_cell(&t->csv, what);
    csv_cell(&t->csv, value);
    csv_end_row(&t->csv);
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static void add_plugins(struct tex_table *t, const json_t *setup, const char *list,
                        const char *what)
{
    const json_t *entries = json_object_get(setup, list);
    struct strbuf all;
    strbuf_init(&all);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *e = json_array_get(entries, i);
        bool again = false;
        for (size_t k = 0; k < i; k++)
            again |= strcmp(text_of(json_array_get(entries, k), "id"), text_of(e, "id")) == 0;
        if (!again)
            strbuf_addf(&all, "%s%s %s", all.len ? ", " : "", text_of(e, "id"),
                        text_of(e, "version"));
    }
    if (all.len)
        pair(t, what, all.s);
    t->tex.failed |= all.failed;
    strbuf_release(&all);
}

static void add_number(struct tex_table *t, const json_t *setup, const char *key, const char *what)
{
    char text[32];
    snprintf(text, sizeof(text), "%lld",
             (long long)json_integer_value(json_object_get(setup, key)));
    pair(t, what, text);
}

int table_environment(const struct results *r, const char *dir, struct error *err)
{
    struct tex_table t;
    const json_t *setup = r->setup;
    if (!setup)
        return 0; /* of reports merged from several suites */
    tex_table_begin(&t, "lp{0.7\\linewidth}", "the suite as run");
    t.n_columns = 2;
    tex_cell(&t, "What");
    tex_cell(&t, "Value");
    tex_end_row(&t);
    tex_rule(&t);
    csv_cell(&t.csv, "what");
    csv_cell(&t.csv, "value");
    csv_end_row(&t.csv);
    pair(&t, "Suite", r->suite);
    pair(&t, "Lethe", text_of(setup, "lethe"));
    pair(&t, "Arithmetic", text_of(json_object_get(setup, "worker"), "numerics"));
    add_number(&t, setup, "train_rows", "Training images");
    add_number(&t, setup, "test_rows", "Test images");
    add_number(&t, setup, "parameters", "Weights of the model");
    add_plugins(&t, setup, "unlearn_methods", "Methods");
    add_plugins(&t, setup, "attacks", "Attacks");
    add_plugins(&t, setup, "metrics", "Metrics");
    return tex_table_save(&t, dir, "environment", err);
}
