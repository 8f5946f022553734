/* Tests of parameters: defaults, bounds, refusals, and random ones on random worlds. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conform_tests.h"
#include "fs.h"

/* Runs on extreme values may be endless; they only have to end when they are told to. */
enum { MAX_CALLS = 3000 };
#define MAX_NS 300000000ull

static struct trial limited(void)
{
    return (struct trial){.max_calls = MAX_CALLS, .deadline_ns = fs_now_ns() + MAX_NS};
}

int conform_test_defaults(struct conform *t, struct error *err)
{
    struct conform_usual u;
    struct conform_answer a;
    json_t *params = NULL;
    TRY(conform_doing(t, err, "a run with the default parameters"));
    TRY(conform_usual_open(t, &u, err));
    int rc = conform_defaults(t, false, &params, err);
    u.c.params = params;
    if (rc == 0)
        rc = conform_call(t, &u.c, &a, err);
    if (rc == 0) {
        if (a.rc < 0)
            conform_say(t, CONFORM_FAIL, "expected success, it answered %s: %s", error_name(a.rc),
                        a.why.text);
        conform_answer_release(&a);
    }
    json_decref(params);
    conform_usual_close(&u);
    return rc;
}

/* An unlearner may give weights that the host refuses where a parameter is extreme: its row says
 * so. Other kinds answer what they promised, or refuse. */
static void judge(struct conform *t, const struct conform_answer *a, const char *what)
{
    if (a->rc == ERR_OUTPUT && t->plugin->kind == LETHE_KIND_UNLEARNER)
        conform_say(t, CONFORM_WARN,
                    "%s: the host had to refuse the model (%s); answer "
                    "LETHE_E_NUMERIC, as lethe_check_weights does",
                    what, a->why.text);
    else
        conform_clean(t, a, what);
}

/* ---- bounds ---- */

static int try_value(struct conform *t, struct conform_usual *u, uint32_t i, json_t *value,
                     struct error *err)
{
    struct trial limit = limited();
    struct conform_answer a;
    char setting[96];
    conform_setting(t, i, value, setting);
    json_t *params = json_deep_copy(u->params);
    if (!params || json_object_set(params, conform_param(t, i)->name, value) != 0) {
        json_decref(params);
        return error_nomem(err);
    }
    u->c.params = params;
    u->c.trial = &limit;
    int rc = conform_doing(t, err, "%s", setting);
    if (rc == 0)
        rc = conform_call(t, &u->c, &a, err);
    if (rc == 0) {
        if (t->attack_refused)
            conform_say(t, CONFORM_FAIL,
                        "%s is within its bounds, but the attack that gets it refuses it (%s); "
                        "narrow the bounds",
                        setting, a.why.text);
        judge(t, &a, setting);
        conform_answer_release(&a);
    }
    json_decref(params);
    return rc;
}

int conform_test_bounds(struct conform *t, struct error *err)
{
    struct conform_usual u;
    if (t->plugin->n_params == 0)
        return conform_say(t, CONFORM_SKIP, "it has no parameters");
    TRY(conform_usual_open(t, &u, err));
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < t->plugin->n_params; i++) {
        json_t *corners = conform_corners(t, i), *value;
        size_t k;
        json_array_foreach(corners, k, value)
        {
            if (rc == 0)
                rc = try_value(t, &u, i, value, err);
        }
        json_decref(corners);
    }
    conform_usual_close(&u);
    return rc;
}

/* ---- refusals ---- */

/* Values that parameter i must not take. New reference to an array. */
static json_t *beyond(const struct conform *t, uint32_t i)
{
    const lethe_param *p = conform_param(t, i);
    json_t *out = json_array();
    if (p->type == LETHE_PARAM_INT) {
        if (p->min.i > INT64_MIN)
            json_array_append_new(out, json_integer((json_int_t)(p->min.i - 1)));
        if (p->max.i < INT64_MAX)
            json_array_append_new(out, json_integer((json_int_t)(p->max.i + 1)));
        json_array_append_new(out, json_string("many"));
    } else if (p->type == LETHE_PARAM_REAL) {
        json_array_append_new(out, json_real(nextafter(p->min.r, -HUGE_VAL)));
        json_array_append_new(out, json_real(nextafter(p->max.r, HUGE_VAL)));
        json_array_append_new(out, json_null()); /* how NaN comes in JSON */
    } else if (p->type == LETHE_PARAM_CHOICE) {
        json_array_append_new(out, json_string("no such choice"));
    } else if (p->type == LETHE_PARAM_BOOL) {
        json_array_append_new(out, json_string("perhaps"));
    }
    return out;
}

