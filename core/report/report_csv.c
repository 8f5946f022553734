#include "report_csv.h"

#include <math.h>
#include <string.h>

static void header(struct csv_writer *w, const char *const *names)
{
    for (; *names; names++)
        csv_cell(w, *names);
}

/* -1 stands for "does not apply". */
static void index_cell(struct csv_writer *w, int64_t v)
{
    if (v < 0)
        csv_cell(w, NULL);
    else
        csv_cell_int(w, v);
}

static void seed_cells(struct csv_writer *w, const struct result_row *row)
{
    index_cell(w, row->seed_model);
    index_cell(w, row->seed_forget);
    index_cell(w, row->seed_unlearn);
}

/* ---- runs.csv ---- */

static void runs_header(const struct results *r, struct csv_writer *w)
{
    static const char *const begin[] = {
        "run",          "scenario", "method", "plugin", "division", "seed_model",   "seed_forget",
        "seed_unlearn", "request",  "status", "signal", "reason",   "failed_parts", NULL};
    static const char *const end[] = {"model_id", "original_id", "oracle_ids", "notes", NULL};
    header(w, begin);
    for (size_t c = 0; c < r->n_columns; c++)
        csv_cell(w, r->column[c].name);
    for (size_t i = 0; i < r->n_counts; i++)
        csv_cell(w, r->count_name[i]);
    header(w, end);
    csv_end_row(w);
}

/* "column: why" of every undefined cell. */
static void notes_cell(const struct results *r, const struct result_row *row, struct csv_writer *w)
{
    struct strbuf notes;
    strbuf_init(&notes);
    for (size_t c = 0; row->note && c < r->n_columns; c++)
        if (row->note[c])
            strbuf_addf(&notes, "%s%s: %s", notes.len ? "; " : "", r->column[c].name, row->note[c]);
    csv_cell(w, notes.s);
    w->out.failed |= notes.failed;
    strbuf_release(&notes);
}

static void runs_row(const struct results *r, const struct result_row *row, struct csv_writer *w)
{
    csv_cell_int(w, row->run);
    csv_cell(w, row->scenario);
    csv_cell(w, row->method);
    csv_cell(w, row->plugin);
    csv_cell(w, row->division);
    seed_cells(w, row);
    index_cell(w, row->request);
    csv_cell(w, verdict_name(row->status));
    index_cell(w, row->signal ? row->signal : -1);
    csv_cell(w, row->reason);
    csv_cell(w, row->failed_parts);
    for (size_t c = 0; c < r->n_columns; c++)
        csv_cell_double(w, row->value[c]);
    for (size_t i = 0; i < r->n_counts; i++)
        csv_cell_double(w, row->count[i]);
    csv_cell(w, row->model_id);
    csv_cell(w, row->original_id);
    csv_cell(w, row->oracle_ids);
    notes_cell(r, row, w);
    csv_end_row(w);
}

void report_runs(const struct results *r, struct csv_writer *out)
{
    runs_header(r, out);
    for (size_t i = 0; i < r->n_rows; i++)
        runs_row(r, &r->row[i], out);
}

/* ---- costs.csv ---- */

void report_costs(const struct results *r, struct csv_writer *out)
{
    static const char *const names[] = {"run",         "scenario",      "method",    "seed_model",
                                        "seed_forget", "seed_unlearn",  "wall_s",    "cpu_s",
                                        "prepare_s",   "peak_mb",       "host",      "executor",
                                        "run_s",       "prepare_cpu_s", "run_cpu_s", NULL};
    header(out, names);
    csv_end_row(out);
    for (size_t i = 0; i < r->n_rows; i++) {
        const struct result_row *row = &r->row[i];
        /* A run that failed before it was measured has no cost, not a cost of zero. */
        bool measured = row->status == VERDICT_OK || row->wall_s > 0 || row->cpu_s > 0;
        const double cost[] = {row->wall_s, row->cpu_s, row->prepare_s, row->peak_mb};
        csv_cell_int(out, row->run);
        csv_cell(out, row->scenario);
        csv_cell(out, row->method);
        seed_cells(out, row);
        for (size_t k = 0; k < sizeof(cost) / sizeof(cost[0]); k++)
            csv_cell_double(out, measured ? cost[k] : NAN);
        csv_cell(out, row->host);
        csv_cell(out, row->executor);
        const double calls[] = {row->run_s, row->prepare_cpu_s, row->run_cpu_s};
        for (size_t k = 0; k < sizeof(calls) / sizeof(calls[0]); k++)
            csv_cell_double(out, measured ? calls[k] : NAN);
        csv_end_row(out);
    }
}

/* ---- leaderboard.csv ---- */

static void leaderboard_header(const struct results *r, struct csv_writer *w)
{
    static const char *const begin[] = {"scenario",  "rank",   "method", "plugin",    "division",
                                        "n_planned", "n_used", "gap",    "gap_worst", "gap_z",
                                        "flags",     "notes",  NULL};
    static const char *const endings[] = {"",     "_sd",         "_ci_low", "_ci_high",
                                          "_gap", "_gap_signed", "_gap_z"};
    static const char *const spread[] = {"gap_sd", "gap_ci_low", "gap_ci_high", NULL};
    struct strbuf name;
    strbuf_init(&name);
    header(w, begin);
    for (size_t c = 0; c < r->n_columns; c++)
        for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
            strbuf_reset(&name);
            strbuf_addf(&name, "%s%s", r->column[c].name, endings[i]);
            csv_cell(w, name.s);
        }
    header(w, spread);
    csv_cell(w, "settings");
    csv_end_row(w);
    w->out.failed |= name.failed;
    strbuf_release(&name);
}

