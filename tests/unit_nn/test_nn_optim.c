/* test_nn_optim.c: optimisers against the update rules worked out in double,
 * masks, clipping; schedules and recipes. */
#include "nn_testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optim.h"
#include "train.h"

static const char text[] =
    "{arch: sequential, input: [1, 2, 2], layers: [flatten, {linear: {out: 3}}]}";

struct bed {
    struct testbed t;
    struct optim *o;
    size_t n;
};

static struct bed bed_new(struct optim_config config)
{
    struct bed b = {0};
    struct error err = ERROR_INIT;
    testbed_init(&b.t, text, 1, 1, NULL);
    assert_int_equal(optim_new(b.t.m, &config, &b.o, &err), 0);
    b.n = b.t.m->n_param;
    return b;
}

static void bed_free(struct bed *b)
{
    optim_free(b->o);
    testbed_release(&b->t);
}

static float gradient(size_t i, int step)
{
    return 0.01F * (float)((i * 7 + (size_t)step * 3) % 11) - 0.05F;
}

static void set_gradient(struct bed *b, int step)
{
    for (size_t i = 0; i < b->n; i++)
        b->t.m->grad[i] = gradient(i, step);
}

static void assert_close(float found, double wanted)
{
    if (!(fabs((double)found - wanted) <= 3e-7 * (1 + fabs(wanted))))
        fail_msg("%.9g is not %.9g", (double)found, wanted);
}

/* Kingma & Ba 2015, algorithm 1, for one number; decoupled: Loshchilov & Hutter 2019. */
static double adam_by_hand(double p, size_t i, int steps, double lr, double wd, bool decoupled)
{
    double m = 0, v = 0;
    for (int t = 1; t <= steps; t++) {
        double g = (double)gradient(i, t);
        if (decoupled)
            p -= lr * wd * p;
        else
            g += wd * p;
        m = 0.9 * m + 0.1 * g;
        v = 0.999 * v + 0.001 * g * g;
        p -= lr * (m / (1 - pow(0.9, t))) / (sqrt(v / (1 - pow(0.999, t))) + 1e-8);
    }
    return p;
}

static void check_adam(enum optim_kind kind)
{
    struct bed b = bed_new((struct optim_config){
        .kind = kind, .weight_decay = 0.02, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8});
    float start[64];
    memcpy(start, b.t.m->param, b.n * sizeof(float));
    for (int t = 1; t <= 4; t++) {
        set_gradient(&b, t);
        optim_step(b.o, 0.01, b.t.par);
    }
    assert_int_equal(b.o->steps, 4);
    for (size_t i = 0; i < b.n; i++) {
        assert_true(b.t.m->grad[i] == 0);
        assert_close(b.t.m->param[i],
                     adam_by_hand((double)start[i], i, 4, 0.01, 0.02, kind == OPTIM_ADAMW));
    }
    bed_free(&b);
}

static void test_adam(void **state)
{
    check_adam(OPTIM_ADAM);
    check_adam(OPTIM_ADAMW);
    /* The first step of Adam moves by lr against the gradient's sign. */
    struct bed b = bed_new(
        (struct optim_config){.kind = OPTIM_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8});
    b.t.m->param[0] = 1;
    b.t.m->grad[0] = 0.5F;
    optim_step(b.o, 0.1, NULL);
    assert_close(b.t.m->param[0], 0.9);
    bed_free(&b);
}

static void check_sgd(double momentum, double wd)
{
    struct bed b =
        bed_new((struct optim_config){.kind = OPTIM_SGD, .momentum = momentum, .weight_decay = wd});
    double p[64], v[64] = {0};
    for (size_t i = 0; i < b.n; i++)
        p[i] = (double)b.t.m->param[i];
    for (int t = 1; t <= 3; t++) {
        set_gradient(&b, t);
        optim_step(b.o, 0.3, b.t.par);
        for (size_t i = 0; i < b.n; i++) {
            v[i] = momentum * v[i] + (double)gradient(i, t) + wd * p[i];
            p[i] -= 0.3 * v[i];
        }
    }
    for (size_t i = 0; i < b.n; i++)
        assert_close(b.t.m->param[i], p[i]);
    bed_free(&b);
}

