/* Models and samples as files for external plugins. */
#include <stdlib.h>
#include <string.h>

#include "host_external.h"
#include "model_file.h"
#include "npy_stream.h"
#include "strbuf.h"
#include "text.h"

enum { SET_BATCH = 128 };

/* ---- the model ---- */

static json_t *shape_json(const uint32_t s[3])
{
    return json_pack("[i,i,i]", (int)s[0], (int)s[1], (int)s[2]);
}

static json_t *layer_json(const struct model *m, size_t i)
{
    const struct arch_layer *l = m->layer[i];
    json_t *tensors = json_array();
    for (uint32_t t = 0; t < m->layer_n_tensors[i]; t++)
        json_array_append_new(tensors, json_string(m->tensor[m->layer_first_tensor[i] + t].name));
    return json_pack("{s:s,s:s,s:o,s:o,s:i,s:i,s:i,s:o}", "name", l->name ? l->name : "", "kind",
                     layer_kind_name(l->kind), "in", shape_json(l->in), "out", shape_json(l->out),
                     "kernel", (int)l->kernel, "stride", (int)l->stride, "pad", (int)l->pad,
                     "tensors", tensors);
}

static json_t *model_json(const struct model *m)
{
    struct strbuf text;
    json_t *arch = NULL, *layers = json_array();
    strbuf_init(&text);
    arch_text(m->arch, &text);
    if (!text.failed)
        json_parse_text("architecture", text.s, text.len, &arch, NULL);
    strbuf_release(&text);
    for (size_t i = 0; i < m->n_layers; i++)
        json_array_append_new(layers, layer_json(m, i));
    return json_pack("{s:s,s:o,s:o,s:o,s:i}", "file", "in/model.safetensors", "arch", arch,
                     "layers", layers, "input", shape_json(m->arch->input), "classes",
                     (int)m->arch->classes);
}

int external_write_model(struct external_call *e, const struct model *m, struct error *err)
{
    char *path = external_path(e, "in/model.safetensors");
    int rc = path ? model_save(m, path, err) : error_nomem(err);
    free(path);
    external_put(e, "model", model_json(m));
    return rc;
}

/* ---- features: what the last linear layer sees ---- */

/* The same model with the identity as its last layer; its outputs are exactly the features. */
static int feature_model(const struct model *m, struct arch **ret_arch, struct model **ret,
                         struct error *err)
{
    struct arch *arch = NULL;
    struct model *f = NULL;
    struct strbuf text;
    const struct arch_layer *last = &m->arch->layer[m->arch->n_layers - 1];
    uint32_t n = last->in[0], head = (uint32_t)m->n_layers - 1;
    if (last->kind != LAYER_LINEAR)
        return error_set(err, ERR_UNSUPPORTED,
                         "features are what a last linear layer sees, this "
                         "model ends in %s",
                         layer_kind_name(last->kind));
    strbuf_init(&text);
    arch_text(m->arch, &text);
    int rc = text.failed ? error_nomem(err) : arch_from_text(text.s, &arch, err);
    strbuf_release(&text);
    TRY(rc);
    arch->classes = arch->layer[arch->n_layers - 1].out[0] = n;
    if (model_new(arch, &f, err) < 0) {
        arch_free(arch);
        return err->code;
    }
    for (size_t t = 0; t < f->n_tensors; t++) {
        const struct tensor_info *to = &f->tensor[t], *from = &m->tensor[t];
        bool statistic = to->flags & TENSOR_STATISTIC;
        float *w = (statistic ? f->stat : f->param) + to->offset;
        if (to->layer != head)
            memcpy(w, (statistic ? m->stat : m->param) + from->offset, to->n * sizeof(*w));
        for (uint32_t i = 0; to->layer == head && to->n_dim == 2 && i < n; i++)
            w[(size_t)i * n + i] = 1;
    }
    *ret_arch = arch;
    *ret = f;
    return 0;
}

/* ---- samples ---- */

/* A column of files that grows with the batches: outputs of one model. */
struct output_file {
    const struct model *m; /* NULL: none */
    struct net *net;
    struct npy_stream stream;
    float *out; /* (SET_BATCH, classes) */
};

struct set_writer {
    struct external_call *e;
    const struct lethe_view *v;
    json_t *job; /* sets.<name> */
    struct npy_stream images;
    struct output_file logits, features;
    float *x;      /* (SET_BATCH, C, H, W) */
    int32_t *y;    /* (n) */
    uint64_t *ids; /* (n) */
};

static int open_stream(struct set_writer *w, const char *name, const char *what, uint32_t n_dim,
                       const size_t *dim, struct npy_stream *ret, struct error *err)
{
    char *file = text_format("in/%s_%s.npy", name, what);
    char *path = file ? external_path(w->e, file) : NULL;
    int rc = path ? npy_stream_open(path, NPY_F32, n_dim, dim, ret, err) : error_nomem(err);
    if (rc == 0 && json_object_set_new(w->job, what, json_string(file)) != 0)
        rc = error_nomem(err);
    free(path);
    free(file);
    return rc;
}

