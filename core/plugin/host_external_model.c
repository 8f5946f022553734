/* External unlearners and example attacks: they get a model, and give back one, or images. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host_external.h"
#include "loss.h"
#include "model_file.h"
#include "plugin_words.h"

/* ---- unlearners ---- */

static void put_scenario(struct external_call *e, const lethe_forget_job *job)
{
    json_t *classes = json_array();
    for (uint32_t i = 0; i < job->n_forget_classes; i++)
        json_array_append_new(classes, json_integer(job->forget_classes[i]));
    external_put(e, "kind", json_string("unlearner"));
    external_put(e, "request", json_integer(job->request));
    external_put(e, "scenario", json_string(plugin_word_of(plugin_scenario_words, job->scenario)));
    external_put(e, "forget_classes", classes);
}

static void put_recipe(struct external_call *e)
{
    const struct recipe *r = e->c->host->h->recipe;
    if (r && host_granted(e->c->host, LETHE_CAP_RECIPE))
        external_put(e, "recipe",
                     json_pack("{s:i,s:i,s:f,s:f,s:f}", "epochs", (int)r->epochs, "batch",
                               (int)r->batch, "lr", r->lr, "momentum", r->optim.momentum,
                               "weight_decay", r->optim.weight_decay));
}

static int read_model(const struct external_call *e, struct model *m, struct error *err)
{
    char *path = NULL;
    TRY(external_expect(e, "out/model.safetensors", &path, err));
    int rc = model_load_into(m, path, err);
    free(path);
    if (rc < 0 && rc != ERR_NOMEM)
        rc = err->code = ERR_OUTPUT;
    return rc;
}

static int unlearn(struct external_call *e, const lethe_forget_job *job, struct error *err)
{
    const struct model *m = job->model->m;
    put_scenario(e, job);
    put_recipe(e);
    TRY(external_write_model(e, m, err));
    TRY(external_write_set(e, "forget", job->forget, m, err));
    TRY(external_write_set(e, "retain", job->retain, m, err));
    TRY(external_write_set(e, "validation", job->validation, m, err));
    external_put(e, "out", json_pack("{s:s}", "model", "out/model.safetensors"));
    TRY(external_run(e, err));
    return read_model(e, job->model->m, err);
}

static lethe_status run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    struct external_call e;
    struct error err = ERROR_INIT;
    int rc = external_begin(&e, ctx, job->request, &err);
    if (rc == 0)
        rc = unlearn(&e, job, &err);
    return external_end(&e, rc, &err);
}

const lethe_unlearner external_unlearner = {.struct_size = sizeof(lethe_unlearner), .run = run};

/* ---- example attacks ---- */

static int write_batch(struct external_call *e, const lethe_example_job *job,
                       const lethe_batch *clean, struct error *err)
{
    const uint32_t *s = e->c->host->shape;
    const size_t dim[4] = {clean->n, s[0], s[1], s[2]};
    json_t *set = json_object();
    if (!set)
        return error_nomem(err);
    int rc = external_array(e, set, "images", "images", NPY_F32, 4, dim, clean->x, err);
    if (rc == 0)
        rc = external_array(e, set, "labels", "labels", NPY_I32, 1, dim, clean->y, err);
    if (rc == 0)
        rc = external_array(e, set, "ids", "ids", NPY_U64, 1, dim, clean->id, err);
    if (rc == 0 && job->target)
        rc = external_array(e, set, "targets", "targets", NPY_I32, 1, dim, job->target, err);
    json_object_set_new(set, "n", json_integer(clean->n));
    external_put(e, "sets", json_pack("{s:o}", "clean", set));
    return rc;
}

