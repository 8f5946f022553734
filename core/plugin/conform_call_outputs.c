/* Membership attacks, audits and metrics on the outputs of the world's models. */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "conform_call.h"

/* Rows of a model's logits, copied, so that nobody can write into the world. */
struct picker {
    struct arena *arena;
    const struct world *b;
    bool failed;
    struct block *blocks; /* everything picked, the last first */
};

struct block {
    struct block *next;
    const void *bytes;
    size_t n;
};

static void *take(struct picker *p, size_t n)
{
    struct block *block = arena_alloc(p->arena, sizeof(*block));
    void *bytes = arena_alloc(p->arena, n + 1);
    if (!block || !bytes) {
        p->failed = true;
        return NULL;
    }
    *block = (struct block){p->blocks, bytes, n};
    p->blocks = block;
    return bytes;
}

/* Of everything that the plugin may look at. */
static void hash_inputs(const struct picker *p, char ret[HASH_HEX_SIZE])
{
    struct hash *h = hash_new();
    *ret = 0;
    for (const struct block *b = p->blocks; h && b; b = b->next)
        hash_add(h, b->bytes, b->n);
    if (h)
        hash_final(h, ret);
}

static const float *pick_logits(struct picker *p, const float *logits, const uint32_t *rows,
                                uint32_t n)
{
    size_t c = p->b->spec.classes;
    float *to = take(p, n * c * sizeof(*to));
    for (uint32_t i = 0; to && i < n; i++)
        memcpy(to + i * c, logits + rows[i] * c, c * sizeof(*to));
    return to;
}

static const uint8_t *pick_bytes(struct picker *p, const uint8_t *from, const uint32_t *rows,
                                 uint32_t n)
{
    uint8_t *to = take(p, n);
    for (uint32_t i = 0; to && i < n; i++)
        to[i] = from[rows[i]];
    return to;
}

static const int32_t *pick_labels(struct picker *p, const uint32_t *rows, uint32_t n)
{
    int32_t *to = take(p, n * sizeof(*to));
    for (uint32_t i = 0; to && i < n; i++)
        to[i] = p->b->labels[rows[i]];
    return to;
}

static struct outputs pick(struct picker *p, const float *logits, const uint32_t *rows, uint32_t n)
{
    return (struct outputs){.n = n,
                            .n_views = 1,
                            .n_classes = p->b->spec.classes,
                            .logits = pick_logits(p, logits, rows, n),
                            .y = pick_labels(p, rows, n)};
}

/* ---- membership attacks ---- */

uint32_t conform_candidates(const struct world *b, uint32_t *ret_ids)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < b->spec.n_train; i += 2)
        ret_ids[n++] = i;
    for (uint32_t i = 0; i < b->spec.n_test; i += 2)
        ret_ids[n++] = b->spec.n_train + i;
    return n;
}

/* What is no candidate: known members (side 0), known non-members (side 1). */
static uint32_t known_rows(const struct world *b, int side, uint32_t *rows)
{
    uint32_t n = 0, first = side ? b->spec.n_train : 0,
             count = side ? b->spec.n_test : b->spec.n_train;
    for (uint32_t i = 1; i < count; i += 2)
        rows[n++] = first + i;
    return n;
}

struct known {
    struct outputs outputs;
    const float *logits[WORLD_SHADOWS];
    const uint8_t *inclusion[WORLD_SHADOWS];
};

static void pick_shadows(struct picker *p, const uint32_t *rows, uint32_t n, const float **logits,
                         const uint8_t **inclusion)
{
    for (int k = 0; k < WORLD_SHADOWS; k++) {
        logits[k] = pick_logits(p, p->b->shadow[k].logits, rows, n);
        inclusion[k] = pick_bytes(p, p->b->inclusion[k], rows, n);
    }
}

int conform_call_member(struct conform *t, const struct conform_case *c, const struct hosting *h,
                        struct conform_answer *a, struct error *err)
{
    const struct world *b = c->world;
    struct picker p = {arena_new(), b, false, NULL};
    uint32_t *rows = malloc((b->ds.n_train + b->ds.n_test + 1) * sizeof(*rows)), *ids = NULL;
    struct known known[2];
    const float *logits[WORLD_SHADOWS];
    const uint8_t *inclusion[WORLD_SHADOWS];
    const char **names = NULL;
    char before[HASH_HEX_SIZE], after[HASH_HEX_SIZE];
    if (!p.arena || !rows || !(ids = malloc((b->ds.n_train + b->ds.n_test + 1) * sizeof(*ids)))) {
        arena_free(p.arena);
        free(rows);
        return error_nomem(err);
    }
    for (int side = 0; side < 2; side++) {
        uint32_t n = known_rows(b, side, rows);
        known[side].outputs = pick(&p, b->original.logits, rows, n);
        pick_shadows(&p, rows, n, known[side].logits, known[side].inclusion);
    }
    a->n = conform_candidates(b, rows);
    for (uint32_t i = 0; i < a->n; i++)
        ids[i] = rows[c->order ? c->order[i] : i];
    pick_shadows(&p, ids, a->n, logits, inclusion);
    struct member_input in = {.candidates = pick(&p, b->original.logits, ids, a->n),
                              .n_models = WORLD_SHADOWS,
                              .reference_logits = logits,
                              .inclusion = inclusion,
                              .known_members = &known[0].outputs,
                              .known_nonmembers = &known[1].outputs,
                              .known_reference_logits = {known[0].logits, known[1].logits},
                              .known_inclusion = {known[0].inclusion, known[1].inclusion}};
    int rc = p.failed ? error_nomem(err) : 0;
    hash_inputs(&p, before);
    if (rc == 0)
        a->rc = hosting_member(h, &in, &a->n_scores, &names, &a->score, &a->why);
    hash_inputs(&p, after);
    a->wrote_inputs = strcmp(before, after) != 0;
    free(names);
    free(ids);
    free(rows);
    arena_free(p.arena);
    return rc;
}