static void cell_cells(const struct board_cell *cell, struct csv_writer *w)
{
    const double v[] = {cell->mean, cell->sd,         cell->ci_low, cell->ci_high,
                        cell->gap,  cell->gap_signed, cell->gap_z};
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        csv_cell_double(w, v[i]);
}

/* Where a method's parameters come from; "" for original and retrain. */
static const char *settings_of(const struct results *r, const char *method)
{
    for (size_t m = 0; r->settings && m < r->n_methods; m++)
        if (strcmp(r->method[m], method) == 0)
            return r->settings[m];
    return "";
}

void report_leaderboard(const struct board *b, struct csv_writer *out)
{
    leaderboard_header(b->results, out);
    for (size_t i = 0; i < b->n; i++) {
        const struct board_entry *e = &b->entry[i];
        csv_cell(out, e->scenario);
        index_cell(out, e->rank ? (int64_t)e->rank : -1);
        csv_cell(out, e->method);
        csv_cell(out, e->plugin);
        csv_cell(out, e->division);
        csv_cell_int(out, e->n_planned);
        csv_cell_int(out, e->n_used);
        csv_cell_double(out, e->gap);
        csv_cell_double(out, e->gap_worst);
        csv_cell_double(out, e->gap_z);
        csv_cell(out, e->flags);
        csv_cell(out, e->notes);
        for (size_t c = 0; c < b->results->n_columns; c++)
            cell_cells(&e->cell[c], out);
        csv_cell_double(out, e->gap_sd);
        csv_cell_double(out, e->gap_ci_low);
        csv_cell_double(out, e->gap_ci_high);
        csv_cell(out, settings_of(b->results, e->method));
        csv_end_row(out);
    }
}

/* ---- transfer.csv ---- */

void report_transfer(const struct results *r, struct csv_writer *out)
{
    static const char *const names[] = {
        "attack", "source",    "target",    "rate",  "n",       "transferred", "label_match",
        "rows",   "source_id", "target_id", "notes", "variant", NULL};
    header(out, names);
    csv_end_row(out);
    for (size_t i = 0; i < r->n_transfer; i++) {
        const struct result_transfer *t = &r->transfer[i];
        const double number[] = {t->rate, t->n, t->transferred, t->label_match, t->rows};
        csv_cell(out, t->attack);
        csv_cell(out, t->source);
        csv_cell(out, t->target);
        for (size_t k = 0; k < sizeof(number) / sizeof(number[0]); k++)
            csv_cell_double(out, number[k]);
        csv_cell(out, t->source_id);
        csv_cell(out, t->target_id);
        csv_cell(out, t->note);
        csv_cell(out, t->variant);
        csv_end_row(out);
    }
}

/* ---- curves/NAME.csv ---- */

static void curve_rows(const struct result_row *row, const struct result_curve *curve,
                       struct csv_writer *w)
{
    for (size_t i = 0; i < curve->n; i++) {
        csv_cell(w, row->scenario);
        csv_cell(w, row->method);
        seed_cells(w, row);
        csv_cell(w, curve->series);
        csv_cell_double(w, curve->x[i]);
        csv_cell_double(w, curve->y[i]);
        csv_end_row(w);
    }
}

void report_curve(const struct results *r, const char *name, struct csv_writer *out)
{
    static const char *const names[] = {
        "scenario", "method", "seed_model", "seed_forget", "seed_unlearn",
        "series",   "x",      "y",          NULL};
    header(out, names);
    csv_end_row(out);
    for (size_t i = 0; i < r->n_rows; i++)
        for (size_t k = 0; k < r->row[i].n_curves; k++)
            if (strcmp(r->row[i].curve[k].name, name) == 0)
                curve_rows(&r->row[i], &r->row[i].curve[k], out);
}

static void spectral_row(const struct result_row *row, const struct result_spectral *v,
                         struct csv_writer *w)
{
    csv_cell(w, row->scenario);
    csv_cell(w, row->method);
    index_cell(w, row->seed_model);
    csv_cell_int(w, v->epoch);
    csv_cell(w, v->layer);
    csv_cell_int(w, v->k);
    csv_cell_double(w, v->value);
    csv_end_row(w);
}

/* The same original stands in the rows of several forget sets. */
static bool seen_before(const struct results *r, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (r->row[k].n_spectral > 0 && strcmp(r->row[k].scenario, r->row[i].scenario) == 0 &&
            strcmp(r->row[k].model_id, r->row[i].model_id) == 0)
            return true;
    return false;
}

bool report_spectral(const struct results *r, struct csv_writer *out)
{
    static const char *const names[] = {"scenario", "method", "seed_model", "epoch",
                                        "layer",    "k",      "value",      NULL};
    bool some = false;
    for (size_t i = 0; i < r->n_rows; i++)
        some |= r->row[i].n_spectral > 0;
    if (!some)
        return false;
    header(out, names);
    csv_end_row(out);
    for (size_t i = 0; i < r->n_rows; i++)
        for (size_t k = 0; !seen_before(r, i) && k < r->row[i].n_spectral; k++)
            spectral_row(&r->row[i], &r->row[i].spectral[k], out);
    return true;
}
