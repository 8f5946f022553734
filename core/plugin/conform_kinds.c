/* Tests of what the answers of each kind mean. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "conform_tests.h"
#include "host_internal.h"

/* Opens and runs the usual case: 0, 1 when it does not work. */
static int usual(struct conform *t, struct conform_usual *u, struct conform_answer *a,
                 struct error *err)
{
    TRY(conform_usual_open(t, u, err));
    int rc = conform_usual_call(t, u, a, err);
    if (rc != 0)
        conform_usual_close(u);
    return rc;
}

int conform_test_dispose(struct conform *t, struct error *err)
{
    const lethe_unlearner *u = t->plugin->iface;
    const lethe_membership_attack *m = t->plugin->iface;
    void (*dispose)(lethe_ctx *, void *) =
        t->plugin->kind == LETHE_KIND_UNLEARNER ? u->dispose : m->dispose;
    struct hosting h = {.file = t->file, .plugin_id = t->id, .seed = t->seed};
    struct host host = {.h = &h, .plugin = t->plugin, .id = t->id};
    struct host_ctx *c = NULL;
    if (!dispose)
        return conform_say(t, CONFORM_SKIP, "it has no dispose");
    TRY(conform_doing(t, err, "dispose(ctx, NULL)"));
    int rc = host_call_begin(&host, &c, err);
    if (rc == 0) {
        dispose(&c->head, NULL);
        rc = host_call_end(c, LETHE_OK, err);
    }
    host_release(&host);
    return rc;
}

/* ---- unlearners ---- */

int conform_test_effect(struct conform *t, struct error *err)
{
    struct conform_usual u;
    struct conform_answer a;
    int rc = usual(t, &u, &a, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    const struct model *original = u.world.original.model;
    if (memcmp(original->param, a.model->param, original->n_param * sizeof(float)) == 0)
        conform_say(t, CONFORM_WARN, "the model it gives is the model it got, bit by bit");
    conform_answer_release(&a);
    conform_usual_close(&u);
    return 0;
}

/* ---- example attacks ---- */

/* found says: another class than the sample's (untargeted), or the target. */
static void check_found(struct conform *t, const struct world *b, const struct conform_answer *a,
                        const int32_t *target)
{
    uint32_t lies = 0, missed = 0, first = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        bool reached = target ? a->set.label[i] == target[i] : a->set.label[i] != b->labels[i];
        if (lies == 0 && a->set.found[i] && !reached)
            first = i;
        lies += a->set.found[i] && !reached;
        missed += !a->set.found[i] && reached;
    }
    if (lies > 0)
        conform_say(t, CONFORM_FAIL,
                    "%u of %u samples are said to be found, but the model does not say so: sample "
                    "%u, of class %d, is predicted as %d",
                    lies, a->n, first, (int)b->labels[first], (int)a->set.label[first]);
    else if (missed > 0)
        conform_say(t, CONFORM_WARN, "%u of %u samples reach the goal and are not said to be found",
                    missed, a->n);
}

