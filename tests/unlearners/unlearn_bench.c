#include "unlearn_bench.h"

void bench_open(struct bench *b, const char *id)
{
    struct error err = ERROR_INIT;
    char path[800], file[256];
    snprintf(file, sizeof(file), "%s", id);
    for (char *c = file; *c; c++)
        *c = *c == '-' ? '_' : *c;
    snprintf(path, sizeof(path), "%s/%s.so", PLUGIN_DIR, file);
    assert_ok(plugin_open(path, &b->h.file, &err), err);
    b->h.plugin_id = id;
}

static int run(struct bench *b, const char *id, const char *changes,
               const struct adversarial *declared, struct answer *ret, struct error *err)
{
    bench_open(b, id);
    json_t *params = bench_params(&b->h, changes);
    assert_non_null(params);
    b->h.params = params;
    assert_ok(model_clone(b->original, &ret->m, err), *err);
    int rc = hosting_unlearn(&b->h, b->original, ret->m, declared, declared ? 1 : 0, &ret->r, err);
    json_decref(params);
    b->h.params = NULL;
    return rc;
}

struct answer bench_unlearn(struct bench *b, const char *id, const char *changes,
                            const struct adversarial *declared)
{
    struct answer a;
    struct error err = ERROR_INIT;
    int rc = run(b, id, changes, declared, &a, &err);
    if (rc < 0)
        fail_msg("%s %s: %s", id, changes, err.text);
    return a;
}

int bench_refuse(struct bench *b, const char *id, const char *changes, struct error *err)
{
    struct answer a;
    int rc = run(b, id, changes, NULL, &a, err);
    model_free(a.m);
    return rc;
}

void bench_samples(const struct dataset *ds, const uint32_t *rows, uint32_t n, float *x, int32_t *y)
{
    for (uint32_t i = 0; i < n; i++) {
        for (size_t k = 0; k < 784; k++)
            x[i * 784 + k] = (float)ds->pixels[rows[i] * 784u + k] / 255.0f;
        y[i] = ds->labels[rows[i]];
    }
}

struct adversarial bench_attack(struct bench *b, const struct split *split, const struct model *m)
{
    struct error err = ERROR_INIT;
    struct adversarial set;
    uint32_t n = split->n_forget;
    uint64_t *ids = calloc(n + 1, sizeof(*ids));
    float *x = calloc(n * 784u + 1, sizeof(*x));
    int32_t *y = calloc(n + 1, sizeof(*y));
    assert_true(ids && x && y);
    bench_open(b, "pgd-l2-nearest");
    json_t *params = bench_params(&b->h, "{\"steps\":10}");
    assert_non_null(params);
    b->h.params = params;
    for (uint32_t i = 0; i < n; i++)
        ids[i] = split->forget[i];
    bench_samples(b->ds, split->forget, n, x, y);
    assert_ok(hosting_perturb(&b->h, m, x, y, ids, n, &set, &err), err);
    json_decref(params);
    b->h.params = NULL;
    free(ids);
    free(x);
    free(y);
    return set;
}

bool same_model(const struct model *a, const struct model *b)
{
    return memcmp(a->param, b->param, a->n_param * sizeof(float)) == 0 &&
           memcmp(a->stat, b->stat, a->n_stat * sizeof(float)) == 0;
}

size_t n_changed(const struct model *a, const struct model *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->n_param; i++)
        n += memcmp(&a->param[i], &b->param[i], sizeof(float)) != 0;
    return n;
}

void expect_same(struct bench *b, const char *id, const char *changes, const char *other_id,
                 const char *other_changes)
{
    struct answer one = bench_unlearn(b, id, changes, NULL);
    struct answer two = bench_unlearn(b, other_id, other_changes, NULL);
    assert_false(same_model(one.m, b->original));
    assert_true(same_model(one.m, two.m));
    model_free(one.m);
    model_free(two.m);
}