static int open_outputs(struct set_writer *w, const char *name, const char *what,
                        struct output_file *f, struct error *err)
{
    if (!f->m)
        return 0;
    const size_t dim[2] = {w->v->n, f->m->arch->classes};
    TRY(net_new(f->m->arch, SET_BATCH, w->e->c->host->h->par, &f->net, err));
    f->out = malloc(SET_BATCH * dim[1] * sizeof(*f->out));
    return f->out ? open_stream(w, name, what, 2, dim, &f->stream, err) : error_nomem(err);
}

static int open_all(struct set_writer *w, const char *name, struct error *err)
{
    const uint32_t *s = w->e->c->host->shape;
    const size_t dim[4] = {w->v->n, s[0], s[1], s[2]};
    size_t pixels = host_pixels(w->e->c->host);
    w->job = json_object();
    w->x = malloc(SET_BATCH * pixels * sizeof(*w->x));
    w->y = malloc((w->v->n + 1u) * sizeof(*w->y));
    w->ids = malloc((w->v->n + 1u) * sizeof(*w->ids));
    if (!w->job || !w->x || !w->y || !w->ids)
        return error_nomem(err);
    TRY(open_stream(w, name, "images", 4, dim, &w->images, err));
    TRY(open_outputs(w, name, "logits", &w->logits, err));
    return open_outputs(w, name, "features", &w->features, err);
}

static int add_outputs(struct set_writer *w, struct output_file *f, uint32_t n, struct error *err)
{
    struct host *host = w->e->c->host;
    if (!f->m)
        return 0;
    TRY(host_afford_samples(host, "predict", n, err));
    TRY(net_infer(f->net, f->m, w->x, n, f->out, err));
    host->meters.forward += n;
    return npy_stream_add(&f->stream, f->out, (size_t)n * f->m->arch->classes * sizeof(*f->out),
                          err);
}

static int add_batches(struct set_writer *w, struct error *err)
{
    uint32_t rows[SET_BATCH];
    size_t bytes = host_pixels(w->e->c->host) * sizeof(*w->x);
    for (uint32_t at = 0, n; at < w->v->n; at += n) {
        n = w->v->n - at < SET_BATCH ? w->v->n - at : SET_BATCH;
        for (uint32_t i = 0; i < n; i++)
            rows[i] = at + i;
        TRY(host_load(w->e->c, w->v->now, rows, n, 0, false, w->x, w->y + at, w->ids + at, err));
        TRY(npy_stream_add(&w->images, w->x, n * bytes, err));
        TRY(add_outputs(w, &w->logits, n, err));
        TRY(add_outputs(w, &w->features, n, err));
    }
    return 0;
}

static int write_columns(struct set_writer *w, const char *name, struct error *err)
{
    const size_t n = w->v->n;
    char *labels = text_format("%s_labels", name), *ids = text_format("%s_ids", name);
    int rc = labels && ids ? 0 : error_nomem(err);
    if (rc == 0)
        rc = external_array(w->e, w->job, "labels", labels, NPY_I32, 1, &n, w->y, err);
    if (rc == 0)
        rc = external_array(w->e, w->job, "ids", ids, NPY_U64, 1, &n, w->ids, err);
    if (rc == 0 && json_object_set_new(w->job, "n", json_integer((json_int_t)n)) != 0)
        rc = error_nomem(err);
    free(labels);
    free(ids);
    return rc;
}

static int close_all(struct set_writer *w, struct error *err)
{
    TRY(npy_stream_close(&w->images, err));
    if (w->logits.m)
        TRY(npy_stream_close(&w->logits.stream, err));
    return w->features.m ? npy_stream_close(&w->features.stream, err) : 0;
}

static void writer_release(struct set_writer *w)
{
    npy_stream_release(&w->images);
    npy_stream_release(&w->logits.stream);
    npy_stream_release(&w->features.stream);
    net_free(w->logits.net);
    net_free(w->features.net);
    free(w->logits.out);
    free(w->features.out);
    free(w->x);
    free(w->y);
    free(w->ids);
    json_decref(w->job);
}

static int add_to_job(struct external_call *e, const char *name, json_t *set, struct error *err)
{
    if (!json_object_get(e->job, "sets"))
        external_put(e, "sets", json_object());
    return json_object_set(json_object_get(e->job, "sets"), name, set) == 0 ? 0 : error_nomem(err);
}

int external_write_set(struct external_call *e, const char *name, const struct lethe_view *v,
                       const struct model *m, struct error *err)
{
    struct set_writer w = {.e = e, .v = v};
    struct arch *arch = NULL;
    struct model *features = NULL;
    int rc = 0;
    if (!v)
        return 0;
    if (e->x->command.features)
        rc = feature_model(m, &arch, &features, err);
    w.features.m = features;
    w.logits.m = e->x->command.logits && host_granted(e->c->host, LETHE_CAP_LOGITS) ? m : NULL;
    if (rc == 0)
        rc = open_all(&w, name, err);
    if (rc == 0)
        rc = add_batches(&w, err);
    if (rc == 0)
        rc = close_all(&w, err);
    if (rc == 0)
        rc = write_columns(&w, name, err);
    if (rc == 0)
        rc = add_to_job(e, name, w.job, err);
    writer_release(&w);
    model_free(features);
    arch_free(arch);
    return rc;
}
