/* Tests on odd inputs: few samples, one class, other shapes, numbers that are none. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conform_tests.h"

static bool serves(const struct conform *t, uint32_t scenario)
{
    const lethe_unlearner *u = t->plugin->iface;
    return t->plugin->kind != LETHE_KIND_UNLEARNER || (u->scenarios & scenario) != 0;
}

/* The plugin on another world. */
static int on(struct conform *t, const struct world_spec *spec, uint32_t n_requests,
              struct conform_answer *ret, struct error *err)
{
    struct trial limit = {.max_calls = 200000};
    struct conform_case c = {.seed = t->seed, .n_requests = n_requests, .trial = &limit};
    struct world world;
    json_t *params = NULL;
    TRY(conform_defaults(t, true, &params, err));
    int rc = conform_world(t, spec, &world, err);
    if (rc == 0) {
        c.world = &world;
        c.params = params;
        rc = conform_call(t, &c, ret, err);
        world_release(&world);
    }
    json_decref(params);
    return rc;
}

/* strict: it has to succeed, a refusal with a sentence is a warning; else that is as good. */
static int expect(struct conform *t, const struct world_spec *spec, const char *what, bool strict,
                  struct error *err)
{
    struct conform_answer a;
    TRY(conform_doing(t, err, "%s", what));
    TRY(on(t, spec, 0, &a, err));
    if (conform_clean(t, &a, what) && a.rc < 0 && strict)
        conform_say(t, CONFORM_WARN, "%s: it refuses with %s: %s", what, error_name(a.rc),
                    a.why.text);
    conform_answer_release(&a);
    return 0;
}

int conform_test_forget_one(struct conform *t, struct error *err)
{
    struct world_spec spec = world_usual;
    spec.forget = WORLD_ONE;
    if (!serves(t, LETHE_SCENARIO_RANDOM))
        return conform_say(t, CONFORM_SKIP, "it forgets whole classes only");
    return expect(t, &spec, "a forget set of one sample", true, err);
}

int conform_test_forget_none(struct conform *t, struct error *err)
{
    struct world_spec spec = world_usual;
    spec.forget = WORLD_NONE;
    if (!serves(t, LETHE_SCENARIO_RANDOM))
        return conform_say(t, CONFORM_SKIP, "it forgets whole classes only");
    return expect(t, &spec, "an empty forget set", false, err);
}

int conform_test_forget_class(struct conform *t, struct error *err)
{
    struct world_spec spec = world_usual;
    spec.forget = WORLD_CLASS;
    if (!serves(t, LETHE_SCENARIO_CLASS))
        return conform_say(t, CONFORM_SKIP, "it does not serve class scenarios");
    return expect(t, &spec, "forgetting class 1", true, err);
}

int conform_test_one_class(struct conform *t, struct error *err)
{
    struct world_spec spec = world_usual;
    spec.one_class = true;
    if (!serves(t, LETHE_SCENARIO_RANDOM))
        return conform_say(t, CONFORM_SKIP, "it forgets whole classes only");
    return expect(t, &spec, "samples of one class", false, err);
}

int conform_test_shapes(struct conform *t, struct error *err)
{
    static const struct {
        struct world_spec spec;
        const char *what;
    } worlds[] = {
        {{{3, 5, 9}, 10, 43, 21, WORLD_RANDOM, false, 2}, "3x5x9 images of 10 classes"},
        {{{1, 2, 2}, 2, 17, 9, WORLD_RANDOM, false, 3}, "1x2x2 images of 2 classes"},
        {{{2, 4, 3}, 3, 131, 7, WORLD_RANDOM, false, 4}, "131 images of 2x4x3, 3 classes"},
    };
    for (size_t i = 0; i < sizeof(worlds) / sizeof(worlds[0]); i++)
        TRY(expect(t, &worlds[i].spec, worlds[i].what, true, err));
    return 0;
}

int conform_test_requests(struct conform *t, struct error *err)
{
    struct conform_answer a;
    if (!serves(t, LETHE_SCENARIO_RANDOM))
        return conform_say(t, CONFORM_SKIP, "it forgets whole classes only");
    TRY(conform_doing(t, err, "three deletions in a row"));
    TRY(on(t, &world_usual, 3, &a, err));
    if (conform_clean(t, &a, "three deletions in a row") && a.rc < 0)
        conform_say(t, CONFORM_WARN, "three deletions in a row: it refuses with %s: %s",
                    error_name(a.rc), a.why.text);
    conform_answer_release(&a);
    return 0;
}

/* ---- weights that are no numbers ---- */

static void spoil(struct world_member *m, size_t from, size_t step, float with)
{
    for (size_t i = from; m->model && i < m->model->n_param; i += step)
        m->model->param[i] = with;
}

