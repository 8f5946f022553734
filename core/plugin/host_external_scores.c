/* External membership attacks, audits and metrics: outputs of models in, numbers out. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fs.h"
#include "host_external.h"
#include "npy_stream.h"
#include "plugin_words.h"
#include "text.h"

enum { MAX_TABLE = 256 << 20 };

/* ---- outputs as arrays ---- */

/* logits (n, views, classes) and labels (n) of a set as in/<name>_logits.npy, in/<name>_labels.npy.
 */
static int write_outputs(struct external_call *e, json_t *job, const char *name,
                         const lethe_outputs *o, struct error *err)
{
    if (!o || !o->logits)
        return 0;
    const size_t dim[3] = {o->n, o->n_views, o->n_classes};
    char *logits = text_format("%s_logits", name), *labels = text_format("%s_labels", name);
    json_t *set = json_object();
    int rc = logits && labels && set ? 0 : error_nomem(err);
    if (rc == 0)
        rc = external_array(e, set, "logits", logits, NPY_F32, 3, dim, o->logits, err);
    if (rc == 0)
        rc = external_array(e, set, "labels", labels, NPY_I32, 1, dim, o->y, err);
    if (rc == 0 && json_object_set(job, name, set) != 0)
        rc = error_nomem(err);
    json_decref(set);
    free(logits);
    free(labels);
    return rc;
}

/* n_parts blocks of equal size, one after another in a file. */
static int write_blocks(struct external_call *e, json_t *job, const char *key, const char *name,
                        enum npy_type type, uint32_t n_dim, const size_t *dim,
                        const void *const *part, size_t part_bytes, struct error *err)
{
    struct npy_stream s = {0};
    char *file = text_format("in/%s.npy", name), *path = file ? external_path(e, file) : NULL;
    int rc = path ? npy_stream_open(path, type, n_dim, dim, &s, err) : error_nomem(err);
    for (size_t i = 0; rc == 0 && i < dim[0]; i++)
        rc = npy_stream_add(&s, part[i], part_bytes, err);
    if (rc == 0)
        rc = npy_stream_close(&s, err);
    if (rc == 0 && json_object_set_new(job, key, json_string(file)) != 0)
        rc = error_nomem(err);
    npy_stream_release(&s);
    free(path);
    free(file);
    return rc;
}

static json_t *member_of(struct external_call *e, const char *key)
{
    external_put(e, key, json_object());
    return e->job ? json_object_get(e->job, key) : NULL;
}

/* ---- membership attacks ---- */

/* logits (models, n, views, classes), inclusion (models, n). */
static int write_references(struct external_call *e, const char *name, const lethe_references *r,
                            const lethe_outputs *o, struct error *err)
{
    if (!r || !o || r->n_models == 0)
        return 0;
    const size_t dim[4] = {r->n_models, o->n, o->n_views, o->n_classes};
    size_t bytes = dim[1] * dim[2] * dim[3] * sizeof(float);
    char *logits = text_format("%s_logits", name), *inclusion = text_format("%s_inclusion", name);
    json_t *set = member_of(e, name);
    int rc = logits && inclusion && set ? 0 : error_nomem(err);
    if (rc == 0)
        rc = write_blocks(e, set, "logits", logits, NPY_F32, 4, dim, (const void *const *)r->logits,
                          bytes, err);
    if (rc == 0)
        rc = write_blocks(e, set, "inclusion", inclusion, NPY_U8, 2, dim,
                          (const void *const *)r->inclusion, dim[1], err);
    free(logits);
    free(inclusion);
    return rc;
}

static int bad_scores(struct error *err, const char *what)
{
    return error_set(err, ERR_OUTPUT, "%s", what);
}

static int read_array(const char *path, uint32_t n_scores, uint64_t n, double *score,
                      struct error *err)
{
    struct npy a = {0};
    TRY(npy_open(path, &a, err));
    bool column = a.n_dim == 1 && n_scores == 1 && a.dim[0] == n;
    bool table = a.n_dim == 2 && a.dim[0] == n_scores && a.dim[1] == n;
    int rc = column || table ? npy_to_f64(&a, score, err)
                             : error_set(err, ERR_OUTPUT,
                                         "out/scores.npy: expected shape (%u, %llu), or (%llu) for "
                                         "a single score",
                                         n_scores, (unsigned long long)n, (unsigned long long)n);
    npy_release(&a);
    return rc;
}

static int read_cell(const char *text, const char *what, double *ret, struct error *err)
{
    if (text_to_real(text, ret))
        return 0;
    return error_set(err, ERR_OUTPUT, "%s: expected a number, found \"%.40s\"", what, text);
}

