/* recipe.c: `train:` of a suite and its canonical text. */
#include <inttypes.h>
#include <string.h>

#include "train.h"

void recipe_defaults(struct recipe *r)
{
    *r = (struct recipe){
        .epochs = 1,
        .batch = 128,
        .optim = {.kind = OPTIM_SGD, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8},
        .lr = 0.1,
        .schedule = {.kind = SCHEDULE_CONSTANT, .gamma = 0.1},
        .shuffle = true,
    };
}

static const char *const optim_names[] = {
    [OPTIM_SGD] = "sgd", [OPTIM_ADAM] = "adam", [OPTIM_ADAMW] = "adamw"};

static int read_count(const struct yaml_node *map, const char *key, int64_t min, uint32_t *ret,
                      struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t v;
    if (!node)
        return 0;
    TRY(yaml_int(node, key, &v, err));
    if (v < min || v > 1000000)
        return yaml_error(node, err, "%s: %" PRId64 " is not between %" PRId64 " and 1000000", key,
                          v, min);
    *ret = (uint32_t)v;
    return 0;
}

/* A real in [min, below). */
static int read_real(const struct yaml_node *map, const char *key, double min, double below,
                     double *ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    double v;
    if (!node)
        return 0;
    TRY(yaml_real(node, key, &v, err));
    if (!(v >= min && v < below))
        return yaml_error(node, err, "%s: %s is not at least %g and below %g", key, node->text, min,
                          below);
    *ret = v;
    return 0;
}

static int read_bool(const struct yaml_node *map, const char *key, bool *ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    return node ? yaml_bool(node, key, ret, err) : 0;
}

static int read_milestones(const struct yaml_node *node, struct schedule *s, struct error *err)
{
    size_t max = sizeof(s->milestones) / sizeof(*s->milestones);
    if (node->kind != YAML_LIST || node->n == 0 || node->n > max)
        return yaml_error(node, err, "milestones: expected a list of 1 to %zu epochs", max);
    for (size_t i = 0; i < node->n; i++) {
        int64_t v;
        TRY(yaml_int(node->child[i].value, "milestones", &v, err));
        if (v < 1 || v > 1000000)
            return yaml_error(node->child[i].value, err,
                              "milestones: %" PRId64 " is not between 1 and 1000000", v);
        s->milestones[i] = (uint32_t)v;
    }
    s->n_milestones = (uint32_t)node->n;
    s->kind = SCHEDULE_MULTISTEP;
    return 0;
}

static int read_schedule_word(const struct yaml_node *node, struct schedule *s, struct error *err)
{
    const char *word;
    TRY(yaml_string(node, "schedule", &word, err));
    if (strcmp(word, "constant") == 0)
        s->kind = SCHEDULE_CONSTANT;
    else if (strcmp(word, "cosine") == 0)
        s->kind = SCHEDULE_COSINE;
    else
        return yaml_error(node, err,
                          "schedule: \"%s\" is none of constant, cosine, {step: 8, gamma: 0.1}, "
                          "{milestones: [10, 15], gamma: 0.1}",
                          word);
    return 0;
}

static int read_schedule_map(const struct yaml_node *node, struct schedule *s, struct error *err)
{
    static const char *const keys[] = {"constant", "step",   "milestones", "cosine",
                                       "gamma",    "warmup", NULL};
    const struct yaml_node *milestones = yaml_get(node, "milestones");
    bool constant = false, cosine = false;
    TRY(yaml_known_keys(node, "schedule", keys, err));
    TRY(read_count(node, "step", 1, &s->step, err));
    if (s->step)
        s->kind = SCHEDULE_STEP;
    if (milestones)
        TRY(read_milestones(milestones, s, err));
    TRY(read_bool(node, "cosine", &cosine, err));
    if (cosine)
        s->kind = SCHEDULE_COSINE;
    TRY(read_bool(node, "constant", &constant, err));
    if ((s->step > 0) + (milestones != NULL) + cosine + constant > 1)
        return yaml_error(node, err,
                          "schedule: only one of constant, step, milestones, cosine can be given");
    TRY(read_real(node, "gamma", 0, 1e6, &s->gamma, err));
    return read_count(node, "warmup", 0, &s->warmup, err);
}

static int read_schedule(const struct yaml_node *node, struct schedule *ret, struct error *err)
{
    struct schedule s = {.kind = SCHEDULE_CONSTANT, .gamma = 0.1};
    TRY(node->kind == YAML_MAP ? read_schedule_map(node, &s, err)
                               : read_schedule_word(node, &s, err));
    *ret = s;
    return 0;
}

static int read_optim(const struct yaml_node *map, struct optim_config *o, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, "optimizer");
    const char *word;
    if (node) {
        TRY(yaml_string(node, "optimizer", &word, err));
        int kind = OPTIM_SGD;
        while (kind <= OPTIM_ADAMW && strcmp(word, optim_names[kind]) != 0)
            kind++;
        if (kind > OPTIM_ADAMW)
            return yaml_error(node, err, "optimizer: \"%s\" is none of sgd, adam, adamw", word);
        o->kind = (enum optim_kind)kind;
    }
    TRY(read_real(map, "momentum", 0, 1, &o->momentum, err));
    TRY(read_real(map, "weight_decay", 0, 1e6, &o->weight_decay, err));
    TRY(read_real(map, "beta1", 0, 1, &o->beta1, err));
    TRY(read_real(map, "beta2", 0, 1, &o->beta2, err));
    return read_real(map, "eps", 0, 1, &o->eps, err);
}

