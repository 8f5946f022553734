/* The unlearners and the training loop of helpers.h: what they ask of a host, in
 * which order, compared with the loops of the methods' descriptions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "trace_host.h"

extern const lethe_entry lethe_plugin_entry_retrain, lethe_plugin_entry_finetune,
    lethe_plugin_entry_gradient_ascent, lethe_plugin_entry_random_labels, lethe_plugin_entry_amun,
    lethe_plugin_entry_pgd_l2_nearest;

static const lethe_entry *const unlearners[] = {
    &lethe_plugin_entry_retrain, &lethe_plugin_entry_finetune, &lethe_plugin_entry_gradient_ascent,
    &lethe_plugin_entry_random_labels, &lethe_plugin_entry_amun};
enum { N_UNLEARNERS = 5 };

static void begin(struct trace *t, const lethe_entry *entry, int64_t epochs, int64_t batch)
{
    trace_init(t, entry);
    fake_int(&t->fake, "epochs", epochs);
    fake_int(&t->fake, "batch", batch);
}

static void expect(struct trace *t, const char *text)
{
    assert_int_equal(trace_run(t), LETHE_OK);
    assert_string_equal(t->text, text);
    assert_true(t->fake.failure[0] == 0);
}

/* ---- schedules ---- */

static void test_rates(void **state)
{
    assert_true(lethe_rate(LETHE_SCHEDULE_CONSTANT, 0.3, 1, 0.1, 7, 10) == 0.3);
    for (uint32_t e = 0; e < 10; e++) {
        double step = lethe_rate(LETHE_SCHEDULE_STEP, 0.01, 1, 0.1, e, 10);
        double third = lethe_rate(LETHE_SCHEDULE_STEP, 0.01, 3, 0.5, e, 10);
        double cosine = lethe_rate(LETHE_SCHEDULE_COSINE, 0.2, 1, 0.1, e, 10);
        assert_true(fabs(step / (0.01 * pow(0.1, e)) - 1) < 1e-14);
        assert_true(fabs(third - 0.01 * pow(0.5, e / 3)) < 1e-17);
        assert_true(fabs(cosine - 0.1 * (1 + cos(acos(-1) * e / 10))) < 1e-16);
    }
    assert_true(fabs(lethe_rate(LETHE_SCHEDULE_COSINE, 0.2, 1, 0.1, 5, 10) - 0.1) < 1e-16);
}

/* ---- the methods ---- */

static void test_retrain(void **state)
{
    struct trace t;
    trace_init(&t, &lethe_plugin_entry_retrain);
    expect(&t, "fresh retrain\ntrain retain\ncopy\n");
    fake_release(&t.fake);
}

static void test_finetune(void **state)
{
    struct trace t;
    begin(&t, &lethe_plugin_entry_finetune, 2, 4);
    expect(&t, "sgd 0.9 0.0005\n"
               "epoch 0 shuffle retain shuffle/4\n"
               "  4 train down 0.01\n"
               "  2 train down 0.01\n"
               "epoch 1 shuffle retain shuffle/4\n"
               "  4 train down 0.01\n"
               "  2 train down 0.01\n");
    assert_true(t.fake.fraction == 1);
    fake_release(&t.fake);
}

/* AMUN's repository: the rate falls tenfold each epoch. */
static void test_step_schedule(void **state)
{
    struct trace t;
    begin(&t, &lethe_plugin_entry_finetune, 3, 6);
    fake_choice(&t.fake, "schedule", "step");
    fake_real(&t.fake, "momentum", 0);
    fake_real(&t.fake, "weight_decay", 0);
    expect(&t, "sgd 0 0\n"
               "epoch 0 shuffle retain shuffle/6\n"
               "  6 train down 0.01\n"
               "epoch 1 shuffle retain shuffle/6\n"
               "  6 train down 0.001\n"
               "epoch 2 shuffle retain shuffle/6\n"
               "  6 train down 0.0001\n");
    fake_release(&t.fake);
}