/* sample,score or sample,score_<name>,...: every sample once, in any order. */
static int read_table(const struct external_call *e, const char *path, uint64_t n, double *score,
                      struct error *err)
{
    const lethe_membership_attack *a = &e->x->iface.member;
    struct csv_table t = {0};
    TRY(csv_read(path, MAX_TABLE, &t, err));
    int sample = csv_column(&t, "sample"), rc = 0;
    if (sample < 0 || t.n_rows != n)
        rc = error_set(err, ERR_OUTPUT, "out/scores.csv: expected a column sample and %llu rows",
                       (unsigned long long)n);
    for (uint32_t k = 0; rc == 0 && k < a->n_scores; k++) {
        char *name =
            *a->scores[k].name ? text_format("score_%s", a->scores[k].name) : text_dup("score");
        int column = name ? csv_column(&t, name) : -1;
        if (column < 0)
            rc = name ? error_set(err, ERR_OUTPUT, "out/scores.csv: has no column %s", name)
                      : error_nomem(err);
        for (uint64_t i = 0; rc == 0 && i < n; i++) {
            int64_t at;
            if (!text_to_int(t.row[i][sample], &at) || at < 0 || (uint64_t)at >= n)
                rc = bad_scores(err, "out/scores.csv: a sample is no position from 0");
            else
                rc = read_cell(t.row[i][column], "out/scores.csv", &score[k * n + (uint64_t)at],
                               err);
        }
        free(name);
    }
    csv_release(&t);
    return rc;
}

static int read_scores(const struct external_call *e, uint64_t n, double *score, struct error *err)
{
    char *npy = external_path(e, "out/scores.npy"), *csv = external_path(e, "out/scores.csv");
    int rc = npy && csv ? 0 : error_nomem(err);
    if (rc == 0 && fs_exists(npy))
        rc = read_array(npy, e->x->iface.member.n_scores, n, score, err);
    else if (rc == 0 && fs_exists(csv))
        rc = read_table(e, csv, n, score, err);
    else if (rc == 0)
        rc = bad_scores(err, "its command ended without writing out/scores.npy or out/scores.csv");
    free(npy);
    free(csv);
    return rc < 0 && rc != ERR_NOMEM ? (err->code = ERR_OUTPUT) : rc;
}

static void put_scores(struct external_call *e)
{
    const lethe_membership_attack *a = &e->x->iface.member;
    json_t *names = json_array();
    for (uint32_t i = 0; i < a->n_scores; i++)
        json_array_append_new(names, json_string(a->scores[i].name));
    external_put(e, "scores", names);
}

static int guess(struct external_call *e, const lethe_member_job *job, double *score,
                 struct error *err)
{
    external_put(e, "kind", json_string("membership-attack"));
    external_put(e, "classes", json_integer(job->n_classes));
    put_scores(e);
    json_t *sets = member_of(e, "sets");
    if (!sets)
        return error_nomem(err);
    TRY(write_outputs(e, sets, "candidates", job->candidates, err));
    TRY(write_outputs(e, sets, "known_members", job->known_members, err));
    TRY(write_outputs(e, sets, "known_nonmembers", job->known_nonmembers, err));
    TRY(write_references(e, "references", job->references, job->candidates, err));
    TRY(write_references(e, "known_member_references", job->known_member_references,
                         job->known_members, err));
    TRY(write_references(e, "known_nonmember_references", job->known_nonmember_references,
                         job->known_nonmembers, err));
    external_put(e, "out", json_pack("{s:s}", "scores", "out/scores.npy"));
    TRY(external_run(e, err));
    return read_scores(e, job->candidates->n, score, err);
}

static lethe_status score(lethe_ctx *ctx, void *state, const lethe_member_job *job, double *scores)
{
    struct external_call e;
    struct error err = ERROR_INIT;
    int rc = external_begin(&e, ctx, 0, &err);
    if (rc == 0)
        rc = guess(&e, job, scores, &err);
    return external_end(&e, rc, &err);
}

const lethe_membership_attack external_membership_attack = {
    .struct_size = sizeof(lethe_membership_attack), .score = score};

/* ---- audits and metrics ---- */

static const struct {
    const char *name;
    size_t offset;
} set_names[] = {{"forget", offsetof(lethe_model_outputs, forget)},
                 {"retain", offsetof(lethe_model_outputs, retain)},
                 {"test", offsetof(lethe_model_outputs, test)},
                 {"test_forgotten", offsetof(lethe_model_outputs, test_forgotten)}};

static const lethe_outputs *outputs_of(const lethe_model_outputs *m, size_t set)
{
    const lethe_outputs *o;
    memcpy(&o, (const char *)m + set_names[set].offset, sizeof(o));
    return o;
}

