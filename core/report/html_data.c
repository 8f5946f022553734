#include "html_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "report_names.h"

struct page_data {
    const struct board *board;
    const struct results *r;
    const struct report_options *options;
    struct html_json *out;
    const char **id; /* identities of models, each once */
    size_t n_ids;
    const char **text; /* notes of cells, each once */
    size_t n_texts;
    bool failed; /* out of memory */
};

static size_t index_of(char *const *list, size_t n, const char *s)
{
    size_t i = 0;
    while (i < n && strcmp(list[i], s) != 0)
        i++;
    return i;
}

/* ---- columns and methods ---- */

static bool is_shown(const struct page_data *d, const char *column)
{
    const struct report_choice *c = d->options->choice;
    if (c && c->n_columns)
        return index_of(c->columns, c->n_columns, column) < c->n_columns;
    return index_of(d->r->gap, d->r->n_gap, column) < d->r->n_gap;
}

static void put_columns(struct page_data *d)
{
    static const char *const better[] = {"", "higher", "lower", "near", ""};
    struct strbuf heading;
    strbuf_init(&heading);
    html_json_key(d->out, "columns");
    html_json_open(d->out, '[');
    for (size_t c = 0; c < d->r->n_columns; c++) {
        const struct result_column *column = &d->r->column[c];
        strbuf_reset(&heading);
        report_column_name(&heading, d->r, column->name);
        html_json_open(d->out, '{');
        html_json_put_string(d->out, "name", column->name);
        html_json_put_string(d->out, "head", heading.s);
        html_json_put_string(d->out, "unit", column->unit);
        html_json_put_string(d->out, "doc", column->doc);
        html_json_put_string(d->out, "better", better[column->better]);
        html_json_key(d->out, "gap");
        html_json_bool(d->out, index_of(d->r->gap, d->r->n_gap, column->name) < d->r->n_gap);
        html_json_key(d->out, "shown");
        html_json_bool(d->out, is_shown(d, column->name));
        html_json_key(d->out, "compared");
        html_json_bool(d->out, column->near_retrain);
        html_json_close(d->out, '}');
    }
    html_json_close(d->out, ']');
    d->failed |= heading.failed;
    strbuf_release(&heading);
}

static void put_methods(struct page_data *d)
{
    html_json_key(d->out, "methods");
    html_json_open(d->out, '[');
    for (size_t i = 0; i < d->r->n_methods; i++) {
        const char *label = d->r->method[i];
        html_json_open(d->out, '{');
        html_json_put_string(d->out, "label", label);
        html_json_put_string(d->out, "name", report_method_name(d->r, label));
        html_json_put_string(d->out, "colour", report_colour(d->r, label));
        html_json_put_string(d->out, "cite", report_cite(d->r, label));
        html_json_close(d->out, '}');
    }
    html_json_close(d->out, ']');
}

static void put_strings(struct page_data *d, const char *key, char *const *list, size_t n)
{
    html_json_key(d->out, key);
    html_json_open(d->out, '[');
    for (size_t i = 0; i < n; i++)
        html_json_string(d->out, list[i]);
    html_json_close(d->out, ']');
}

/* ---- the board ---- */

static void put_cell(struct page_data *d, const struct board_cell *c)
{
    const double v[] = {c->mean, c->sd, c->ci_low, c->ci_high, c->gap, c->gap_signed, c->gap_z};
    html_json_open(d->out, '[');
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        html_json_number(d->out, v[i]);
    html_json_close(d->out, ']');
}

static void put_entry(struct page_data *d, const struct board_entry *e)
{
    struct html_json *j = d->out;
    html_json_open(j, '{');
    html_json_put_int(j, "s", (int64_t)index_of(d->r->scenario, d->r->n_scenarios, e->scenario));
    html_json_put_int(j, "m", (int64_t)index_of(d->r->method, d->r->n_methods, e->method));
    html_json_put_int(j, "rank", e->rank);
    html_json_put_string(j, "plugin", e->plugin);
    html_json_put_string(j, "division", e->division);
    html_json_put_int(j, "class", e->row_class);
    html_json_put_int(j, "planned", e->n_planned);
    html_json_put_int(j, "used", e->n_used);
    html_json_put_number(j, "gap", e->gap);
    html_json_put_number(j, "sd", e->gap_sd);
    html_json_put_number(j, "low", e->gap_ci_low);
    html_json_put_number(j, "high", e->gap_ci_high);
    html_json_put_number(j, "worst", e->gap_worst);
    html_json_put_number(j, "z", e->gap_z);
    html_json_put_string(j, "flags", e->flags);
    html_json_put_string(j, "notes", e->notes);
    html_json_key(j, "cells");
    html_json_open(j, '[');
    for (size_t c = 0; c < d->r->n_columns; c++)
        put_cell(d, &e->cell[c]);
    html_json_close(j, ']');
    html_json_close(j, '}');
}