static void test_sgd(void **state)
{
    check_sgd(0, 0);
    check_sgd(0.9, 5e-4);
}

static void test_mask_restores_bits(void **state)
{
    for (int kind = OPTIM_SGD; kind <= OPTIM_ADAMW; kind++) {
        struct error err = ERROR_INIT;
        struct bed b = bed_new((struct optim_config){.kind = (enum optim_kind)kind,
                                                     .momentum = 0.9,
                                                     .weight_decay = 0.1,
                                                     .beta1 = 0.9,
                                                     .beta2 = 0.999,
                                                     .eps = 1e-8});
        uint8_t mask[64];
        float start[64];
        for (size_t i = 0; i < b.n; i++)
            mask[i] = i % 3 == 0;
        memcpy(start, b.t.m->param, b.n * sizeof(float));
        assert_int_equal(optim_mask(b.o, mask, true, &err), 0);
        for (int t = 1; t <= 5; t++) {
            set_gradient(&b, t);
            optim_step(b.o, 0.05, NULL);
        }
        for (size_t i = 0; i < b.n; i++)
            assert_true(mask[i] == (memcmp(&start[i], &b.t.m->param[i], sizeof(float)) != 0));
        bed_free(&b);
    }
}

/* Without restoring only the gradient is masked: weight decay still pulls. */
static void test_mask_without_restore(void **state)
{
    struct error err = ERROR_INIT;
    struct bed b = bed_new((struct optim_config){.kind = OPTIM_SGD, .weight_decay = 0.5});
    uint8_t mask[64] = {1};
    float first = b.t.m->param[0], second = b.t.m->param[1];
    assert_int_equal(optim_mask(b.o, mask, false, &err), 0);
    set_gradient(&b, 1);
    optim_step(b.o, 0.1, NULL);
    assert_close(b.t.m->param[0], (double)first * 0.95 - 0.1 * (double)gradient(0, 1));
    assert_close(b.t.m->param[1], (double)second * 0.95);
    bed_free(&b);
}

static void test_clip_norm(void **state)
{
    struct bed b = bed_new((struct optim_config){.kind = OPTIM_SGD});
    double norm = 0;
    float start[64];
    memcpy(start, b.t.m->param, b.n * sizeof(float));
    for (size_t i = 0; i < b.n; i++)
        norm += (double)gradient(i, 1) * (double)gradient(i, 1);
    norm = sqrt(norm);
    b.o->clip_norm = norm / 2;
    set_gradient(&b, 1);
    optim_step(b.o, 1, NULL);
    for (size_t i = 0; i < b.n; i++)
        assert_close(b.t.m->param[i],
                     (double)start[i] - (double)gradient(i, 1) * (norm / 2) / (norm + 1e-6));
    b.o->clip_norm = 100; /* larger than the norm: no change of the gradient */
    memcpy(start, b.t.m->param, b.n * sizeof(float));
    set_gradient(&b, 1);
    optim_step(b.o, 1, NULL);
    for (size_t i = 0; i < b.n; i++)
        assert_close(b.t.m->param[i], (double)start[i] - (double)gradient(i, 1));
    bed_free(&b);
}