static int read_augment(const struct yaml_node *map, bool *ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, "augment");
    const char *word;
    if (!node)
        return 0;
    TRY(yaml_string(node, "augment", &word, err));
    if (strcmp(word, "none") != 0 && strcmp(word, "crop-flip") != 0)
        return yaml_error(node, err, "augment: \"%s\" is neither none nor crop-flip", word);
    *ret = strcmp(word, "crop-flip") == 0;
    return 0;
}

int recipe_parse(const struct yaml_node *node, struct recipe *ret, struct error *err)
{
    static const char *const keys[] = {"epochs",    "batch",         "optimizer",    "lr",
                                       "beta1",     "beta2",         "eps",          "schedule",
                                       "shuffle",   "momentum",      "weight_decay", "augment",
                                       "clip_norm", "spectral_clip", "lotos",        NULL};
    struct recipe r = *ret;
    const struct yaml_node *schedule = yaml_get(node, "schedule");
    if (node->kind != YAML_MAP)
        return yaml_error(node, err, "train: expected a map, as {epochs: 20, lr: 0.05}");
    TRY(yaml_known_keys(node, "train", keys, err));
    TRY(read_count(node, "epochs", 0, &r.epochs, err));
    TRY(read_count(node, "batch", 1, &r.batch, err));
    TRY(read_optim(node, &r.optim, err));
    TRY(read_real(node, "lr", 0, 1e6, &r.lr, err));
    if (schedule)
        TRY(read_schedule(schedule, &r.schedule, err));
    TRY(read_bool(node, "shuffle", &r.shuffle, err));
    TRY(read_augment(node, &r.augment, err));
    TRY(read_real(node, "clip_norm", 0, 1e6, &r.clip_norm, err));
    if (yaml_get(node, "spectral_clip"))
        TRY(clip_parse(yaml_get(node, "spectral_clip"), &r.spectral, err));
    if (yaml_get(node, "lotos"))
        TRY(lotos_parse(yaml_get(node, "lotos"), &r.spectral, &r.lotos, err));
    *ret = r;
    return 0;
}

static void add_real(struct strbuf *out, const char *key, double v)
{
    strbuf_addf(out, ",\"%s\":", key);
    strbuf_add_double(out, v);
}

static void add_schedule(const struct schedule *s, struct strbuf *out)
{
    strbuf_adds(out, ",\"schedule\":{");
    if (s->kind == SCHEDULE_CONSTANT)
        strbuf_adds(out, "\"constant\":true");
    if (s->kind == SCHEDULE_COSINE)
        strbuf_adds(out, "\"cosine\":true");
    if (s->kind == SCHEDULE_STEP)
        strbuf_addf(out, "\"step\":%u", s->step);
    if (s->kind == SCHEDULE_MULTISTEP) {
        strbuf_adds(out, "\"milestones\":[");
        for (uint32_t i = 0; i < s->n_milestones; i++)
            strbuf_addf(out, "%s%u", i ? "," : "", s->milestones[i]);
        strbuf_addc(out, ']');
    }
    add_real(out, "gamma", s->gamma);
    strbuf_addf(out, ",\"warmup\":%u}", s->warmup);
}

void recipe_text(const struct recipe *r, struct strbuf *out)
{
    strbuf_addf(out, "{\"epochs\":%u,\"batch\":%u,\"optimizer\":\"%s\"", r->epochs, r->batch,
                optim_names[r->optim.kind]);
    add_real(out, "momentum", r->optim.momentum);
    add_real(out, "weight_decay", r->optim.weight_decay);
    add_real(out, "beta1", r->optim.beta1);
    add_real(out, "beta2", r->optim.beta2);
    add_real(out, "eps", r->optim.eps);
    add_real(out, "lr", r->lr);
    add_schedule(&r->schedule, out);
    strbuf_addf(out, ",\"shuffle\":%s,\"augment\":\"%s\"", r->shuffle ? "true" : "false",
                r->augment ? "crop-flip" : "none");
    add_real(out, "clip_norm", r->clip_norm);
    /* What is off is not said: identities of before stay. */
    if (r->spectral.method != CLIP_OFF) {
        strbuf_adds(out, ",\"spectral_clip\":");
        clip_text(&r->spectral, out);
    }
    if (r->lotos.on) {
        strbuf_adds(out, ",\"lotos\":");
        lotos_text(&r->lotos, out);
    }
    strbuf_addc(out, '}');
}

int recipe_from_text(const char *text, struct recipe *ret, struct error *err)
{
    struct yaml_node *node;
    struct recipe r;
    recipe_defaults(&r);
    TRY(yaml_parse("recipe", text, strlen(text), &node, err));
    int rc = recipe_parse(node, &r, err);
    yaml_free(node);
    if (rc == 0)
        *ret = r;
    return rc;
}