static void put_board(struct page_data *d)
{
    html_json_key(d->out, "board");
    html_json_open(d->out, '[');
    for (size_t i = 0; i < d->board->n; i++)
        put_entry(d, &d->board->entry[i]);
    html_json_close(d->out, ']');
}

/* ---- runs ---- */

/* Identities are long and repeat: runs name them by their place in `ids`. */
static void put_id(struct page_data *d, const char *id, size_t n)
{
    size_t i = d->n_ids;
    while (i > 0 && !(strlen(d->id[i - 1]) >= n && strncmp(d->id[i - 1], id, n) == 0 &&
                      strchr(";", d->id[i - 1][n])))
        i--;
    if (i == 0 && n > 0) {
        const char **grown = realloc(d->id, (d->n_ids + 1) * sizeof(*grown));
        if (!grown) {
            d->failed = true;
            return;
        }
        d->id = grown;
        d->id[d->n_ids] = id;
        i = ++d->n_ids;
    }
    html_json_int(d->out, (int64_t)i - 1); /* -1: none */
}

static void put_ids(struct page_data *d, const struct result_row *row)
{
    html_json_key(d->out, "ids");
    html_json_open(d->out, '[');
    put_id(d, row->model_id, strlen(row->model_id));
    put_id(d, row->original_id, strlen(row->original_id));
    html_json_open(d->out, '[');
    for (const char *p = row->oracle_ids; *p;) {
        size_t n = strcspn(p, ";");
        put_id(d, p, n);
        p += n + (p[n] == ';');
    }
    html_json_close(d->out, ']');
    html_json_close(d->out, ']');
}

static void put_numbers(struct page_data *d, const char *key, const double *v, size_t n)
{
    html_json_key(d->out, key);
    html_json_open(d->out, '[');
    for (size_t i = 0; i < n; i++)
        html_json_number(d->out, v[i]);
    html_json_close(d->out, ']');
}

static size_t text_index(struct page_data *d, const char *text)
{
    size_t i = d->n_texts;
    while (i > 0 && strcmp(d->text[i - 1], text) != 0)
        i--;
    if (i > 0)
        return i - 1;
    const char **grown = realloc(d->text, (d->n_texts + 1) * sizeof(*grown));
    if (!grown) {
        d->failed = true;
        return 0;
    }
    d->text = grown;
    d->text[d->n_texts] = text;
    return d->n_texts++;
}

/* Pairs of a column and the place of its note in `texts`. */
static void put_notes(struct page_data *d, const struct result_row *row)
{
    html_json_key(d->out, "notes");
    html_json_open(d->out, '[');
    for (size_t c = 0; row->note && c < d->r->n_columns; c++) {
        if (!row->note[c])
            continue;
        html_json_int(d->out, (int64_t)c);
        html_json_int(d->out, (int64_t)text_index(d, row->note[c]));
    }
    html_json_close(d->out, ']');
}

static void put_index(struct page_data *d, int64_t v)
{
    if (v < 0)
        html_json_string(d->out, NULL);
    else
        html_json_int(d->out, v);
}

static bool has_log(const struct page_data *d, const struct result_row *row)
{
    struct strbuf path;
    strbuf_init(&path);
    strbuf_addf(&path, "%s/logs/%u.log", d->options->out_dir, (unsigned)row->run);
    bool yes = !path.failed && fs_exists(path.s);
    strbuf_release(&path);
    return yes;
}