static void test_gradient_ascent(void **state)
{
    struct trace t;
    begin(&t, &lethe_plugin_entry_gradient_ascent, 1, 2);
    t.job.retain = NULL;
    expect(&t, "sgd 0.9 0.0005\n"
               "epoch 0 shuffle forget shuffle/2\n"
               "  2 train up 0.0001\n"
               "  1 train up 0.0001\n");
    fake_choice(&t.fake, "bn", "eval");
    fake_real(&t.fake, "clip_norm", 0.1);
    expect(&t, "sgd 0.9 0.0005\n"
               "clip 0.1\n"
               "epoch 0 shuffle forget shuffle/2\n"
               "  2 frozen up 0.0001\n"
               "  1 frozen up 0.0001\n");
    fake_release(&t.fake);
}

/* AMUN's variant: the retain set in its own order first, one optimiser. */
static void test_gradient_ascent_with_retain(void **state)
{
    struct trace t;
    begin(&t, &lethe_plugin_entry_gradient_ascent, 2, 8);
    fake_int(&t.fake, "retain", 1);
    expect(&t, "sgd 0.9 0.0005\n"
               "epoch 0 in order retain shuffle/8\n"
               "  6 train down 0.0001\n"
               "epoch 0 shuffle forget shuffle-2/8\n"
               "  3 train up 0.0001\n"
               "epoch 1 in order retain shuffle/8\n"
               "  6 train down 0.0001\n"
               "epoch 1 shuffle forget shuffle-2/8\n"
               "  3 train up 0.0001\n");
    fake_release(&t.fake);
}

static void test_random_labels(void **state)
{
    struct trace t;
    begin(&t, &lethe_plugin_entry_random_labels, 1, 16);
    expect(&t, "sgd 0.9 0.0005\n"
               "epoch 0 shuffle (retain+relabel forget) shuffle/16\n"
               "  9 train down 0.01\n");
    fake_choice(&t.fake, "order", "seq");
    expect(&t, "sgd 0.9 0.0005\n"
               "epoch 0 shuffle relabel forget shuffle/16\n"
               "  3 train down 0.01\n"
               "epoch 0 shuffle retain shuffle-2/16\n"
               "  6 train down 0.01\n");
    fake_int(&t.fake, "retain", 0);
    t.job.retain = NULL;
    expect(&t, "sgd 0.9 0.0005\n"
               "epoch 0 shuffle relabel forget shuffle/16\n"
               "  3 train down 0.01\n");
    fake_choice(&t.fake, "order", "mix");
    expect(&t, "sgd 0.9 0.0005\n"
               "epoch 0 shuffle relabel forget shuffle/16\n"
               "  3 train down 0.01\n");
    fake_release(&t.fake);
}

/* The four source sets, interfaces of the method's parameters. */
static void test_amun(void **state)
{
    static const struct {
        int retain, forget;
        const char *sources;
        int n;
    } sets[] = {{1, 1, "(retain+forget+arrays[0,2])", 11},
                {0, 1, "(forget+arrays[0,2])", 5},
                {1, 0, "(retain+arrays[0,2])", 8},
                {0, 0, "(arrays[0,2])", 2}};
    for (size_t s = 0; s < 4; s++) {
        struct trace t;
        char text[256];
        begin(&t, &lethe_plugin_entry_amun, 1, 16);
        fake_int(&t.fake, "retain", sets[s].retain);
        fake_int(&t.fake, "forget", sets[s].forget);
        t.job.retain = sets[s].retain ? t.job.retain : NULL;
        snprintf(
            text, sizeof text,
            "declared 0\nsgd 0.9 0.0005\nepoch 0 shuffle %s shuffle/16\n  %d train down 0.01\n",
            sets[s].sources, sets[s].n);
        expect(&t, text);
        assert_string_equal(t.fake.log, "adversarial set: 2 of 3 found, 1 of them misclassified "
                                        "from the start");
        fake_release(&t.fake);
    }
}