static int read_images(const struct external_call *e, uint32_t n, float *x, struct error *err)
{
    const uint32_t *s = e->c->host->shape;
    const size_t want[4] = {n, s[0], s[1], s[2]};
    struct npy a = {0};
    char *path = NULL;
    TRY(external_expect(e, "out/adversarial.npy", &path, err));
    int rc = npy_open(path, &a, err);
    free(path);
    bool same = rc == 0 && a.n_dim == 4 && memcmp(a.dim, want, sizeof(want)) == 0;
    if (rc == 0 && !same)
        rc = error_set(err, ERR_OUTPUT, "out/adversarial.npy: expected shape (%zu, %zu, %zu, %zu)",
                       want[0], want[1], want[2], want[3]);
    if (rc == 0)
        rc = npy_to_f32(&a, x, err);
    npy_release(&a);
    return rc < 0 && rc != ERR_NOMEM ? (err->code = ERR_OUTPUT) : rc;
}

static double distance(int32_t norm, const float *x, const float *clean, size_t pixels)
{
    double sum = 0, most = 0;
    for (size_t k = 0; k < pixels; k++) {
        double d = fabs((double)x[k] - (double)clean[k]);
        most = fmax(most, d);
        sum += norm == LETHE_NORM_L0 ? d > 0 : norm == LETHE_NORM_L1 ? d : d * d;
    }
    return norm == LETHE_NORM_LINF ? most : norm == LETHE_NORM_L2 ? sqrt(sum) : sum;
}

/* Its radius is the parameter that the manifest names; else whatever it moved by. */
static void fill_radii(const struct external_call *e, const lethe_batch *clean,
                       lethe_example_result *out)
{
    size_t pixels = host_pixels(e->c->host);
    int bound = e->x->command.radius;
    for (uint32_t i = 0; i < clean->n; i++) {
        const float *x = out->x + i * pixels;
        double moved = distance(e->x->iface.example.norm, x, clean->x + i * pixels, pixels);
        out->radius[i] = (float)(bound >= 0 ? e->c->host->param[bound].r : moved);
        out->steps[i] = 0;
    }
}

/* What succeeded is the host's to say; those passes are its own and not metered. */
static int fill_found(const struct external_call *e, const lethe_example_job *job,
                      const lethe_batch *clean, lethe_example_result *out, struct error *err)
{
    uint32_t classes = job->n_classes;
    float *logits = malloc(((size_t)clean->n * classes + 1) * sizeof(*logits));
    if (!logits)
        return error_nomem(err);
    int rc = host_infer(e->c->host, job->model->m, out->x, clean->n, logits, err);
    for (uint32_t i = 0; rc == 0 && i < clean->n; i++) {
        int32_t label = loss_argmax(logits + (size_t)i * classes, classes);
        out->found[i] = job->target ? label == job->target[i] : label != clean->y[i];
    }
    free(logits);
    return rc;
}

static int attack(struct external_call *e, const lethe_example_job *job, const lethe_batch *clean,
                  lethe_example_result *out, struct error *err)
{
    uint64_t norm = (uint64_t)e->x->iface.example.norm;
    external_put(e, "kind", json_string("example-attack"));
    external_put(e, "norm", json_string(plugin_word_of(plugin_norm_words, norm)));
    external_put(e, "box", json_pack("[f,f]", job->box_lo, job->box_hi));
    TRY(external_write_model(e, job->model->m, err));
    TRY(write_batch(e, job, clean, err));
    external_put(e, "out", json_pack("{s:s}", "adversarial", "out/adversarial.npy"));
    TRY(external_run(e, err));
    TRY(read_images(e, clean->n, out->x, err));
    fill_radii(e, clean, out);
    return fill_found(e, job, clean, out, err);
}

static lethe_status perturb(lethe_ctx *ctx, const lethe_example_job *job, const lethe_batch *clean,
                            lethe_example_result *out)
{
    struct external_call e;
    struct error err = ERROR_INIT;
    int rc = external_begin(&e, ctx, clean->n ? clean->id[0] : 0, &err);
    if (rc == 0)
        rc = attack(&e, job, clean, out, &err);
    return external_end(&e, rc, &err);
}

const lethe_example_attack external_example_attack = {.struct_size = sizeof(lethe_example_attack),
                                                      .perturb = perturb};
