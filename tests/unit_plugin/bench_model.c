#include "bench_model.h"

#include <stdlib.h>
#include <string.h>

#include "yaml.h"

static void fill(void *self, const uint32_t *rows, uint32_t n, uint32_t epoch, float *x, int32_t *y)
{
    const struct dataset *ds = self;
    size_t pixels = (size_t)ds->channels * ds->height * ds->width;
    for (uint32_t i = 0; i < n; i++) {
        for (size_t k = 0; k < pixels; k++)
            x[i * pixels + k] = (float)ds->pixels[rows[i] * pixels + k] / 255.0f;
        y[i] = ds->labels[rows[i]];
    }
}

static int make_model(struct bench *b, struct error *err)
{
    static const char text[] = "{arch: cnn, width: 8}";
    const uint32_t input[3] = {b->ds->channels, b->ds->height, b->ds->width};
    struct yaml_node *node = NULL;
    TRY(yaml_parse("arch", text, strlen(text), &node, err));
    int rc = arch_parse(node, input, b->ds->n_classes, &b->arch, err);
    yaml_free(node);
    TRY(rc);
    TRY(model_new(b->arch, &b->original, err));
    model_init(b->original, 1, "init");
    struct batch_source source = {b->ds->n_train, fill, b->ds};
    struct train_hooks hooks = {0};
    struct recipe longer = b->recipe; /* so that the model knows its samples */
    longer.epochs = 10;
    longer.lr = 0.01;
    longer.optim.momentum = 0.9;
    return train_run(b->original, &longer, &source, 1, b->h.par, &hooks, err);
}

static int make_split(struct bench *b, const char *text, struct error *err)
{
    struct forget_spec spec;
    struct yaml_node *node = NULL;
    TRY(yaml_parse("forget", text, strlen(text), &node, err));
    int rc = forget_parse(node, ".", &spec, err);
    yaml_free(node);
    TRY(rc);
    rc = split_make(b->ds, &spec, 1, &b->split, err);
    forget_release(&spec);
    return rc;
}

int bench_init(struct bench *b, unsigned threads, struct error *err)
{
    struct data_spec spec = {
        .name = "synthetic", .train = 160, .test = 80, .seed = 1, .noise = 0.3};
    memset(b, 0, sizeof(*b));
    recipe_defaults(&b->recipe);
    b->recipe.epochs = 2;
    b->recipe.batch = 16;
    b->recipe.lr = 0.05;
    b->h.par = threads > 1 ? par_new(threads) : NULL;
    int rc = dataset_read(&spec, &b->ds, err);
    if (rc == 0)
        rc = make_model(b, err);
    if (rc == 0)
        rc = make_split(b, "{random: 0.1}", err);
    b->h.seed = 42;
    b->h.ds = b->ds;
    b->h.split = &b->split;
    b->h.recipe = &b->recipe;
    return rc;
}

int bench_forget_class(struct bench *b, struct error *err)
{
    split_release(&b->split);
    memset(&b->split, 0, sizeof(b->split));
    return make_split(b, "{class: 3}", err);
}

json_t *bench_params(const struct hosting *h, const char *changes)
{
    json_t *all = NULL, *out = json_object(), *extra = json_loads(changes, 0, NULL), *plugin, *p;
    size_t i, k;
    if (!out || !extra || plugin_describe(h->file, "x.so", &all, NULL) < 0) {
        json_decref(out);
        json_decref(extra);
        return NULL;
    }
    json_array_foreach(all, k, plugin)
    {
        if (strcmp(json_string_value(json_object_get(plugin, "id")), h->plugin_id) != 0)
            continue;
        json_array_foreach(json_object_get(plugin, "params"), i, p) json_object_set(
            out, json_string_value(json_object_get(p, "name")), json_object_get(p, "default"));
    }
    json_object_update(out, extra);
    json_decref(extra);
    json_decref(all);
    return out;
}

void bench_release(struct bench *b)
{
    split_release(&b->split);
    model_free(b->original);
    arch_free(b->arch);
    dataset_free(b->ds);
    par_free(b->h.par);
    memset(b, 0, sizeof(*b));
}
