#include "figure_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "board_interval.h"
#include "stats.h"

int figure_style(const struct results *r, const char *method)
{
    if (r->n_methods > 0 && strcmp(r->method[0], method) == 0)
        return -1;
    for (size_t i = 1; i < r->n_methods; i++)
        if (strcmp(r->method[i], method) == 0)
            return (int)i - 1;
    return 1;
}

static bool matches(const struct result_row *row, const struct figure_runs *runs)
{
    return row->status == VERDICT_OK && strcmp(row->scenario, runs->scenario) == 0 &&
           strcmp(row->method, runs->method) == 0 &&
           (runs->request < 0 ? !row->interim : row->request == runs->request);
}

int figure_spread(const struct board_work *w, const struct figure_runs *runs, int column,
                  struct figure_spread *ret, struct error *err)
{
    size_t n = 0;
    struct board_sample *sample = malloc((w->r->n_rows + 1) * sizeof(*sample));
    double *value = malloc((w->r->n_rows + 1) * sizeof(*value));
    int rc = sample && value ? 0 : error_nomem(err);
    for (size_t i = 0; rc == 0 && i < w->r->n_rows; i++) {
        const struct result_row *row = &w->r->row[i];
        double v = column < 0 ? w->gap[i] : row->value[column];
        if (!matches(row, runs) || isnan(v))
            continue;
        sample[n] = (struct board_sample){row->seed_model, row->seed_forget, v};
        value[n++] = v;
    }
    struct figure_spread s = {.n = n, .mean = NAN, .sd = NAN, .low = NAN, .high = NAN};
    if (rc == 0 && n) {
        s.mean = stats_mean(value, n);
        s.sd = stats_sd(value, n);
        rc = board_interval(sample, n, &s.low, &s.high, err);
        if (rc == 0 && isnan(s.low)) {
            s.low = s.mean - s.sd;
            s.high = s.mean + s.sd;
        }
    }
    free(sample);
    free(value);
    if (rc == 0)
        *ret = s;
    return rc;
}

int64_t figure_last_request(const struct results *r, const char *scenario)
{
    int64_t last = -1;
    for (size_t i = 0; i < r->n_rows; i++)
        if (strcmp(r->row[i].scenario, scenario) == 0 && r->row[i].request > last)
            last = r->row[i].request;
    return last;
}
