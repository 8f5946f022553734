/* One call of the plugin under test, and a hash of everything that came back. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "conform_call.h"
#include "fs.h"
#include "host_internal.h"
#include "text.h"

/* ---- the example attacks that an unlearner uses ---- */

static int find_attack(void *arg, const char *id, struct plugin_file **ret, struct error *err)
{
    const struct conform *t = arg;
    const json_t *paths = json_object_get(t->json, "attacks");
    const char *path = json_string_value(json_object_get(paths, id));
    if (plugin_pick(t->file, LETHE_KIND_EXAMPLE_ATTACK, id)) {
        *ret = t->file;
        return 0;
    }
    if (!path)
        return error_set(err, ERR_DENIED,
                         "there is no example attack %s; install it, or name its folder in "
                         "LETHE_PLUGIN_PATH",
                         id);
    return plugin_open(path, ret, err);
}

/* "name=$p" with the value of the unlearner's parameter p; NULL when out of memory. */
static const char *resolve(struct arena *arena, const char *setting, const json_t *params)
{
    const char *mark = strstr(setting, "=$");
    const json_t *v = mark ? json_object_get(params, mark + 2) : NULL;
    int head = mark ? (int)(mark - setting) : 0;
    char number[32];
    if (!v)
        return setting;
    if (json_is_string(v))
        return arena_printf(arena, "%.*s=%s", head, setting, json_string_value(v));
    if (json_is_boolean(v))
        return arena_printf(arena, "%.*s=%s", head, setting, json_is_true(v) ? "true" : "false");
    if (json_is_integer(v))
        return arena_printf(arena, "%.*s=%lld", head, setting, (long long)json_integer_value(v));
    text_from_double(json_number_value(v), number);
    return arena_printf(arena, "%.*s=%s", head, setting, number);
}

static int attack_params(const lethe_attack_use *use, const lethe_plugin *attack,
                         const json_t *params, json_t **ret, struct error *err)
{
    enum { MAX = 32 };
    const char *setting[MAX + 1] = {NULL};
    struct arena *arena = arena_new();
    int rc = arena ? 0 : error_nomem(err);
    for (size_t i = 0; rc == 0 && i < MAX && use->settings && use->settings[i]; i++) {
        setting[i] = resolve(arena, use->settings[i], params);
        rc = setting[i] ? 0 : error_nomem(err);
    }
    if (rc == 0)
        rc = host_params_to_json(attack, setting, ret, err);
    arena_free(arena);
    return rc;
}

/* The samples of a list of pool ids. */
struct samples {
    uint32_t n;
    float *x;
    int32_t *y;
    uint64_t *id;
};

static void samples_release(struct samples *s)
{
    free(s->x);
    free(s->y);
    free(s->id);
}

/* rows NULL: the pool. */
static int samples_take(const struct world *b, const uint32_t *rows, uint32_t n,
                        struct samples *ret, struct error *err)
{
    size_t pixels = (size_t)b->ds.channels * b->ds.height * b->ds.width;
    struct samples s = {.n = n,
                        .x = malloc((n * pixels + 1) * sizeof(float)),
                        .y = malloc((n + 1) * sizeof(int32_t)),
                        .id = malloc((n + 1) * sizeof(uint64_t))};
    *ret = s;
    if (!s.x || !s.y || !s.id)
        return error_nomem(err);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t id = rows ? rows[i] : i;
        memcpy(s.x + i * pixels, b->pixels + id * pixels, pixels * sizeof(float));
        s.y[i] = b->labels[id];
        s.id[i] = id;
    }
    return 0;
}

/* A declared adversarial set, as the host plans it: of a forget set, on the original model. */
static int make_set(struct conform *t, const struct conform_case *c, const lethe_attack_use *use,
                    const struct split *split, struct adversarial *ret, struct error *err)
{
    struct hosting h = {
        .plugin_id = use->attack, .seed = c->seed, .ds = &c->world->ds, .split = split};
    struct trial limit = {.max_calls = 20000, .deadline_ns = fs_now_ns() + 1000000000};
    struct samples s = {0};
    json_t *params = NULL;
    h.trial = &limit;
    TRY(find_attack(t, use->attack, &h.file, err));
    const lethe_plugin *p = plugin_pick(h.file, LETHE_KIND_EXAMPLE_ATTACK, use->attack);
    if (!p)
        return error_set(err, ERR_INVALID, "%s is no example attack", use->attack);
    int rc = attack_params(use, p, c->params, &params, err);
    t->attack_refused |= rc < 0;
    if (rc == 0)
        rc = samples_take(c->world, split->forget, split->n_forget, &s, err);
    h.params = params;
    if (rc == 0)
        rc = hosting_perturb(&h, c->world->original.model, s.x, s.y, s.id, s.n, ret, err);
    samples_release(&s);
    json_decref(params);
    return rc;
}

/* ---- unlearners ---- */

enum { MAX_SETS = 4, MAX_REQUESTS = 4 };

static struct hosting hosting_of(struct conform *t, const struct conform_case *c)
{
    return (struct hosting){.file = t->file,
                            .plugin_id = t->id,
                            .params = c->params,
                            .seed = c->seed,
                            .par = c->par,
                            .ds = &c->world->ds,
                            .split = &c->world->split,
                            .recipe = &c->world->recipe,
                            .find_attack = find_attack,
                            .find_arg = t,
                            .validation = c->world->test_ids,
                            .n_validation = c->world->spec.n_test / 3,
                            .withheld = c->withheld,
                            .trial = c->trial};
}

/* Request k forgets the k-th part of the forget set; what was forgotten before is in neither set.
 */