int conform_test_refusals(struct conform *t, struct error *err)
{
    if (t->plugin->n_params == 0)
        return conform_say(t, CONFORM_SKIP, "it has no parameters");
    for (uint32_t i = 0; i < t->plugin->n_params; i++) {
        json_t *values = beyond(t, i), *value;
        size_t k;
        char setting[96];
        json_array_foreach(values, k, value)
        {
            conform_setting(t, i, value, setting);
            if (conform_accepts(t, i, value))
                conform_say(t, CONFORM_FAIL, "%s lies outside the bounds and is accepted", setting);
        }
        json_decref(values);
    }
    return 0;
}

/* ---- fuzz ---- */

static struct world_spec random_spec(struct rng *rng, uint64_t seed)
{
    struct world_spec s = {.seed = seed};
    s.shape[0] = rng_below(rng, 2) ? 1 : 3;
    s.shape[1] = 2 + rng_below(rng, 8);
    s.shape[2] = 2 + rng_below(rng, 8);
    s.classes = 2 + rng_below(rng, 5);
    s.n_train = 8 + rng_below(rng, 40);
    s.n_test = 4 + rng_below(rng, 16);
    s.forget = (enum world_forget)rng_below(rng, 4);
    s.one_class = s.forget != WORLD_CLASS && rng_below(rng, 8) == 0;
    return s;
}

static int random_params(struct conform *t, struct rng *rng, json_t **ret, struct error *err)
{
    TRY(conform_defaults(t, true, ret, err));
    for (uint32_t i = 0; i < t->plugin->n_params; i++) {
        if (rng_below(rng, 3) != 0)
            continue;
        json_t *v = conform_random_value(t, i, rng);
        if (!v || json_object_set_new(*ret, conform_param(t, i)->name, v) != 0) {
            json_decref(*ret);
            return error_nomem(err);
        }
    }
    return 0;
}

/* A quarter of the cases are told no somewhere. */
static struct trial random_trial(struct rng *rng)
{
    struct trial limit = limited();
    if (rng_below(rng, 4) == 0) {
        limit.kind = (enum trial_kind)(TRIAL_CANCEL + rng_below(rng, 5));
        limit.at = 1 + rng_below(rng, 60);
    }
    return limit;
}

/* Writes down what is tried and how to try it again. */
static int announce(struct conform *t, uint64_t seed, const struct world_spec *spec,
                    const json_t *params, char what[200], struct error *err)
{
    char *text = json_canonical(params);
    snprintf(what, 200, "%.150s on %ux%ux%u", text ? text : "?", spec->shape[0], spec->shape[1],
             spec->shape[2]);
    free(text);
    snprintf(t->repeat, sizeof(t->repeat), "--only fuzz --fuzz 1 --seed %" PRIu64, seed);
    return conform_doing(t, err, "%s", what);
}

static int try_case(struct conform *t, uint64_t seed, struct error *err)
{
    struct conform_case c = {.seed = seed};
    struct conform_answer a;
    struct world world;
    struct rng rng;
    json_t *params = NULL;
    char what[200];
    rng_stream(&rng, seed, "fuzz", 0);
    struct world_spec spec = random_spec(&rng, seed);
    TRY(random_params(t, &rng, &params, err));
    struct trial limit = random_trial(&rng);
    int rc = announce(t, seed, &spec, params, what, err);
    if (rc == 0)
        rc = conform_world(t, &spec, &world, err);
    if (rc == 0) {
        c.world = &world;
        c.params = params;
        c.trial = &limit;
        rc = conform_call(t, &c, &a, err);
        if (rc == 0) {
            judge(t, &a, what);
            conform_answer_release(&a);
        }
        world_release(&world);
    }
    json_decref(params);
    return rc;
}

int conform_test_fuzz(struct conform *t, struct error *err)
{
    for (uint32_t i = 0; i < t->n_fuzz && t->outcome < CONFORM_FAIL; i++)
        TRY(try_case(t, t->seed + i, err));
    if (t->outcome == CONFORM_PASS)
        *t->repeat = 0;
    return 0;
}