/* ---- metrics and audits ---- */

/* One model's outputs on the sets of the scenario. */
struct sets {
    struct outputs set[4];
    struct model_outputs of;
};

static void pick_sets(struct picker *p, const float *logits, struct sets *ret)
{
    const struct split *s = &p->b->split;
    const struct {
        const uint32_t *rows;
        uint32_t n;
        const struct outputs **to;
    } part[4] = {{s->forget, s->n_forget, &ret->of.forget},
                 {s->retain, s->n_retain, &ret->of.retain},
                 {s->test, s->n_test, &ret->of.test},
                 {s->test_forgotten, s->n_test_forgotten, &ret->of.test_forgotten}};
    ret->of = (struct model_outputs){NULL, NULL, NULL, NULL};
    for (int i = 0; i < 4; i++) {
        if (i == 3 && part[i].n == 0)
            continue;
        ret->set[i] = pick(p, logits, part[i].rows, part[i].n);
        *part[i].to = &ret->set[i];
    }
}

struct metric_world {
    struct sets target[WORLD_MAX_MODELS], oracle[WORLD_MAX_MODELS];
    struct sets original, random, adversarial, source_adversarial;
    struct model_outputs targets[WORLD_MAX_MODELS], oracles[WORLD_MAX_MODELS];
    const struct model *models[WORLD_MAX_MODELS];
    struct meters cost, costs[WORLD_MAX_MODELS];
};

static void fill_world(struct picker *p, struct metric_world *w)
{
    const struct world *b = p->b;
    for (uint32_t k = 0; k < b->n_targets; k++) {
        pick_sets(p, b->target[k].logits, &w->target[k]);
        w->targets[k] = w->target[k].of;
    }
    for (uint32_t k = 0; k < b->n_oracles; k++) {
        pick_sets(p, b->oracle[k].logits, &w->oracle[k]);
        w->oracles[k] = w->oracle[k].of;
        w->models[k] = b->oracle[k].model;
        w->costs[k] = (struct meters){
            .forward = 480 + k, .backward = 480 + k, .optimizer_steps = 36, .read_retain = 480 + k};
    }
    pick_sets(p, b->original.logits, &w->original);
    pick_sets(p, b->random.logits, &w->random);
    pick_sets(p, b->target[0].shifted, &w->adversarial);
    pick_sets(p, b->original.shifted, &w->source_adversarial);
    w->cost = (struct meters){.forward = 120,
                              .backward = 120,
                              .optimizer_steps = 9,
                              .read_forget = 6,
                              .read_retain = 114};
}

int conform_call_metric(struct conform *t, const struct conform_case *c, const struct hosting *h,
                        struct conform_answer *a, struct error *err)
{
    const struct world *b = c->world;
    struct picker p = {arena_new(), b, false, NULL};
    struct metric_world *w = p.arena ? arena_alloc(p.arena, sizeof(*w)) : NULL;
    char before[HASH_HEX_SIZE], after[HASH_HEX_SIZE];
    bool one = b->n_targets == 1;
    if (!w) {
        arena_free(p.arena);
        return error_nomem(err);
    }
    fill_world(&p, w);
    struct metric_input in = {.n_classes = b->spec.classes,
                              .n_targets = b->n_targets,
                              .n_references = b->n_oracles,
                              .targets = w->targets,
                              .references = w->oracles,
                              .original = &w->original.of,
                              .scenario = b->spec.forget == WORLD_CLASS ? 2 : 1,
                              .random = &w->random.of,
                              .adversarial = &w->adversarial.of,
                              .source = &w->original.of,
                              .source_adversarial = &w->source_adversarial.of,
                              .model = one ? b->target[0].model : NULL,
                              .original_model = one ? b->original.model : NULL,
                              .reference_models = one ? w->models : NULL,
                              .cost = one ? &w->cost : NULL,
                              .reference_costs = one ? w->costs : NULL};
    int rc = p.failed ? error_nomem(err) : 0;
    hash_inputs(&p, before);
    if (rc == 0)
        a->rc = hosting_metric(h, &in, &a->values, &a->why);
    hash_inputs(&p, after);
    a->wrote_inputs = strcmp(before, after) != 0;
    arena_free(p.arena);
    return rc;
}