/* Every model that the plugin may see. */
static int spoil_all(struct world *b, size_t step, float with, struct error *err)
{
    struct world_member *all[3 + WORLD_SHADOWS + 2 * WORLD_MAX_MODELS];
    size_t n = 0;
    all[n++] = &b->original;
    all[n++] = &b->random;
    for (int k = 0; k < WORLD_SHADOWS; k++)
        all[n++] = &b->shadow[k];
    for (int k = 0; k < WORLD_MAX_MODELS; k++) {
        all[n++] = &b->oracle[k];
        all[n++] = &b->target[k];
    }
    for (size_t i = 0; i < n; i++)
        if (all[i]->model) {
            spoil(all[i], all[i]->model->n_param - 1, step, with);
            spoil(all[i], 0, step, with);
            TRY(world_predict(b, all[i], err));
        }
    return 0;
}

int conform_test_not_finite(struct conform *t, struct error *err)
{
    static const struct {
        const char *what;
        size_t step;
        float with;
    } ways[] = {{"all weights are NaN", 1, NAN},
                {"one weight in 100 is infinite", 100, INFINITY},
                {"weights of 1e30", 3, 1e30f}};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct trial limit = {.max_calls = 20000};
        struct conform_usual u;
        struct conform_answer a;
        TRY(conform_doing(t, err, "%s", ways[i].what));
        TRY(conform_usual_open(t, &u, err));
        u.c.trial = &limit;
        int rc = spoil_all(&u.world, ways[i].step, ways[i].with, err);
        if (rc == 0)
            rc = conform_call(t, &u.c, &a, err);
        if (rc == 0) {
            if (a.rc != ERR_OUTPUT) /* nothing sound can come of it; the host refuses the rest */
                conform_clean(t, &a, ways[i].what);
            conform_answer_release(&a);
        }
        conform_usual_close(&u);
        TRY(rc);
    }
    return 0;
}

/* ---- access ---- */

static int hash_world(const struct world *b, char ret[HASH_HEX_SIZE])
{
    size_t n = b->spec.n_train + b->spec.n_test;
    size_t pixels = (size_t)b->ds.channels * b->ds.height * b->ds.width;
    struct hash *h = hash_new();
    if (!h)
        return ERR_NOMEM;
    hash_add(h, b->pixels, n * pixels * sizeof(*b->pixels));
    hash_add(h, b->labels, n * sizeof(*b->labels));
    const struct world_member *look[] = {&b->original, &b->target[0], &b->oracle[0]};
    for (size_t i = 0; i < sizeof(look) / sizeof(look[0]); i++)
        if (look[i]->model) {
            hash_add(h, look[i]->model->param, look[i]->model->n_param * sizeof(float));
            hash_add(h, look[i]->model->stat, look[i]->model->n_stat * sizeof(float));
        }
    hash_final(h, ret);
    return 0;
}

int conform_test_inputs(struct conform *t, struct error *err)
{
    struct conform_usual u;
    struct conform_answer a;
    char before[HASH_HEX_SIZE], after[HASH_HEX_SIZE];
    TRY(conform_doing(t, err, "the usual case; the original's weights are write-protected"));
    TRY(conform_usual_open(t, &u, err));
    int rc = hash_world(&u.world, before);
    if (rc == 0)
        rc = conform_usual_call(t, &u, &a, err);
    if (rc == 0)
        rc = hash_world(&u.world, after);
    if (rc == 0) {
        if (strcmp(before, after) != 0)
            conform_say(t, CONFORM_FAIL,
                        "expected samples, labels and models as they were, found others");
        if (a.wrote_inputs)
            conform_say(t, CONFORM_FAIL, "it wrote into the outputs it was to look at");
        conform_answer_release(&a);
    }
    conform_usual_close(&u);
    return rc < 0 ? rc : 0;
}

/* One kind of optional access at a time, then all of it. */
int conform_test_withheld(struct conform *t, struct error *err)
{
    uint64_t optional = t->plugin->uses & ~t->plugin->needs;
    struct conform_usual u;
    struct conform_answer a;
    if (!optional)
        return conform_say(t, CONFORM_SKIP, "it uses nothing that it does not need");
    TRY(conform_usual_open(t, &u, err));
    int rc = 0;
    for (int bit = 0; rc == 0 && bit <= 64; bit++) {
        u.c.withheld = bit < 64 ? optional & (1ull << bit) : optional;
        if (!u.c.withheld)
            continue;
        rc = conform_doing(t, err, "without access %#llx", (unsigned long long)u.c.withheld);
        if (rc == 0)
            rc = conform_call(t, &u.c, &a, err);
        if (rc < 0)
            break;
        if (conform_clean(t, &a, "without optional access") && a.rc < 0 && a.rc != ERR_DENIED &&
            a.rc != ERR_UNSUPPORTED)
            conform_say(t, CONFORM_FAIL,
                        "without optional access %#llx: expected success, E_DENIED or "
                        "E_UNSUPPORTED, found %s: %s",
                        (unsigned long long)u.c.withheld, error_name(a.rc), a.why.text);
        conform_answer_release(&a);
    }
    conform_usual_close(&u);
    return rc;
}
