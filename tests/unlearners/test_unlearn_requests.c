/* Deletions one after another: each request starts from the model that the last one left. */
#include "unlearn_bench.h"

enum { N_REQUESTS = 3 };

static struct bench bench;
static struct split split[N_REQUESTS];

/* Request r forgets rows 20 r .. 20 r + 19 of the training set and keeps what no request took. */
static void make_split(uint32_t r, struct split *s)
{
    *s = bench.split;
    s->role = malloc(s->n);
    s->forget = calloc(20, sizeof(uint32_t));
    s->retain = calloc(160, sizeof(uint32_t));
    assert_true(s->role && s->forget && s->retain);
    s->n_forget = s->n_retain = 0;
    memcpy(s->role, bench.split.role, s->n);
    for (uint32_t i = 0; i < 160; i++) {
        bool forget = i / 20 == r;
        s->role[i] = forget ? ROW_FORGET : ROW_RETAIN;
        if (forget)
            s->forget[s->n_forget++] = i;
        else if (i >= 20 * r)
            s->retain[s->n_retain++] = i;
    }
}

static int set_up(void **state)
{
    struct error err = ERROR_INIT;
    if (bench_init(&bench, 1, &err) < 0)
        return -1;
    for (uint32_t r = 0; r < N_REQUESTS; r++)
        make_split(r, &split[r]);
    return 0;
}

static int tear_down(void **state)
{
    for (uint32_t r = 0; r < N_REQUESTS; r++) {
        free(split[r].role);
        free(split[r].forget);
        free(split[r].retain);
    }
    bench_release(&bench);
    return 0;
}

struct kept {
    struct model *after[N_REQUESTS];
};

static int keep(void *arg, uint32_t request, const struct model *m, struct error *err)
{
    struct kept *k = arg;
    return model_clone(m, &k->after[request], err);
}

static int find_attack(void *arg, const char *id, struct plugin_file **ret, struct error *err)
{
    struct bench other = *(struct bench *)arg;
    bench_open(&other, id);
    *ret = other.h.file;
    return 0;
}

static void serve(const char *id, const char *changes, struct adversarial *declared,
                  struct kept *ret, struct unlearn_result *result)
{
    struct error err = ERROR_INIT;
    struct unlearn_request request[N_REQUESTS];
    struct unlearn_hook hook = {keep, ret};
    struct model *m = NULL;
    for (uint32_t r = 0; r < N_REQUESTS; r++)
        request[r] =
            (struct unlearn_request){&split[r], declared ? &declared[r] : NULL, declared ? 1 : 0};
    bench_open(&bench, id);
    json_t *params = bench_params(&bench.h, changes);
    assert_non_null(params);
    bench.h.params = params;
    assert_ok(model_clone(bench.original, &m, &err), err);
    assert_ok(hosting_unlearn_requests(&bench.h, bench.original, m, request, N_REQUESTS, result,
                                       &hook, &err),
              err);
    assert_true(same_model(m, ret->after[N_REQUESTS - 1]));
    model_free(m);
    json_decref(params);
    bench.h.params = NULL;
}

static void drop(struct kept *k)
{
    for (int r = 0; r < N_REQUESTS; r++)
        model_free(k->after[r]);
}

/* Request 0 alone gives what the first of three gives; request 1 from there, what the second
 * gives. */
static void test_like_single_requests(void **state)
{
    static const char *const ids[] = {"finetune", "random-labels", "salun", "scrub",
                                      "neggrad-plus"};
    for (int i = 0; i < 5; i++) {
        const char *changes = "{\"epochs\":2,\"batch\":32}";
        struct kept k;
        struct unlearn_result r[N_REQUESTS];
        const struct split *saved = bench.h.split;
        struct model *original = bench.original;
        serve(ids[i], changes, NULL, &k, r);
        for (int q = 0; q < 2; q++) {
            bench.h.split = &split[q];
            bench.original = q == 0 ? original : k.after[0];
            struct answer a = bench_unlearn(&bench, ids[i], changes, NULL);
            assert_true(same_model(a.m, k.after[q]));
            assert_memory_equal(&a.r.meters, &r[q].meters, sizeof(a.r.meters));
            model_free(a.m);
        }
        bench.original = original;
        bench.h.split = saved;
        drop(&k);
    }
}

/* What was forgotten is not read again. */
static void test_every_method(void **state)
{
    static const char *const ids[] = {
        "gradient-ascent", "boundary-shrink", "boundary-expand", "l1-sparse", "ssd",  "bad-teacher",
        "amnesiac",        "influence",       "sfr-on",          "cf-k",      "eu-k", "retrain"};
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        struct kept k;
        struct unlearn_result r[N_REQUESTS];
        serve(ids[i], strcmp(ids[i], "sfr-on") == 0 ? "{\"epochs\":1}" : "{}", NULL, &k, r);
        for (int q = 0; q < N_REQUESTS; q++)
            assert_true(r[q].meters.forward > 0);
        assert_int_equal(r[2].meters.read_retain % (160 - 60) == 0 ||
                             strcmp(ids[i], "bad-teacher") == 0 || strcmp(ids[i], "influence") == 0,
                         1);
        drop(&k);
    }
}

/* Adversarial sets on the current model or on the original: different, and paid for differently. */
static void test_amun(void **state)
{
    struct adversarial sets[N_REQUESTS];
    struct kept fresh, stale;
    struct unlearn_result rf[N_REQUESTS], rs[N_REQUESTS];
    for (int r = 0; r < N_REQUESTS; r++)
        sets[r] = bench_attack(&bench, &split[r], bench.original);
    bench.h.find_attack = find_attack;
    bench.h.find_arg = &bench;
    serve("amun", "{\"epochs\":2,\"batch\":32,\"attack_steps\":10}", sets, &fresh, rf);
    serve("amun", "{\"epochs\":2,\"batch\":32,\"attack_steps\":10,\"attack_model\":\"original\"}",
          sets, &stale, rs);
    bench.h.find_attack = NULL;
    assert_true(same_model(fresh.after[0], stale.after[0]));
    assert_false(same_model(fresh.after[1], stale.after[1]));
    assert_int_equal(rf[0].meters.attack_forward, sets[0].cost.attack_forward);
    assert_int_equal(rs[1].meters.attack_forward, sets[1].cost.attack_forward);
    assert_true(rf[1].meters.attack_forward != rs[1].meters.attack_forward);
    /* The second request's sets are made on the model that the first one left. */
    struct adversarial current = bench_attack(&bench, &split[1], fresh.after[0]);
    assert_int_equal(rf[1].meters.attack_forward, current.cost.attack_forward);
    adversarial_release(&current);
    for (int r = 0; r < N_REQUESTS; r++)
        adversarial_release(&sets[r]);
    drop(&fresh);
    drop(&stale);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_like_single_requests),
                                       cmocka_unit_test(test_every_method),
                                       cmocka_unit_test(test_amun)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