/* One set of all models of a population: logits (models, n, views, classes), labels (n). */
static int write_population(struct external_call *e, json_t *job, const char *who,
                            const lethe_model_outputs *models, uint32_t n_models, size_t set,
                            struct error *err)
{
    const lethe_outputs *first = outputs_of(models, set);
    if (!first || !first->logits)
        return 0;
    const size_t dim[4] = {n_models, first->n, first->n_views, first->n_classes};
    const void **part = calloc(n_models, sizeof(*part));
    char *logits = text_format("%s_%s_logits", who, set_names[set].name);
    char *labels = text_format("%s_%s_labels", who, set_names[set].name);
    json_t *files = json_object();
    int rc = part && logits && labels && files ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < n_models; i++) {
        const lethe_outputs *o = outputs_of(&models[i], set);
        if (!o || o->n != first->n || o->n_views != first->n_views)
            rc = error_set(err, ERR_UNSUPPORTED, "models differ in the size of their %s set",
                           set_names[set].name);
        else
            part[i] = o->logits;
    }
    if (rc == 0)
        rc = write_blocks(e, files, "logits", logits, NPY_F32, 4, dim, part,
                          dim[1] * dim[2] * dim[3] * sizeof(float), err);
    if (rc == 0)
        rc = external_array(e, files, "labels", labels, NPY_I32, 1, dim + 1, first->y, err);
    if (rc == 0 && json_object_set(job, set_names[set].name, files) != 0)
        rc = error_nomem(err);
    json_decref(files);
    free(part);
    free(logits);
    free(labels);
    return rc;
}

static int write_models(struct external_call *e, const char *who, const lethe_model_outputs *models,
                        uint32_t n, struct error *err)
{
    if (!models || n == 0)
        return 0;
    json_t *sets = member_of(e, who);
    int rc = sets ? 0 : error_nomem(err);
    for (size_t k = 0; rc == 0 && k < sizeof(set_names) / sizeof(set_names[0]); k++)
        rc = write_population(e, sets, who, models, n, k, err);
    return rc;
}

static int emit_row(const struct external_call *e, const struct csv_table *t, size_t row,
                    const int column[3], const lethe_output *outputs, uint32_t n, struct error *err)
{
    const char *name = t->row[row][column[0]], *text = t->row[row][column[1]];
    const char *note = column[2] >= 0 ? t->row[row][column[2]] : "";
    double v = NAN;
    uint32_t i = 0;
    while (i < n && strcmp(outputs[i].name, name) != 0)
        i++;
    if (i == n)
        return error_set(err, ERR_OUTPUT, "out/values.csv: %.60s is no declared output", name);
    if (*text && strcmp(text, "nan") != 0)
        TRY(read_cell(text, "out/values.csv", &v, err));
    lethe_status status = host_emit_table.scalar(&e->c->head, i, v, *note ? note : NULL);
    return status == LETHE_OK ? 0 : error_set(err, ERR_OUTPUT, "%s", e->c->why.text);
}

static int read_values(const struct external_call *e, const lethe_output *outputs, uint32_t n,
                       struct error *err)
{
    struct csv_table t = {0};
    char *path = NULL;
    TRY(external_expect(e, "out/values.csv", &path, err));
    int rc = csv_read(path, MAX_TABLE, &t, err);
    free(path);
    if (rc < 0)
        return rc == ERR_NOMEM ? rc : (err->code = ERR_OUTPUT);
    const int column[3] = {csv_column(&t, "name"), csv_column(&t, "value"), csv_column(&t, "note")};
    if (column[0] < 0 || column[1] < 0)
        rc = error_set(err, ERR_OUTPUT, "out/values.csv: expected the columns name,value");
    for (size_t i = 0; rc == 0 && i < t.n_rows; i++)
        rc = emit_row(e, &t, i, column, outputs, n, err);
    csv_release(&t);
    return rc;
}

static int measure(struct external_call *e, const lethe_metric_job *job, struct error *err)
{
    bool audit = e->x->plugin.kind == LETHE_KIND_AUDIT;
    const lethe_output *outputs = audit ? e->x->iface.audit.outputs : e->x->iface.metric.outputs;
    uint32_t n = audit ? e->x->iface.audit.n_outputs : e->x->iface.metric.n_outputs;
    external_put(e, "kind", json_string(audit ? "audit" : "metric"));
    external_put(e, "classes", json_integer(job->n_classes));
    external_put(e, "scenario", json_string(plugin_word_of(plugin_scenario_words, job->scenario)));
    TRY(write_models(e, "targets", job->targets, job->n_targets, err));
    TRY(write_models(e, "references", job->references, job->n_references, err));
    TRY(write_models(e, "original", job->original, 1, err));
    external_put(e, "out", json_pack("{s:s}", "values", "out/values.csv"));
    TRY(external_run(e, err));
    return read_values(e, outputs, n, err);
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    struct external_call e;
    struct error err = ERROR_INIT;
    int rc = external_begin(&e, ctx, 0, &err);
    if (rc == 0)
        rc = measure(&e, job, &err);
    return external_end(&e, rc, &err);
}

const lethe_audit external_audit = {.struct_size = sizeof(lethe_audit), .evaluate = evaluate};
const lethe_metric external_metric = {.struct_size = sizeof(lethe_metric), .evaluate = evaluate};