static void test_amun_finds_nothing(void **state)
{
    static const uint8_t nothing[3] = {0, 0, 0};
    struct trace t;
    begin(&t, &lethe_plugin_entry_amun, 1, 16);
    t.adversarial.found = nothing;
    assert_int_equal(trace_run(&t), LETHE_E_UNSUPPORTED);
    assert_string_equal(t.fake.failure, "no adversarial example found; raise attack_max_doublings");
    fake_release(&t.fake);
}

/* Defaults that a paper's table names. */
static void test_amun_defaults(void **state)
{
    struct trace t;
    trace_init(&t, &lethe_plugin_entry_amun);
    const lethe_value *v = t.fake.param;
    assert_true(v[LETHE_FIT_EPOCHS].i == 10 && v[LETHE_FIT_LR].r == 0.01);
    assert_true(v[LETHE_FIT_BATCH].i == 128 && v[LETHE_FIT_MOMENTUM].r == 0.9);
    assert_true(v[LETHE_FIT_WEIGHT_DECAY].r == 5e-4);
    assert_true(v[LETHE_FIT_SCHEDULE].i == LETHE_SCHEDULE_CONSTANT && v[LETHE_FIT_STEP].i == 1);
    assert_true(v[LETHE_FIT_N].i == 1 && v[LETHE_FIT_N + 1].i == 1);
    fake_release(&t.fake);
}

static const lethe_param *param_named(const lethe_plugin *p, const char *name, size_t n)
{
    for (uint32_t i = 0; i < p->n_params; i++)
        if (strlen(p->params[i].name) == n && memcmp(p->params[i].name, name, n) == 0)
            return &p->params[i];
    return NULL;
}

/* AMUN's settings name parameters of the attack, with its types, defaults and bounds. */
static void test_amun_declares_the_attack(void **state)
{
    const lethe_plugin *amun = lethe_plugin_entry_amun.plugins[0];
    const lethe_plugin *attack = lethe_plugin_entry_pgd_l2_nearest.plugins[0];
    const lethe_unlearner *u = amun->iface;
    assert_int_equal(u->n_attacks, 1);
    assert_string_equal(u->attacks[0].attack, attack->info->id);
    uint32_t n = 0;
    for (const char *const *s = u->attacks[0].settings; *s; s++, n++) {
        const char *dollar = strstr(*s, "=$");
        assert_non_null(dollar);
        const lethe_param *theirs = param_named(attack, *s, (size_t)(dollar - *s));
        const lethe_param *own = param_named(amun, dollar + 2, strlen(dollar + 2));
        assert_non_null(theirs);
        assert_non_null(own);
        assert_int_equal(own->type, theirs->type);
        assert_memory_equal(&own->def, &theirs->def, sizeof own->def);
        assert_memory_equal(&own->min, &theirs->min, sizeof own->min);
        assert_memory_equal(&own->max, &theirs->max, sizeof own->max);
    }
    assert_int_equal(n, attack->n_params);
}

/* ---- label draws ---- */

/* 40 forget samples, ids 0..39, for some epochs. */
static void draw(struct trace *t, const char *labels, const char *redraw, int64_t retain)
{
    begin(t, &lethe_plugin_entry_random_labels, TRACE_EPOCHS, 64);
    t->view[0].n = 40;
    fake_choice(&t->fake, "labels", labels);
    fake_choice(&t->fake, "redraw", redraw);
    fake_int(&t->fake, "retain", retain);
    assert_int_equal(trace_run(t), LETHE_OK);
}

static void count_draws(const struct trace *t, int *own, int *changed, int hit[TRACE_CLASSES])
{
    *own = *changed = 0;
    memset(hit, 0, TRACE_CLASSES * sizeof *hit);
    for (int e = 0; e < TRACE_EPOCHS; e++)
        for (int id = 0; id < 40; id++) {
            assert_in_range(t->drawn[e][id], 0, TRACE_CLASSES - 1);
            *own += t->drawn[e][id] == id % TRACE_CLASSES;
            *changed += t->drawn[e][id] != t->drawn[0][id];
            hit[t->drawn[e][id]]++;
        }
}

