/* files_spectral.c: `lethe model info FILE --spectral`: norms of a model file's layers. */
#include <stdlib.h>

#include "csv.h"
#include "files_job.h"
#include "model_file.h"
#include "spectral.h"

static json_t *row_json(const struct model *m, const struct spectral_row *row)
{
    json_t *values = json_array();
    for (uint32_t k = 0; values && k < row->n_values; k++)
        json_array_append_new(values, json_real(row->value[k]));
    return json_pack("{s:I,s:s,s:s,s:s,s:f,s:f,s:o,s:f,s:o}", "layer", (json_int_t)row->layer,
                     "name", row->name, "kind", row->kind, "with",
                     row->composed ? m->layer[row->layer + 1]->name : "", "norm", row->norm,
                     "certified", row->certified, "reshaped", json_number_or_null(row->reshaped),
                     "growth", row->growth, "values", values);
}

static int save_csv(const struct model *m, const struct spectral_report *r, const char *path,
                    struct error *err)
{
    static const char *const names[] = {"layer",     "name",     "kind", "with",  "norm",
                                        "certified", "reshaped", "k",    "value", NULL};
    struct csv_writer w;
    csv_writer_init(&w);
    for (size_t i = 0; names[i]; i++)
        csv_cell(&w, names[i]);
    csv_end_row(&w);
    for (uint32_t i = 0; i < r->n; i++) {
        const struct spectral_row *row = &r->row[i];
        for (uint32_t k = 0; k < (row->n_values ? row->n_values : 1); k++) {
            csv_cell_int(&w, row->layer);
            csv_cell(&w, row->name);
            csv_cell(&w, row->kind);
            csv_cell(&w, row->composed ? m->layer[row->layer + 1]->name : "");
            csv_cell_double(&w, row->norm);
            csv_cell_double(&w, row->certified);
            csv_cell_double(&w, row->reshaped);
            csv_cell_int(&w, k + 1);
            csv_cell_double(&w, row->n_values ? row->value[k] : row->norm);
            csv_end_row(&w);
        }
    }
    int rc = csv_writer_save(&w, path, err);
    csv_writer_release(&w);
    return rc;
}

static int fill_result(json_t *result, const struct model *m, const struct spectral_report *r,
                       struct error *err)
{
    json_t *rows = json_array();
    for (uint32_t i = 0; rows && i < r->n; i++)
        if (json_array_append_new(rows, row_json(m, &r->row[i])) != 0)
            return json_decref(rows), error_nomem(err);
    json_t *o = json_pack("{s:o,s:f,s:f,s:f,s:f}", "layers", rows, "bound", r->bound, "certified",
                          r->certified, "bound_composed", r->bound_composed, "certified_composed",
                          r->certified_composed);
    int rc = o && json_object_update(result, o) == 0 ? 0 : error_nomem(err);
    json_decref(o);
    return rc;
}

static int measure(struct files_job *job, const struct model *m, struct error *err)
{
    json_int_t iterations, top, seed;
    struct spectral_report r = {0};
    const char *out = files_text(job, "out", err);
    if (!out)
        return err->code;
    TRY(json_get_int(job->json, job->path, "iterations", &iterations, err));
    TRY(json_get_int(job->json, job->path, "top", &top, err));
    TRY(json_get_int(job->json, job->path, "seed", &seed, err));
    const struct spectral_options o = {(uint32_t)iterations, (uint32_t)top, (uint64_t)seed};
    TRY(spectral_report_make(m, &o, job->par, &r, err));
    int rc = fill_result(job->result, m, &r, err);
    if (rc == 0 && *out)
        rc = save_csv(m, &r, out, err);
    spectral_report_release(&r);
    return rc;
}

int files_spectral(struct files_job *job, struct error *err)
{
    struct arch *arch = NULL;
    struct model *m = NULL;
    const char *path = files_text(job, "model", err);
    int rc = path ? files_model(job, &arch, &m, err) : err->code;
    if (rc == 0)
        rc = model_load_into(m, path, err);
    if (rc == 0 && !model_is_finite(m))
        rc = error_set(err, ERR_NUMERIC, "%s: the weights are not finite", path);
    if (rc == 0)
        rc = measure(job, m, err);
    model_free(m);
    arch_free(arch);
    return rc;
}