static void put_run(struct page_data *d, const struct result_row *row)
{
    struct html_json *j = d->out;
    html_json_open(j, '{');
    html_json_put_int(j, "run", row->run);
    html_json_put_int(j, "s", (int64_t)index_of(d->r->scenario, d->r->n_scenarios, row->scenario));
    html_json_put_int(j, "m", (int64_t)index_of(d->r->method, d->r->n_methods, row->method));
    html_json_put_string(j, "division", row->division);
    html_json_key(j, "seeds");
    html_json_open(j, '[');
    put_index(d, row->seed_model);
    put_index(d, row->seed_forget);
    put_index(d, row->seed_unlearn);
    html_json_close(j, ']');
    html_json_key(j, "request");
    put_index(d, row->request);
    html_json_put_string(j, "status", verdict_name(row->status));
    html_json_put_int(j, "signal", row->signal);
    html_json_put_string(j, "reason", row->reason);
    html_json_put_string(j, "parts", row->failed_parts);
    put_numbers(d, "v", row->value, d->r->n_columns);
    put_numbers(d, "c", row->count, d->r->n_counts);
    put_ids(d, row);
    put_notes(d, row);
    html_json_key(j, "log");
    html_json_bool(j, has_log(d, row));
    html_json_close(j, '}');
}

static void put_runs(struct page_data *d)
{
    html_json_key(d->out, "runs");
    html_json_open(d->out, '[');
    for (size_t i = 0; i < d->r->n_rows; i++)
        put_run(d, &d->r->row[i]);
    html_json_close(d->out, ']');
    html_json_key(d->out, "ids");
    html_json_open(d->out, '[');
    for (size_t i = 0; i < d->n_ids; i++) {
        char id[80] = "";
        size_t n = strcspn(d->id[i], ";");
        memcpy(id, d->id[i], n < sizeof(id) ? n : sizeof(id) - 1);
        html_json_string(d->out, id);
    }
    html_json_close(d->out, ']');
    html_json_key(d->out, "texts");
    html_json_open(d->out, '[');
    for (size_t i = 0; i < d->n_texts; i++)
        html_json_string(d->out, d->text[i]);
    html_json_close(d->out, ']');
}

/* ---- what it was made from ---- */

/* Whatever differs between equal runs has been left out of r->manifest; the tasks are a list of
 * every identity and stand in manifest.json. */
static void put_manifest(struct page_data *d)
{
    const char *key;
    json_t *value;
    html_json_key(d->out, "manifest");
    html_json_open(d->out, '{');
    json_object_foreach(d->r->manifest, key, value)
    {
        if (strcmp(key, "tasks") == 0)
            continue;
        html_json_key(d->out, key);
        html_json_value(d->out, value);
    }
    html_json_close(d->out, '}');
}

static void put_files(struct page_data *d)
{
    static const char *const names[] = {
        "leaderboard.csv", "runs.csv",     "comparisons.csv", "ranks.csv", "agreement.csv",
        "variance.csv",    "transfer.csv", "tuning.csv",      "costs.csv", "references.bib",
        "methods.md",      "methods.tex",  "manifest.json"};
    html_json_key(d->out, "files");
    html_json_open(d->out, '[');
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = fs_join(d->options->out_dir, names[i]);
        d->failed |= !path;
        if (path && fs_exists(path))
            html_json_string(d->out, names[i]);
        free(path);
    }
    html_json_close(d->out, ']');
}

void html_data(const struct board *b, const struct report_options *options, struct html_json *out)
{
    struct page_data d = {.board = b, .r = b->results, .options = options, .out = out};
    const struct report_choice *choice = options->choice;
    html_json_open(out, '{');
    html_json_put_string(out, "suite", d.r->suite);
    html_json_put_int(out, "oracles", d.r->n_oracles);
    html_json_put_int(out, "percent", choice ? choice->decimals_percent : -1);
    html_json_put_int(out, "fraction", choice ? choice->decimals_fraction : -1);
    put_columns(&d);
    put_methods(&d);
    put_strings(&d, "scenarios", d.r->scenario, d.r->n_scenarios);
    put_strings(&d, "counts", d.r->count_name, d.r->n_counts);
    put_board(&d);
    put_runs(&d);
    put_files(&d);
    put_manifest(&d);
    html_json_close(out, '}');
    out->out.failed |= d.failed;
    free(d.id);
    free(d.text);
}