static void test_label_policies(void **state)
{
    struct trace t, again;
    int own, changed, hit[TRACE_CLASSES];
    draw(&t, "other", "epoch", 1);
    count_draws(&t, &own, &changed, hit);
    assert_int_equal(own, 0);
    assert_in_range(changed, 170, 250); /* 280 x 3/4 = 210 expected */
    for (int k = 0; k < TRACE_CLASSES; k++)
        assert_in_range(hit[k], 35, 95); /* 64 expected */
    draw(&again, "other", "epoch", 0);   /* the retain set changes no draw */
    assert_memory_equal(t.drawn, again.drawn, sizeof t.drawn);
    fake_release(&again.fake);
    fake_release(&t.fake);

    draw(&t, "other", "never", 1);
    assert_memory_equal(t.drawn[0], again.drawn[0], sizeof t.drawn[0]);
    count_draws(&t, &own, &changed, hit);
    assert_true(own == 0 && changed == 0);
    fake_release(&t.fake);

    draw(&t, "any", "epoch", 1);
    count_draws(&t, &own, &changed, hit);
    assert_in_range(own, 35, 95); /* 320 / 5 = 64 expected */
    fake_release(&t.fake);

    draw(&t, "any", "never", 1);
    count_draws(&t, &own, &changed, hit);
    assert_true(own > 0 && own % TRACE_EPOCHS == 0 && changed == 0);
    fake_release(&t.fake);
}

static void test_other_seed_other_labels(void **state)
{
    struct trace t, other;
    draw(&t, "other", "epoch", 1);
    begin(&other, &lethe_plugin_entry_random_labels, TRACE_EPOCHS, 64);
    other.view[0].n = 40;
    other.fake.seed = 2;
    assert_int_equal(trace_run(&other), LETHE_OK);
    assert_memory_not_equal(t.drawn, other.drawn, sizeof t.drawn);
    fake_release(&other.fake);
    fake_release(&t.fake);
}

/* ---- the loop's own cases ---- */

static lethe_status distil(lethe_ctx *ctx, void *arg, const lethe_batch *batch, const float *logits,
                           uint32_t n_classes, double *ret_loss, float *dlogits)
{
    *(uint32_t *)arg += batch->n;
    *ret_loss = 2;
    for (uint32_t i = 0; i < batch->n * n_classes; i++)
        dlogits[i] = -1;
    return fake_call(ctx);
}

static void test_own_loss_and_mask(void **state)
{
    static const uint8_t mask[3] = {1, 0, 1};
    struct trace t;
    uint32_t seen = 0;
    trace_init(&t, &lethe_plugin_entry_finetune);
    lethe_fit_opts o = {.model = t.job.model, .epochs = 1, .batch = 4, .lr = 1, .mask = mask};
    o.pass[0] = (lethe_pass){.view = t.job.retain, .stream = "mine", .loss = distil};
    o.pass[0].loss_arg = &seen;
    o.restore = 1;
    assert_int_equal(lethe_fit(&t.fake.ctx, &o), LETHE_OK);
    assert_string_equal(t.text, "sgd 0 0\nmask 101 restore 1\nepoch 0 shuffle retain mine/4\n"
                                "  4 train up 1\n  2 train up 1\n");
    assert_int_equal(seen, 6);
    assert_true(t.n_losses == 0);
    fake_release(&t.fake);
}

static void test_nothing_to_do(void **state)
{
    struct trace t;
    begin(&t, &lethe_plugin_entry_finetune, 3, 4);
    t.view[1].n = 0; /* an empty retain set */
    expect(&t, "sgd 0.9 0.0005\n");
    fake_release(&t.fake);
    begin(&t, &lethe_plugin_entry_finetune, 0, 4);
    expect(&t, "sgd 0.9 0.0005\n");
    t.job.retain = NULL;
    assert_int_equal(trace_run(&t), LETHE_E_INVALID);
    assert_string_equal(t.fake.failure, "nothing to train on: the first pass has no view");
    fake_release(&t.fake);
}

