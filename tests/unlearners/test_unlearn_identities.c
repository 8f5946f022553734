/* What must be equal, byte for byte, because the methods' formulas say so. */
#include "unlearn_bench.h"

#define FT "\"epochs\":3,\"batch\":32,\"lr\":0.02,\"momentum\":0.9,\"weight_decay\":0.0005"

static struct bench bench;

static int set_up(void **state)
{
    struct error err = ERROR_INIT;
    return bench_init(&bench, 1, &err);
}

static int tear_down(void **state)
{
    bench_release(&bench);
    return 0;
}

/* No max-steps, nothing of the teacher, cross-entropy whole: fine-tuning. */
static void test_scrub_is_finetune(void **state)
{
    expect_same(&bench, "scrub", "{" FT ",\"msteps\":0,\"alpha\":0,\"ce_weight\":1}", "finetune",
                "{" FT "}");
    struct answer far = bench_unlearn(&bench, "scrub", "{" FT ",\"msteps\":0,\"alpha\":0.5}", NULL);
    struct answer ft = bench_unlearn(&bench, "finetune", "{" FT "}", NULL);
    assert_false(same_model(far.m, ft.m));
    model_free(far.m);
    model_free(ft.m);
}

static void test_neggrad_is_finetune(void **state)
{
    expect_same(&bench, "neggrad-plus", "{" FT ",\"a\":1}", "finetune", "{" FT "}");
}

/* No forget steps: fine-tuning under the same rates. The mask plays no part then. */
static void test_sfr_is_finetune(void **state)
{
    const char *cosine = "{" FT ",\"schedule\":\"cosine-steps\"}";
    expect_same(&bench, "sfr-on", "{" FT ",\"forget_every\":0}", "finetune", cosine);
    expect_same(&bench, "sfr-on", "{" FT ",\"forget_every\":0,\"epochs\":0,\"steps\":15}",
                "finetune", cosine); /* 144 samples in batches of 32: 5 steps an epoch */
    expect_same(&bench, "sfr-on", "{" FT ",\"forget_every\":0,\"beta\":0.999999999999}", "finetune",
                cosine); /* rounds to the new weights */
}

static void test_l1_is_finetune(void **state)
{
    expect_same(&bench, "l1-sparse", "{" FT ",\"penalty_weight\":0}", "finetune", "{" FT "}");
    expect_same(&bench, "l1-sparse", "{" FT ",\"no_penalty\":3}", "finetune", "{" FT "}");
    expect_same(&bench, "cf-k", "{" FT ",\"k\":100}", "finetune", "{" FT "}");
}

/* All weights salient: random labels. */
static void test_salun_is_random_labels(void **state)
{
    const char *all = "{" FT ",\"mask_ratio\":1}";
    expect_same(&bench, "salun", all, "random-labels", "{" FT "}");
    expect_same(&bench, "salun", "{" FT ",\"mask_ratio\":1,\"labels\":\"any\",\"order\":\"seq\"}",
                "random-labels", "{" FT ",\"preset\":\"salun\",\"batch\":32}");
    expect_same(&bench, "amnesiac", "{" FT ",\"optimizer\":\"sgd\",\"augment\":true}",
                "random-labels", "{" FT ",\"redraw\":\"never\"}");
}

/* A mask that lets everything pass goes through the mask's own code: 0.9999999 of 52,000. */
static void test_mask_of_all(void **state)
{
    struct answer masked = bench_unlearn(&bench, "gradient-ascent", "{\"mask_ratio\":1}", NULL);
    struct answer plain = bench_unlearn(&bench, "gradient-ascent", "{}", NULL);
    assert_true(same_model(masked.m, plain.m));
    struct answer none = bench_unlearn(&bench, "gradient-ascent", "{\"mask_ratio\":0}", NULL);
    assert_int_equal(n_changed(none.m, bench.original), 0);
    model_free(masked.m);
    model_free(plain.m);
    model_free(none.m);
}

static void test_original(void **state)
{
    struct answer a = bench_unlearn(&bench, "original", "{}", NULL);
    assert_true(same_model(a.m, bench.original));
    assert_int_equal(a.r.meters.forward + a.r.meters.backward + a.r.meters.read_forget, 0);
    model_free(a.m);
}

