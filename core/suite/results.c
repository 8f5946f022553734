#include "results.h"

#include <stdlib.h>
#include <string.h>

static void strings_free(char **s, size_t n)
{
    for (size_t i = 0; s && i < n; i++)
        free(s[i]);
    free(s);
}

static void row_release(struct result_row *row, size_t n_columns)
{
    free(row->scenario);
    free(row->method);
    free(row->plugin);
    free(row->division);
    free(row->reason);
    free(row->failed_parts);
    free(row->value);
    strings_free(row->note, n_columns);
    free(row->count);
    free(row->model_id);
    free(row->original_id);
    free(row->oracle_ids);
    free(row->host);
    free(row->executor);
    for (size_t i = 0; i < row->n_curves; i++) {
        free(row->curve[i].name);
        free(row->curve[i].series);
        free(row->curve[i].x);
        free(row->curve[i].y);
    }
    free(row->curve);
    for (size_t i = 0; i < row->n_spectral; i++)
        free(row->spectral[i].layer);
    free(row->spectral);
}

static void transfers_free(struct result_transfer *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(t[i].variant);
        free(t[i].attack);
        free(t[i].source);
        free(t[i].target);
        free(t[i].source_id);
        free(t[i].target_id);
        free(t[i].note);
    }
    free(t);
}

static void names_free(struct result_name *name, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(name[i].key);
        free(name[i].name);
        free(name[i].colour);
        free(name[i].cite);
        free(name[i].bibtex);
    }
    free(name);
}

void results_release(struct results *r)
{
    transfers_free(r->transfer, r->n_transfer);
    for (size_t i = 0; i < r->n_columns; i++) {
        free(r->column[i].name);
        free(r->column[i].unit);
        free(r->column[i].doc);
        free(r->column[i].source);
    }
    free(r->column);
    for (size_t i = 0; i < r->n_rows; i++)
        row_release(&r->row[i], r->n_columns);
    free(r->row);
    strings_free(r->count_name, r->n_counts);
    strings_free(r->scenario, r->n_scenarios);
    strings_free(r->method, r->n_methods);
    strings_free(r->gap, r->n_gap);
    strings_free(r->baseline, r->n_baselines);
    names_free(r->name, r->n_names);
    free(r->suite);
    free(r->settings);
    json_decref(r->ledger);
    json_decref(r->setup);
    json_decref(r->manifest);
    memset(r, 0, sizeof(*r));
}

int results_column(const struct results *r, const char *name)
{
    for (size_t i = 0; i < r->n_columns; i++)
        if (strcmp(r->column[i].name, name) == 0)
            return (int)i;
    return -1;
}
