/* Membership attacks: candidates in an order that says nothing, scores put back into place. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "host_internal.h"

/* lethe_membership_attack.wants_fit; 2 takes what there is */
enum { FIT_NONE = 0, FIT_REQUIRED = 1 };

/* Everything about the candidates in shuffled order: position k shows candidate order[k]. */
struct shuffled {
    uint32_t n, n_models;
    uint32_t *order;     /* (n) */
    float *logits;       /* (n, n_views, n_classes) */
    int32_t *y;          /* (n) */
    float **reference;   /* n_models of (n, n_views, n_classes) */
    uint8_t **inclusion; /* n_models of (n) */
};

static void shuffled_release(struct shuffled *s)
{
    for (uint32_t k = 0; k < s->n_models; k++) {
        if (s->reference)
            free(s->reference[k]);
        if (s->inclusion)
            free(s->inclusion[k]);
    }
    free(s->reference);
    free(s->inclusion);
    free(s->order);
    free(s->logits);
    free(s->y);
}

/* size bytes an item; NULL when out of memory. */
static void *permuted(const struct shuffled *s, const void *from, size_t size)
{
    char *to = malloc(s->n * size + 1);
    for (uint32_t k = 0; to && k < s->n; k++)
        memcpy(to + k * size, (const char *)from + s->order[k] * size, size);
    return to;
}

static int shuffle_references(struct shuffled *s, const struct member_input *in, size_t row,
                              struct error *err)
{
    s->reference = calloc(in->n_models + 1u, sizeof(*s->reference));
    s->inclusion = calloc(in->n_models + 1u, sizeof(*s->inclusion));
    if (!s->reference || !s->inclusion)
        return error_nomem(err);
    s->n_models = in->n_models;
    for (uint32_t k = 0; k < in->n_models; k++) {
        s->reference[k] = permuted(s, in->reference_logits[k], row);
        s->inclusion[k] = permuted(s, in->inclusion[k], 1);
        if (!s->reference[k] || !s->inclusion[k])
            return error_nomem(err);
    }
    return 0;
}

static int shuffle(struct shuffled *s, const struct host *host, const struct member_input *in,
                   struct error *err)
{
    const struct outputs *o = &in->candidates;
    size_t row = (size_t)o->n_views * o->n_classes * sizeof(float);
    struct rng rng;
    s->n = o->n;
    s->order = malloc((o->n + 1u) * sizeof(*s->order));
    if (!s->order)
        return error_nomem(err);
    TRY(host_stream(host, "candidates", 0, &rng));
    rng_permute(&rng, s->order, o->n);
    s->logits = permuted(s, o->logits, row);
    s->y = permuted(s, o->y, sizeof(*s->y));
    if (!s->logits || !s->y)
        return error_nomem(err);
    return host_granted(host, LETHE_CAP_SHADOWS) ? shuffle_references(s, in, row, err) : 0;
}

static lethe_outputs outputs_of(const struct outputs *o, const float *logits, const int32_t *y)
{
    return (lethe_outputs){.struct_size = sizeof(lethe_outputs),
                           .n_classes = o->n_classes,
                           .n_views = o->n_views,
                           .n = o->n,
                           .logits = logits,
                           .y = y};
}

/* ---- the job: one for fit and score ---- */

struct member_job {
    lethe_outputs candidates, members, nonmembers;
    lethe_references references, known[2]; /* known: of members, of non-members */
    lethe_member_job job;
};

/* Shadow models on the samples of known membership; NULL where the task has none. */
static const lethe_references *known_references(struct member_job *j, const struct member_input *in,
                                                int side)
{
    if (j->references.n_models == 0 || !in->known_reference_logits[side])
        return NULL;
    j->known[side] = (lethe_references){.struct_size = sizeof(lethe_references),
                                        .n_models = in->n_models,
                                        .logits = in->known_reference_logits[side],
                                        .inclusion = in->known_inclusion[side]};
    return &j->known[side];
}

static void make_job(struct member_job *j, const struct host *host, const struct member_input *in,
                     const struct shuffled *s)
{
    const lethe_membership_attack *a = host->plugin->iface;
    bool logits = host_granted(host, LETHE_CAP_LOGITS);
    bool fit = a->wants_fit != FIT_NONE && in->known_members && in->known_nonmembers;
    j->candidates = outputs_of(&in->candidates, logits ? s->logits : NULL, s->y);
    j->references = (lethe_references){.struct_size = sizeof(lethe_references),
                                       .n_models = s->n_models,
                                       .logits = (const float *const *)s->reference,
                                       .inclusion = (const uint8_t *const *)s->inclusion};
    if (fit) {
        j->members = outputs_of(in->known_members, logits ? in->known_members->logits : NULL,
                                in->known_members->y);
        j->nonmembers =
            outputs_of(in->known_nonmembers, logits ? in->known_nonmembers->logits : NULL,
                       in->known_nonmembers->y);
    }
    j->job =
        (lethe_member_job){.struct_size = sizeof(lethe_member_job),
                           .n_classes = in->candidates.n_classes,
                           .candidates = &j->candidates,
                           .references = s->n_models ? &j->references : NULL,
                           .known_members = fit ? &j->members : NULL,
                           .known_nonmembers = fit ? &j->nonmembers : NULL,
                           .known_member_references = fit ? known_references(j, in, 0) : NULL,
                           .known_nonmember_references = fit ? known_references(j, in, 1) : NULL};
}