static void test_schedules(void **state)
{
    struct schedule step = {.kind = SCHEDULE_STEP, .step = 8, .gamma = 0.1};
    assert_true(schedule_rate(&step, 0.05, 7, 20) == 0.05);
    assert_true(fabs(schedule_rate(&step, 0.05, 8, 20) - 0.005) < 1e-15);
    assert_true(fabs(schedule_rate(&step, 0.05, 19, 20) - 0.0005) < 1e-15);
    struct schedule multi = {
        .kind = SCHEDULE_MULTISTEP, .gamma = 0.5, .milestones = {2, 3}, .n_milestones = 2};
    assert_true(schedule_rate(&multi, 1, 1, 9) == 1);
    assert_true(schedule_rate(&multi, 1, 2, 9) == 0.5);
    assert_true(schedule_rate(&multi, 1, 8, 9) == 0.25);
    struct schedule cosine = {.kind = SCHEDULE_COSINE};
    assert_true(schedule_rate(&cosine, 2, 0, 10) == 2);
    assert_true(fabs(schedule_rate(&cosine, 2, 5, 10) - 1) < 1e-12);
    assert_true(fabs(schedule_rate(&cosine, 2, 9, 10) - (1 - cos(acos(-1) / 10))) < 1e-12);
    struct schedule warm = {.kind = SCHEDULE_CONSTANT, .warmup = 4};
    assert_true(schedule_rate(&warm, 1, 0, 10) == 0.25);
    assert_true(schedule_rate(&warm, 1, 3, 10) == 1);
    assert_true(schedule_rate(&warm, 1, 9, 10) == 1);
}

static int parse(const char *yaml, struct recipe *r, struct error *err)
{
    return recipe_from_text(yaml, r, err);
}

static void check_recipe_round_trip(const char *yaml)
{
    struct recipe r, again;
    struct error err = ERROR_INIT;
    struct strbuf a, b;
    strbuf_init(&a);
    strbuf_init(&b);
    if (parse(yaml, &r, &err) < 0)
        fail_msg("%s", err.text);
    recipe_text(&r, &a);
    assert_int_equal(parse(a.s, &again, &err), 0);
    recipe_text(&again, &b);
    assert_string_equal(a.s, b.s);
    assert_true(r.lr == again.lr && r.epochs == again.epochs && r.augment == again.augment);
    strbuf_release(&a);
    strbuf_release(&b);
}

static void test_recipes(void **state)
{
    struct recipe r;
    struct error err = ERROR_INIT;
    check_recipe_round_trip("{}");
    check_recipe_round_trip("{epochs: 20, batch: 64, optimizer: adamw, lr: 1e-3, schedule: "
                            "{cosine: true, warmup: 2}, augment: crop-flip, clip_norm: 5}");
    check_recipe_round_trip("{schedule: {milestones: [3, 5], gamma: 0.2}, shuffle: false}");
    check_recipe_round_trip("{schedule: {step: 8}, momentum: 0.9, weight_decay: 5e-4}");
    assert_int_equal(parse("{}", &r, &err), 0);
    assert_true(r.epochs == 1 && r.batch == 128 && r.lr == 0.1 && r.shuffle && !r.augment);
    assert_true(r.optim.kind == OPTIM_SGD && r.optim.momentum == 0 && r.optim.weight_decay == 0);
    assert_int_equal(parse("{schedule: cosine}", &r, &err), 0);
    assert_int_equal(r.schedule.kind, SCHEDULE_COSINE);
}

static void test_recipe_errors(void **state)
{
    static const char *const bad[][2] = {
        {"{epoch: 3}", "recipe:1:2: unknown key \"epoch\" in train; did you mean \"epochs\"?"},
        {"{optimizer: sdg}", "recipe:1:13: optimizer: \"sdg\" is none of sgd, adam, adamw"},
        {"{batch: 0}", "recipe:1:9: batch: 0 is not between 1 and 1000000"},
        {"{momentum: 1}", "recipe:1:12: momentum: 1 is not at least 0 and below 1"},
        {"{augment: flip}", "recipe:1:11: augment: \"flip\" is neither none nor crop-flip"},
        {"{schedule: {step: 2, cosine: true}}",
         "recipe:1:12: schedule: only one of constant, step, milestones, cosine can be given"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct recipe r;
        struct error err = ERROR_INIT;
        assert_int_equal(parse(bad[i][0], &r, &err), ERR_INVALID);
        assert_string_equal(err.text, bad[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adam),
        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_mask_restores_bits),
        cmocka_unit_test(test_mask_without_restore),
        cmocka_unit_test(test_clip_norm),
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_recipes),
        cmocka_unit_test(test_recipe_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