static int part_split(const struct split *s, uint32_t k, uint32_t n, struct split *ret,
                      struct error *err)
{
    uint32_t from = s->n_forget * k / n, to = s->n_forget * (k + 1) / n;
    uint32_t *retain = malloc((s->n_retain + s->n_forget + 1) * sizeof(*retain));
    struct split part = *s;
    if (!retain)
        return error_nomem(err);
    memcpy(retain, s->retain, s->n_retain * sizeof(*retain));
    memcpy(retain + s->n_retain, s->forget + to, (s->n_forget - to) * sizeof(*retain));
    part.forget = s->forget + from;
    part.n_forget = to - from;
    part.retain = retain;
    part.n_retain = s->n_retain + s->n_forget - to;
    *ret = part;
    return 0;
}

/* Deletions in a row, with the adversarial sets that each declares. */
struct deletions {
    uint32_t n;
    struct split part[MAX_REQUESTS];
    struct adversarial set[MAX_REQUESTS][MAX_SETS];
    struct unlearn_request request[MAX_REQUESTS];
};

static int plan_deletions(struct conform *t, const struct conform_case *c, struct deletions *d,
                          struct error *err)
{
    const lethe_unlearner *iface = t->plugin->iface;
    uint32_t n_sets = iface->n_attacks < MAX_SETS ? iface->n_attacks : MAX_SETS;
    for (uint32_t k = 0; k < d->n; k++) {
        TRY(part_split(&c->world->split, k, d->n, &d->part[k], err));
        d->request[k] = (struct unlearn_request){&d->part[k], d->set[k], n_sets};
        for (uint32_t i = 0; i < n_sets; i++)
            TRY(make_set(t, c, plugin_item(iface->attacks, iface->attack_stride, i), &d->part[k],
                         &d->set[k][i], err));
    }
    return 0;
}

static void deletions_release(struct deletions *d)
{
    for (uint32_t k = 0; k < d->n; k++) {
        free(d->part[k].retain);
        for (uint32_t i = 0; i < MAX_SETS; i++)
            adversarial_release(&d->set[k][i]);
    }
}

static int unlearn(struct conform *t, const struct conform_case *c, const struct hosting *h,
                   struct conform_answer *a, struct error *err)
{
    struct deletions d = {.n = c->n_requests ? c->n_requests : 1};
    struct unlearn_result result[MAX_REQUESTS];
    const struct model *original = c->world->original.model;
    int rc = model_clone(original, &a->model, err);
    if (rc == 0)
        a->rc = plan_deletions(t, c, &d, &a->why); /* an attack that refuses is no slip of ours */
    if (rc == 0 && a->rc == 0)
        a->rc =
            hosting_unlearn_requests(h, original, a->model, d.request, d.n, result, NULL, &a->why);
    deletions_release(&d);
    return rc;
}

static void hash_model(struct hash *h, const struct model *m)
{
    hash_add(h, m->param, m->n_param * sizeof(float));
    hash_add(h, m->stat, m->n_stat * sizeof(float));
}

/* ---- example attacks ---- */

static int perturb(struct conform *t, const struct conform_case *c, struct hosting *h,
                   struct conform_answer *a, struct error *err)
{
    const struct world *b = c->world;
    struct samples s = {0};
    uint32_t n = c->row ? c->n_rows : b->spec.n_train + b->spec.n_test;
    int rc = samples_take(b, c->row, n, &s, err);
    h->targets = c->target;
    if (rc == 0)
        a->rc = hosting_perturb(h, b->original.model, s.x, s.y, s.id, s.n, &a->set, &a->why);
    a->n = n;
    samples_release(&s);
    return rc;
}

static void hash_set(struct hash *h, const struct adversarial *s, size_t pixels)
{
    hash_add(h, s->x, s->n * pixels * sizeof(*s->x));
    hash_add(h, s->label, s->n * sizeof(*s->label));
    hash_add(h, s->found, s->n);
    hash_add(h, s->radius, s->n * sizeof(*s->radius));
    hash_add(h, s->steps, s->n * sizeof(*s->steps));
}

/* ---- all kinds ---- */

static void hash_answer(const struct conform_case *c, struct conform_answer *a)
{
    const struct dataset *ds = &c->world->ds;
    struct hash *h = hash_new();
    char *values = a->values ? json_canonical(a->values) : NULL;
    if (!h)
        return;
    if (a->model)
        hash_model(h, a->model);
    if (a->set.x)
        hash_set(h, &a->set, (size_t)ds->channels * ds->height * ds->width);
    if (a->score)
        hash_add(h, a->score, (size_t)a->n_scores * a->n * sizeof(*a->score));
    if (values)
        hash_add(h, values, strlen(values));
    hash_final(h, a->hash);
    free(values);
}

int conform_call(struct conform *t, const struct conform_case *c, struct conform_answer *ret,
                 struct error *err)
{
    struct conform_answer a = {.why = ERROR_INIT};
    struct hosting h = hosting_of(t, c);
    int rc = 0;
    t->attack_refused = false;
    switch (t->plugin->kind) {
    case LETHE_KIND_UNLEARNER:
        rc = unlearn(t, c, &h, &a, err);
        break;
    case LETHE_KIND_EXAMPLE_ATTACK:
        rc = perturb(t, c, &h, &a, err);
        break;
    case LETHE_KIND_MEMBERSHIP_ATTACK:
        rc = conform_call_member(t, c, &h, &a, err);
        break;
    default:
        rc = conform_call_metric(t, c, &h, &a, err);
    }
    if (rc == 0 && a.rc == 0)
        hash_answer(c, &a);
    *ret = a;
    if (rc < 0)
        conform_answer_release(ret);
    return rc;
}

void conform_answer_release(struct conform_answer *a)
{
    model_free(a->model);
    adversarial_release(&a->set);
    free(a->score);
    json_decref(a->values);
    *a = (struct conform_answer){.why = ERROR_INIT};
}