static int call_fit(struct host *host, const lethe_membership_attack *a,
                    const lethe_member_job *job, void **state, struct error *err)
{
    struct host_ctx *c = NULL;
    if (!a->fit)
        return 0;
    TRY(host_call_begin(host, &c, err));
    return host_call_end(c, a->fit(&c->head, job, state), err);
}

static int call_score(struct host *host, const lethe_membership_attack *a,
                      const lethe_member_job *job, void *state, double *scores, struct error *err)
{
    struct host_ctx *c = NULL;
    TRY(host_call_begin(host, &c, err));
    return host_call_end(c, a->score(&c->head, state, job, scores), err);
}

static void dispose(struct host *host, const lethe_membership_attack *a, void *state)
{
    struct host_ctx *c = NULL;
    if (!a->dispose || host_call_begin(host, &c, NULL) < 0)
        return;
    a->dispose(&c->head, state);
    host_call_end(c, LETHE_OK, NULL);
}

static const char *score_name(const lethe_membership_attack *a, uint32_t i)
{
    const lethe_score *s = plugin_item(a->scores, a->score_stride, i);
    return s->name;
}

static int check_scores(const struct host *host, const double *scores, uint32_t n,
                        struct error *err)
{
    const lethe_membership_attack *a = host->plugin->iface;
    for (uint32_t i = 0; i < a->n_scores; i++) {
        const char *name = score_name(a, i);
        uint32_t n_nan = 0;
        for (uint32_t k = 0; k < n; k++)
            n_nan += isnan(scores[(size_t)i * n + k]) != 0;
        if (n_nan > 0)
            return error_set(err, ERR_OUTPUT, "%u of %u scores%s%s are NaN", n_nan, n,
                             *name ? " " : "", name);
    }
    return 0;
}

/* scores (n_scores, n) in shuffled order; ret the same in the caller's. */
static void put_back(const struct shuffled *s, const double *scores, uint32_t n_scores, double *ret)
{
    for (uint32_t i = 0; i < n_scores; i++)
        for (uint32_t k = 0; k < s->n; k++)
            ret[(size_t)i * s->n + s->order[k]] = scores[(size_t)i * s->n + k];
}

static int run(struct host *host, const struct member_input *in, const struct shuffled *s,
               double *ret, struct error *err)
{
    const lethe_membership_attack *a = host->plugin->iface;
    struct member_job j = {0};
    void *state = NULL;
    double *scores = malloc(((size_t)a->n_scores * s->n + 1) * sizeof(*scores));
    if (!scores)
        return error_nomem(err);
    for (size_t i = 0; i < (size_t)a->n_scores * s->n; i++)
        scores[i] = NAN; /* what is not filled in is found out */
    make_job(&j, host, in, s);
    int rc = call_fit(host, a, &j.job, &state, err);
    if (rc == 0)
        rc = call_score(host, a, &j.job, state, scores, err);
    dispose(host, a, state);
    if (rc == 0)
        rc = check_scores(host, scores, s->n, err);
    if (rc == 0)
        put_back(s, scores, a->n_scores, ret);
    free(scores);
    return rc;
}

static int check_input(const struct host *host, const struct member_input *in, struct error *err)
{
    const lethe_membership_attack *a = host->plugin->iface;
    const struct outputs *o = &in->candidates;
    if (o->n == 0 || o->n_views == 0 || o->n_classes == 0)
        return error_set(err, ERR_INVALID, "a membership attack needs candidates, there are none");
    if (a->wants_fit == FIT_REQUIRED && (!in->known_members || !in->known_nonmembers))
        return error_set(err, ERR_DENIED,
                         "%s needs samples of known membership, which this task does not grant",
                         host->id);
    return 0;
}

int hosting_member(const struct hosting *h, const struct member_input *in, uint32_t *ret_n_scores,
                   const char ***ret_names, double **ret_scores, struct error *err)
{
    uint64_t caps =
        LETHE_CAP_LOGITS | (in->n_models > 0 ? LETHE_CAP_SHADOWS | LETHE_CAP_UNLEARNED_SHADOWS : 0);
    struct host host;
    struct shuffled s = {0};
    const char **names = NULL;
    double *scores = NULL;
    uint32_t n_scores = 0;
    int rc = host_init(&host, h, LETHE_KIND_MEMBERSHIP_ATTACK, caps, NULL, err);
    if (rc == 0)
        rc = check_input(&host, in, err);
    if (rc == 0) {
        n_scores = ((const lethe_membership_attack *)host.plugin->iface)->n_scores;
        names = calloc(n_scores, sizeof(*names));
        scores = malloc(((size_t)n_scores * in->candidates.n + 1) * sizeof(*scores));
        rc = names && scores ? shuffle(&s, &host, in, err) : error_nomem(err);
    }
    for (uint32_t i = 0; rc == 0 && i < n_scores; i++)
        names[i] = score_name(host.plugin->iface, i);
    if (rc == 0)
        rc = run(&host, in, &s, scores, err);
    shuffled_release(&s);
    host_release(&host);
    if (rc < 0) {
        free(names);
        free(scores);
        return rc;
    }
    *ret_n_scores = n_scores;
    *ret_names = names;
    *ret_scores = scores;
    return 0;
}
