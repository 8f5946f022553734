/* The host as a plugin sees it: the probe looks, this file compares what it left. */
#include "plugin_test.h"

#include <math.h>

#include "bench_model.h"
#include "plugin_file.h"
#include "probe_trace.h"
#include "rng.h"

struct run {
    struct bench bench;
    struct model *answer;
    struct unlearn_result result;
    struct error err;
    const struct probe_trace *trace;
};

static int find_attack(void *arg, const char *id, struct plugin_file **ret, struct error *err)
{
    if (strcmp(id, "pgd-l2-nearest") != 0)
        return error_set(err, ERR_DENIED, "only what is declared");
    return plugin_open(PLUGIN_DIR "/pgd_l2_nearest.so", ret, err);
}

static struct probe_trace *trace_of(struct plugin_file *file)
{
    const lethe_plugin *p = plugin_pick(file, LETHE_KIND_UNLEARNER, "test.probe");
    return (struct probe_trace *)p->extension("test.trace");
}

static int setup(void **state)
{
    struct run *r = calloc(1, sizeof(*r));
    assert_ok(bench_init(&r->bench, 2, &r->err), r->err);
    assert_ok(model_clone(r->bench.original, &r->answer, &r->err), r->err);
    assert_ok(plugin_open(PROBE, &r->bench.h.file, &r->err), r->err);
    r->bench.h.find_attack = find_attack;
    struct probe_trace *t = trace_of(r->bench.h.file);
    memset(t, 0, sizeof(*t));
    r->trace = t;
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct run *r = *state;
    model_free(r->answer);
    bench_release(&r->bench);
    free(r);
    return 0;
}

static int look_with(struct run *r, const char *id, const char *what,
                     const struct adversarial *declared, uint32_t n)
{
    json_t *params = json_pack("{s:s,s:i,s:s}", "what", what, "number", 7, "text", "some text");
    r->bench.h.plugin_id = id;
    r->bench.h.params = params;
    r->err = (struct error)ERROR_INIT;
    int rc = hosting_unlearn(&r->bench.h, r->bench.original, r->answer, declared, n, &r->result,
                             &r->err);
    json_decref(params);
    return rc;
}

static void look(struct run *r, const char *what)
{
    assert_ok(look_with(r, "test.probe", what, NULL, 0), r->err);
}

static bool unchanged(const struct run *r)
{
    const struct model *m = r->bench.original;
    return memcmp(m->param, r->answer->param, m->n_param * sizeof(float)) == 0;
}

static void test_rng(void **state)
{
    struct run *r = *state;
    struct rng rng;
    float uniform[7], normal[5];
    uint32_t order[10];
    look(r, "rng");
    rng_stream(&rng, 42, "test.probe/numbers", 5);
    rng_fill_uniform(&rng, uniform, 7);
    assert_memory_equal(uniform, r->trace->uniform, sizeof(uniform));
    assert_int_equal(rng_below(&rng, 1000), r->trace->below);
    rng_fill_normal(&rng, normal, 5);
    assert_memory_equal(normal, r->trace->normal, sizeof(normal));
    rng_stream(&rng, 42, "test.probe/order", 0);
    rng_permute(&rng, order, 10);
    assert_memory_equal(order, r->trace->order, sizeof(order));
}

static void test_order_of_calls(void **state)
{
    struct run *r = *state;
    look(r, "tables");
    assert_int_equal(r->trace->calls, 1234);
    assert_int_equal(r->trace->scenario, LETHE_SCENARIO_RANDOM);
    assert_int_equal(r->trace->n_forget_classes, 0);
    assert_true(r->result.prepare_s >= 0 && r->result.run_s >= 0);
    assert_true(unchanged(r));
    assert_int_equal(look_with(r, "test.probe", "positive", NULL, 0), ERR_INTERNAL);
    assert_int_equal(r->trace->calls, 12341234); /* dispose, also after a failure */
}

static void test_class_scenario(void **state)
{
    struct run *r = *state;
    assert_ok(bench_forget_class(&r->bench, &r->err), r->err);
    look(r, "tables");
    assert_int_equal(r->trace->scenario, LETHE_SCENARIO_CLASS);
    assert_int_equal(r->trace->n_forget_classes, 1);
    assert_int_equal(r->trace->forget_class, 3);
    assert_fails(look_with(r, "test.random-only", "rng", NULL, 0), r->err, ERR_UNSUPPORTED,
                 "test.random-only does not serve class forgetting");
}

static void test_views(void **state)
{
    struct run *r = *state;
    look(r, "composed");
    assert_int_equal(r->result.meters.read_forget, 0); /* labels are not samples */
    look(r, "batches");
    assert_int_equal(r->result.meters.read_forget, 2);
    assert_int_equal(r->result.meters.read_retain, 0);
}

static void test_loader(void **state)
{
    struct run *r = *state;
    struct rng rng;
    uint32_t order[16];
    look(r, "loader");
    assert_int_equal(r->trace->n_ids, 16);
    assert_int_equal(r->trace->batches, 3);
    assert_int_equal(r->result.meters.read_forget, 51 * 16);
    rng_stream(&rng, 42, "-/walk", 2);
    rng_permute(&rng, order, 16);
    for (int i = 0; i < 16; i++)
        assert_int_equal(r->trace->id[i], r->bench.split.forget[order[i]]);
}

static void test_bad_label(void **state)
{
    struct run *r = *state;
    char text[200];
    snprintf(text, sizeof(text), "label 99 of sample %u is none of the 10 classes",
             r->bench.split.forget[0]);
    assert_fails(look_with(r, "test.probe", "labels", NULL, 0), r->err, ERR_INVALID, text);
}