int conform_test_found(struct conform *t, struct error *err)
{
    struct conform_usual u;
    struct conform_answer a;
    int rc = usual(t, &u, &a, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    check_found(t, &u.world, &a, NULL);
    conform_answer_release(&a);
    conform_usual_close(&u);
    return 0;
}

int conform_test_targeted(struct conform *t, struct error *err)
{
    struct conform_usual u;
    struct conform_answer a;
    TRY(conform_usual_open(t, &u, err));
    uint32_t n = u.world.spec.n_train + u.world.spec.n_test;
    int32_t *target = malloc(n * sizeof(*target));
    int rc = target ? conform_doing(t, err, "a class to reach for each sample") : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        target[i] = (u.world.labels[i] + 1) % (int32_t)u.world.spec.classes;
    u.c.target = target;
    if (rc == 0)
        rc = conform_call(t, &u.c, &a, err);
    if (rc == 0) {
        if (a.rc == 0)
            check_found(t, &u.world, &a, target);
        else if (conform_clean(t, &a, "a class to reach"))
            conform_say(t, CONFORM_SKIP, "it refuses targets: %s", a.why.text);
        conform_answer_release(&a);
    }
    free(target);
    conform_usual_close(&u);
    return rc;
}

/* Rounding differs from batch size to batch size; what follows from it may not be much. */
static bool alike(const struct conform_answer *whole, uint32_t row,
                  const struct conform_answer *one, size_t pixels)
{
    double most = 0;
    for (size_t k = 0; k < pixels; k++)
        most = fmax(most, fabs((double)whole->set.x[row * pixels + k] - (double)one->set.x[k]));
    return whole->set.found[row] == one->set.found[0] && most < 1e-3;
}

int conform_test_alone(struct conform *t, struct error *err)
{
    enum { ROWS = 12 };
    struct conform_usual u;
    struct conform_answer whole, one;
    uint32_t row = 0, differ = 0;
    int rc = usual(t, &u, &whole, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    size_t pixels = (size_t)u.world.ds.channels * u.world.ds.height * u.world.ds.width;
    u.c.row = &row;
    u.c.n_rows = 1;
    for (; rc == 0 && row < ROWS; row++) {
        rc = conform_call(t, &u.c, &one, err);
        if (rc == 0) {
            differ += one.rc < 0 || !alike(&whole, row, &one, pixels);
            conform_answer_release(&one);
        }
    }
    if (differ > ROWS / 3)
        conform_say(t, CONFORM_WARN,
                    "%u of %d samples have another result when they are alone in their batch; name "
                    "random streams by clean->id, and sum nothing over the batch",
                    differ, ROWS);
    conform_answer_release(&whole);
    conform_usual_close(&u);
    return rc;
}

/* ---- membership attacks ---- */

static const char *score_name(const struct conform *t, uint32_t i)
{
    const lethe_membership_attack *m = t->plugin->iface;
    const lethe_score *s = plugin_item(m->scores, m->score_stride, i);
    return *s->name ? s->name : "score";
}

static void check_order(struct conform *t, const struct conform_answer *a,
                        const struct conform_answer *b, const uint32_t *order)
{
    for (uint32_t i = 0; i < a->n_scores; i++)
        for (uint32_t k = 0; k < a->n; k++) {
            double x = a->score[i * a->n + order[k]], y = b->score[i * a->n + k];
            if (x == y || fabs(x - y) <= 1e-9 * fmax(1, fabs(x)))
                continue;
            conform_say(t, CONFORM_FAIL,
                        "%s: expected the same score for a candidate in another place, found %.9g "
                        "and %.9g",
                        score_name(t, i), x, y);
            return;
        }
}

int conform_test_permutation(struct conform *t, struct error *err)
{
    struct conform_usual u;
    struct conform_answer a, b;
    struct rng rng;
    int rc = usual(t, &u, &a, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    uint32_t *order = malloc((a.n + 1) * sizeof(*order));
    if (order) {
        rng_stream(&rng, t->seed, "conform/order", 0);
        rng_permute(&rng, order, a.n);
        u.c.order = order;
        rc = conform_call(t, &u.c, &b, err);
    } else {
        rc = error_nomem(err);
    }
    if (rc == 0) {
        if (b.rc < 0)
            conform_say(t, CONFORM_FAIL, "candidates in another order: %s", b.why.text);
        else
            check_order(t, &a, &b, order);
        conform_answer_release(&b);
    }
    free(order);
    conform_answer_release(&a);
    conform_usual_close(&u);
    return rc;
}

/* Share of pairs (member, non-member) in which the member scores higher; ties count half. */
static double auc_of(const double *score, const uint32_t *id, uint32_t n, uint32_t n_train)
{
    double wins = 0, pairs = 0;
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t k = 0; k < n; k++)
            if (id[i] < n_train && id[k] >= n_train) {
                wins += score[i] > score[k] ? 1 : score[i] == score[k] ? 0.5 : 0;
                pairs++;
            }
    return wins / pairs;
}

int conform_test_direction(struct conform *t, struct error *err)
{
    struct conform_usual u;
    struct conform_answer a;
    int rc = usual(t, &u, &a, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    const struct world_spec *s = &u.world.spec;
    uint32_t *ids = malloc((s->n_train + s->n_test) * sizeof(*ids));
    rc = ids ? 0 : error_nomem(err);
    for (uint32_t i = 0; rc == 0 && i < a.n_scores; i++) {
        uint32_t n = conform_candidates(&u.world, ids);
        double auc = auc_of(a.score + i * a.n, ids, n, s->n_train);
        if (auc < 0.5)
            conform_say(t, CONFORM_WARN,
                        "%s: on an overfitted model members should score higher; the AUC is %.3f",
                        score_name(t, i), auc);
    }
    free(ids);
    conform_answer_release(&a);
    conform_usual_close(&u);
    return rc;
}

/* ---- metrics ---- */

enum way { ALL_ZERO, ALL_RIGHT, ALL_WRONG, WILD, N_WAYS };

static void rewrite(const struct world *b, struct world_member *m, enum way way, struct rng *rng)
{
    uint32_t n = b->spec.n_train + b->spec.n_test, c = b->spec.classes;
    for (uint32_t i = 0; m->logits && i < n; i++)
        for (uint32_t k = 0; k < c; k++) {
            bool right = (int32_t)k == b->labels[i];
            float v = way == ALL_ZERO    ? 0
                      : way == ALL_RIGHT ? (right ? 200.0f : -200.0f)
                      : way == ALL_WRONG ? (right ? -200.0f : 200.0f)
                                         : 40 * rng_uniform(rng) - 20;
            m->logits[i * c + k] = m->shifted[i * c + k] = v;
        }
}

int conform_test_ranges(struct conform *t, struct error *err)
{
    static const char *const words[N_WAYS] = {"all logits are 0",
                                              "every prediction is surely right",
                                              "every prediction is surely wrong", "random logits"};
    struct rng rng;
    rng_stream(&rng, t->seed, "conform/logits", 0);
    for (int way = 0; way < N_WAYS; way++) {
        struct conform_usual u;
        struct conform_answer a;
        TRY(conform_doing(t, err, "%s", words[way]));
        TRY(conform_usual_open(t, &u, err));
        rewrite(&u.world, &u.world.original, (enum way)way, &rng);
        for (uint32_t k = 0; k < u.world.n_targets; k++)
            rewrite(&u.world, &u.world.target[k], (enum way)way, &rng);
        for (uint32_t k = 0; k < u.world.n_oracles; k++)
            rewrite(&u.world, &u.world.oracle[k], (enum way)way, &rng);
        int rc = conform_call(t, &u.c, &a, err);
        if (rc == 0) {
            if (conform_clean(t, &a, words[way]) && a.rc < 0)
                conform_say(t, CONFORM_WARN, "%s: it refuses with %s: %s", words[way],
                            error_name(a.rc), a.why.text);
            conform_answer_release(&a);
        }
        conform_usual_close(&u);
        TRY(rc);
    }
    return 0;
}