/* A preset moves defaults, not what was set. */
static void test_presets(void **state)
{
    expect_same(&bench, "gradient-ascent", "{\"preset\":\"sfr\",\"lr\":0.001,\"epochs\":2}",
                "gradient-ascent", "{\"bn\":\"eval\",\"clip_norm\":0.1,\"epochs\":2,\"lr\":0.001}");
    expect_same(&bench, "scrub", "{\"preset\":\"mia\",\"temperature\":3}", "scrub",
                "{\"epochs\":5,\"batch\":32,\"forget_batch\":16,\"msteps\":3,\"ce_weight\":1,"
                "\"alpha\":0.5,\"temperature\":3}");
    expect_same(&bench, "scrub", "{\"preset\":\"sfr\",\"lr\":0.01}", "scrub",
                "{\"epochs\":6,\"lr\":0.01,\"batch\":128,\"forget_batch\":128,\"schedule\":"
                "\"cosine\",\"augment\":true,\"milestones\":\"\"}");
    expect_same(&bench, "l1-sparse", "{\"preset\":\"amun\",\"epochs\":3}", "l1-sparse",
                "{\"penalty\":\"compounding\",\"schedule\":\"step\",\"epochs\":3}");
}

/* The rate falls below stop_lr after three epochs of .01, .001, .0001, .00001. */
static void test_early_stop(void **state)
{
    expect_same(&bench, "finetune", "{\"epochs\":10,\"schedule\":\"step\"}", "finetune",
                "{\"epochs\":4,\"schedule\":\"step\",\"stop_lr\":0}");
}

/* Milestones of SCRUB: after epoch 1 a tenth of the rate. */
static void test_milestones(void **state)
{
    expect_same(&bench, "scrub",
                "{" FT ",\"msteps\":0,\"alpha\":0,\"ce_weight\":1,\"milestones\":\"1, 2\"}",
                "finetune", "{" FT ",\"schedule\":\"step\"}");
}

/* ---- meters: the costs of docs/METHODS.md ---- */

static void expect_cost(const char *id, const char *changes, uint64_t forward, uint64_t backward,
                        uint64_t steps)
{
    struct answer a = bench_unlearn(&bench, id, changes, NULL);
    const struct meters *m = &a.r.meters;
    if (m->forward != forward || m->backward != backward || m->optimizer_steps != steps)
        fail_msg("%s %s: forward %llu backward %llu steps %llu", id, changes,
                 (unsigned long long)m->forward, (unsigned long long)m->backward,
                 (unsigned long long)m->optimizer_steps);
    model_free(a.m);
}

/* n_f = 16, n_r = 144, batches of 16: 1 and 9 a pass. */
static void test_costs(void **state)
{
    expect_cost("finetune", "{\"epochs\":1,\"batch\":16}", 144, 144, 9);
    expect_cost("l1-sparse", "{\"epochs\":1,\"batch\":16}", 144, 144, 9);
    expect_cost("gradient-ascent", "{\"epochs\":1,\"batch\":16}", 16, 16, 1);
    expect_cost("neggrad-plus", "{\"epochs\":1,\"batch\":16}", 288, 288, 9);
    expect_cost("random-labels", "{\"epochs\":1,\"batch\":16}", 160, 160, 10);
    expect_cost("salun", "{\"epochs\":1,\"batch\":16}", 176, 176, 10);
    expect_cost("boundary-shrink", "{\"epochs\":1,\"batch\":16}", 48, 32, 1);
    expect_cost("boundary-expand", "{\"epochs\":1,\"batch\":16}", 16, 16, 1);
    expect_cost("scrub", "{\"epochs\":2,\"msteps\":1,\"batch\":16,\"forget_batch\":16}",
                2 * (16 + 2 * 144), 16 + 2 * 144, 1 + 18);
    expect_cost("ssd", "{}", 176, 176, 0);
    expect_cost("bad-teacher", "{\"batch\":16}", 2 * (16 + 43), 16 + 43, 4);
    expect_cost("amnesiac", "{\"epochs\":1,\"batch\":16}", 160, 160, 10);
    expect_cost("influence", "{\"samples\":20}", 180, 180, 0);
    expect_cost("influence", "{\"solver\":\"recursion\",\"samples\":20}", 160 + 22, 160 + 22, 0);
    expect_cost("sfr-on", "{\"epochs\":1,\"batch\":16}", 160 + 144 + 2 * 16, 160 + 144 + 2 * 16,
                9 + 2);
    expect_cost("cf-k", "{\"epochs\":1,\"batch\":16}", 144, 144, 9);
    expect_cost("eu-k", "{}", 288, 288, 18); /* the suite's: 2 epochs, batch 16 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scrub_is_finetune),
        cmocka_unit_test(test_neggrad_is_finetune),
        cmocka_unit_test(test_sfr_is_finetune),
        cmocka_unit_test(test_l1_is_finetune),
        cmocka_unit_test(test_salun_is_random_labels),
        cmocka_unit_test(test_mask_of_all),
        cmocka_unit_test(test_original),
        cmocka_unit_test(test_presets),
        cmocka_unit_test(test_early_stop),
        cmocka_unit_test(test_milestones),
        cmocka_unit_test(test_costs),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