static void test_passes(void **state)
{
    struct run *r = *state;
    look(r, "interleaved");
    /* 8 samples: two students and the model forward and backward, the teacher forward */
    assert_int_equal(r->result.meters.forward, 32);
    assert_int_equal(r->result.meters.backward, 24);
    look(r, "replay");
    assert_int_equal(r->result.meters.forward, 24); /* the repeated pass is the host's */
    assert_int_equal(r->result.meters.backward, 24);
}

static void test_mask(void **state)
{
    struct run *r = *state;
    look(r, "mask");
    assert_int_equal(r->result.meters.optimizer_steps, 3);
    assert_false(unchanged(r));
}

static void test_models(void **state)
{
    struct run *r = *state;
    look(r, "models");
    assert_true(unchanged(r));
    look(r, "par");
}

/* attack->run gives what the host would have prepared, and both are paid for apart. */
static void test_attack(void **state)
{
    struct run *r = *state;
    struct hosting h = r->bench.h;
    struct adversarial set;
    struct error err = ERROR_INIT;
    float x[16 * 784];
    int32_t y[16];
    uint64_t ids[16];
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t row = r->bench.split.forget[i];
        ids[i] = row;
        y[i] = r->bench.ds->labels[row];
        for (size_t k = 0; k < 784; k++)
            x[i * 784 + k] = (float)r->bench.ds->pixels[row * 784 + k] / 255.0f;
    }
    assert_ok(find_attack(NULL, "pgd-l2-nearest", &h.file, &err), err);
    h.plugin_id = "pgd-l2-nearest";
    json_t *params = json_pack("{s:f,s:i,s:i,s:b}", "eps", 0.04, "steps", 10, "max_doublings", 12,
                               "warm_start", 1);
    h.params = params;
    assert_ok(hosting_perturb(&h, r->bench.original, x, y, ids, 16, &set, &err), err);
    assert_ok(look_with(r, "test.probe", "attack", &set, 1), r->err);
    assert_int_equal(r->result.meters.attack_forward, 2 * set.cost.attack_forward);
    assert_int_equal(r->result.meters.attack_backward, 2 * set.cost.attack_backward);
    assert_int_equal(r->result.meters.read_forget, 32);
    assert_int_equal(r->result.meters.forward, 0);
    json_decref(params);
    adversarial_release(&set);
}

static void test_recipe(void **state)
{
    struct run *r = *state;
    look(r, "recipe");
    assert_int_equal(r->result.meters.read_retain, 288);
    assert_int_equal(r->result.meters.optimizer_steps, 18);
    r->bench.recipe.lr = 1e30;
    assert_int_equal(look_with(r, "test.probe", "recipe", NULL, 0), ERR_NUMERIC);
    assert_true(strlen(r->err.text) > 10);
}

static void test_statuses(void **state)
{
    struct run *r = *state;
    assert_fails(look_with(r, "test.probe", "positive", NULL, 0), r->err, ERR_INTERNAL,
                 "the plugin answered 3; a status is 0 or negative");
    assert_fails(look_with(r, "test.probe", "unknown", NULL, 0), r->err, ERR_INTERNAL,
                 "an unknown status (the plugin gave no reason)");
    assert_fails(look_with(r, "test.probe", "passed_on", NULL, 0), r->err, ERR_DENIED,
                 "copy: this model must not be written; clone it first");
    look(r, "recovered");
    assert_int_equal(look_with(r, "test.probe", "memory", NULL, 0), ERR_NOMEM);
}

static void test_denied(void **state)
{
    struct run *r = *state;
    assert_fails(look_with(r, "test.bare", "rng", NULL, 0), r->err, ERR_DENIED,
                 "gradients were not declared; add LETHE_CAP_GRADIENTS to `needs`");
    assert_fails(look_with(r, "test.greedy", "rng", NULL, 0), r->err, ERR_DENIED,
                 "test.greedy needs shadow models (references: {shadow: K}), which this task does "
                 "not grant");
    assert_fails(look_with(r, "test.nobody", "rng", NULL, 0), r->err, ERR_INVALID,
                 "the plugin file has no plugin test.nobody of that kind");
}

static void test_bad_params(void **state)
{
    struct run *r = *state;
    struct hosting *h = &r->bench.h;
    h->plugin_id = "test.probe";
    h->params = json_pack("{s:s,s:i,s:s}", "what", "rng", "number", 10, "text", "");
    assert_fails(hosting_unlearn(h, r->bench.original, r->answer, NULL, 0, &r->result, &r->err),
                 r->err, ERR_INVALID,
                 "test.probe.number: expected a whole number from 0 to 9, found 10");
    json_decref((json_t *)h->params);
    h->params = json_pack("{s:s}", "what", "rng");
    assert_fails(hosting_unlearn(h, r->bench.original, r->answer, NULL, 0, &r->result, &r->err),
                 r->err, ERR_INVALID,
                 "test.probe.number: expected a whole number from 0 to 9, found nothing");
    json_decref((json_t *)h->params);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_rng),    TEST(test_order_of_calls), TEST(test_class_scenario),
        TEST(test_views),  TEST(test_loader),         TEST(test_bad_label),
        TEST(test_passes), TEST(test_mask),           TEST(test_models),
        TEST(test_attack), TEST(test_recipe),         TEST(test_statuses),
        TEST(test_denied), TEST(test_bad_params),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