static void test_nan(void **state)
{
    struct trace t;
    begin(&t, &lethe_plugin_entry_gradient_ascent, 3, 2);
    t.nan_loss = 3; /* epoch 2, second batch */
    assert_int_equal(trace_run(&t), LETHE_E_NUMERIC);
    assert_string_equal(t.fake.failure,
                        "the loss became NaN or infinite in epoch 2 of 3, after 5 samples, at "
                        "learning rate 0.0001; try a lower one");
    t.nan_loss = -1;
    t.nan_step = 5; /* the last one: no later loss can show it */
    assert_int_equal(trace_run(&t), LETHE_E_NUMERIC);
    assert_string_equal(t.fake.failure, "weights became NaN or infinite in fc.weight");
    fake_release(&t.fake);
}

static void test_denied(void **state)
{
    static const lethe_entry *const with_retain[] = {&lethe_plugin_entry_gradient_ascent,
                                                     &lethe_plugin_entry_random_labels,
                                                     &lethe_plugin_entry_amun};
    struct trace t;
    for (int i = 0; i < 3; i++) {
        trace_init(&t, with_retain[i]);
        fake_int(&t.fake, "retain", 1);
        t.job.retain = NULL;
        assert_int_equal(trace_run(&t), LETHE_E_DENIED);
        assert_string_equal(t.fake.failure, "retain: true needs access to the retain set");
        fake_release(&t.fake);
    }
    begin(&t, &lethe_plugin_entry_finetune, 1, 4);
    t.fake.host.optim = NULL;
    assert_int_equal(trace_run(&t), LETHE_E_DENIED);
    assert_non_null(strstr(t.fake.failure, "declare LETHE_CAP_GRADIENTS and LETHE_CAP_WEIGHTS"));
    fake_release(&t.fake);
}

/* Whichever call fails, its answer comes back (out of memory from alloc). */
static void test_every_call_fails_once(void **state)
{
    for (int u = 0; u < N_UNLEARNERS; u++) {
        struct trace t;
        trace_init(&t, unlearners[u]);
        if (u > 0) {
            fake_int(&t.fake, "epochs", 2);
            fake_int(&t.fake, "batch", 4);
        }
        t.fake.fail_code = LETHE_E_BUDGET;
        assert_int_equal(trace_run(&t), LETHE_OK);
        int64_t n_calls = t.fake.calls;
        assert_true(n_calls >= 3);
        for (t.fake.fail_at = 0; t.fake.fail_at < n_calls; t.fake.fail_at++) {
            lethe_status status = trace_run(&t);
            if (status == LETHE_E_NOMEM) {
                assert_non_null(strstr(t.fake.failure, "out of memory"));
                continue;
            }
            assert_int_equal(status, LETHE_E_BUDGET);
            assert_true(t.fake.calls == t.fake.fail_at + 1); /* and nothing is called after */
        }
        fake_release(&t.fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_retrain),
        cmocka_unit_test(test_finetune),
        cmocka_unit_test(test_step_schedule),
        cmocka_unit_test(test_gradient_ascent),
        cmocka_unit_test(test_gradient_ascent_with_retain),
        cmocka_unit_test(test_random_labels),
        cmocka_unit_test(test_amun),
        cmocka_unit_test(test_amun_finds_nothing),
        cmocka_unit_test(test_amun_defaults),
        cmocka_unit_test(test_amun_declares_the_attack),
        cmocka_unit_test(test_label_policies),
        cmocka_unit_test(test_other_seed_other_labels),
        cmocka_unit_test(test_own_loss_and_mask),
        cmocka_unit_test(test_nothing_to_do),
        cmocka_unit_test(test_nan),
        cmocka_unit_test(test_denied),
        cmocka_unit_test(test_every_call_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
