/* Declarations that are refused before any code of the plugin runs. */
#include "plugin_test.h"

#include <math.h>

#include "plugin_file.h"

/* A good unlearner and a good metric that each test spoils in one place. */
struct parts {
    lethe_info info;
    lethe_param param[2];
    lethe_attack_use use;
    lethe_unlearner unlearner;
    lethe_output output[2];
    lethe_metric metric;
    lethe_score score[2];
    lethe_membership_attack member;
    lethe_example_attack example;
    lethe_plugin plugin;
};

static lethe_status run(lethe_ctx *ctx, void *state, const lethe_forget_job *job)
{
    return LETHE_OK;
}

static lethe_status evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    return LETHE_OK;
}

static lethe_status score(lethe_ctx *ctx, void *state, const lethe_member_job *job, double *out)
{
    return LETHE_OK;
}

static lethe_status perturb(lethe_ctx *ctx, const lethe_example_job *job, const lethe_batch *clean,
                            lethe_example_result *out)
{
    return LETHE_OK;
}

static const char *const words[] = {"one", "two", NULL};
static const char *const settings[] = {"eps=1", NULL}, *const bad_settings[] = {"eps", NULL};

static void init(struct parts *p)
{
    memset(p, 0, sizeof(*p));
    p->info = (lethe_info){sizeof(p->info), 0,  "test.good", "Good", "good", "1.0.0", "", "MIT",
                           "does nothing",  "", "",          "",     NULL};
    p->param[0] = (lethe_param)LETHE_REAL("lr", 0.1, 0, 1, "", "a rate");
    p->param[1] = (lethe_param)LETHE_CHOICE("how", 1, words, "a choice");
    p->use = (lethe_attack_use){sizeof(p->use), 0, "pgd", settings};
    p->unlearner = (lethe_unlearner){.struct_size = sizeof(p->unlearner),
                                     .scenarios = LETHE_SCENARIO_RANDOM,
                                     .n_attacks = 1,
                                     .attack_stride = sizeof(p->use),
                                     .attacks = &p->use,
                                     .run = run};
    for (int i = 0; i < 2; i++) {
        p->output[i] = (lethe_output){sizeof(p->output[i]),
                                      LETHE_SHAPE_SCALAR,
                                      LETHE_BETTER_HIGHER,
                                      LETHE_REF_NONE,
                                      i ? "b" : "a",
                                      "",
                                      "",
                                      "",
                                      0,
                                      1,
                                      0};
        p->score[i] = (lethe_score){sizeof(p->score[i]), 0, i ? "b" : "a", ""};
    }
    p->metric = (lethe_metric){.struct_size = sizeof(p->metric),
                               .scope = LETHE_SCOPE_RUN,
                               .n_outputs = 2,
                               .output_stride = sizeof(p->output[0]),
                               .outputs = p->output,
                               .evaluate = evaluate};
    p->member = (lethe_membership_attack){.struct_size = sizeof(p->member),
                                          .n_scores = 2,
                                          .score_stride = sizeof(p->score[0]),
                                          .scores = p->score,
                                          .score = score};
    p->example = (lethe_example_attack){sizeof(p->example), LETHE_NORM_L2, perturb};
    p->plugin = (lethe_plugin){.struct_size = sizeof(p->plugin),
                               .kind = LETHE_KIND_UNLEARNER,
                               .info = &p->info,
                               .params = p->param,
                               .n_params = 2,
                               .param_stride = sizeof(p->param[0]),
                               .iface = &p->unlearner};
}

static void use_kind(struct parts *p, uint32_t kind)
{
    p->plugin.kind = kind;
    p->plugin.iface = kind == LETHE_KIND_METRIC              ? (const void *)&p->metric
                      : kind == LETHE_KIND_MEMBERSHIP_ATTACK ? (const void *)&p->member
                      : kind == LETHE_KIND_EXAMPLE_ATTACK    ? (const void *)&p->example
                                                             : (const void *)&p->unlearner;
}

static void expect(const struct parts *p, const char *text)
{
    struct error err = ERROR_INIT;
    int rc = plugin_check(&p->plugin, &err);
    if (!text) {
        assert_ok(rc, err);
        return;
    }
    assert_fails(rc, err, ERR_INVALID, text);
}

/* Spoils one place of a fresh set of parts and compares the text. */
#define REFUSED(kind, spoil, text)                                                                 \
    do {                                                                                           \
        struct parts p;                                                                            \
        init(&p);                                                                                  \
        use_kind(&p, (kind));                                                                      \
        spoil;                                                                                     \
        expect(&p, (text));                                                                        \
    } while (0)

static void test_good(void **state)
{
    for (uint32_t kind = LETHE_KIND_UNLEARNER; kind <= LETHE_KIND_METRIC; kind++)
        if (kind != LETHE_KIND_AUDIT)
            REFUSED(kind, (void)0, NULL);
    REFUSED(77, p.plugin.iface = NULL, NULL); /* of a newer Lethe: described, never run */
    REFUSED(LETHE_KIND_UNLEARNER, p.plugin.n_params = 0; p.plugin.params = NULL;
            p.plugin.param_stride = 0, NULL);
    REFUSED(LETHE_KIND_UNLEARNER, p.plugin.struct_size += 64, NULL); /* a later ABI's is longer */
}

static void test_info(void **state)
{
    const uint32_t k = LETHE_KIND_UNLEARNER;
    REFUSED(k, p.plugin.info = NULL, "a plugin has no info; it is required");
    REFUSED(
        k, p.info.struct_size = 8,
        "lethe_info has struct_size 8, ABI 1.0 needs 96; set it with sizeof and build with this "
        "Lethe's headers");
    REFUSED(k, p.info.id = "Bad Id",
            "a plugin has no valid id; ids are [a-z0-9]+([.-][a-z0-9]+)*, e.g. org.lab.method");
    REFUSED(k, p.info.doc = NULL, "plugin test.good: info.doc is NULL");
    REFUSED(k, p.info.license = "", "plugin test.good: info.license is empty");
    REFUSED(k, p.info.author = "\xff", "plugin test.good: info.author is not valid UTF-8");
}

static void test_params(void **state)
{
    const uint32_t k = LETHE_KIND_UNLEARNER;
    REFUSED(k, p.plugin.params = NULL,
            "plugin test.good: params: 2 are declared, but the array is NULL");
    REFUSED(k, p.plugin.param_stride = 8,
            "plugin test.good: params: items are 8 bytes apart, ABI 1.0 needs 80; set the stride "
            "with sizeof");
    REFUSED(k, p.param[0].struct_size = 4,
            "plugin test.good: parameter 1: it has struct_size 4, ABI 1.0 needs 80; set it with "
            "sizeof and build with this Lethe's headers");
    REFUSED(k, p.param[0].name = "LR",
            "plugin test.good: parameter 1 (LR): its name is no lower-case word; names are "
            "[a-z][a-z0-9_]*");
    REFUSED(k, p.param[1].name = "lr",
            "plugin test.good: parameter 2 (lr): \"lr\" is declared twice");
    REFUSED(k, p.param[0].def.r = 2,
            "plugin test.good: parameter 1 (lr): its default 2 lies outside its bounds 0 to 1");
    REFUSED(k, p.param[0].def.r = NAN,
            "plugin test.good: parameter 1 (lr): its default nan lies outside its bounds 0 to 1");
    REFUSED(k, p.param[1].def.i = 2,
            "plugin test.good: parameter 2 (how): its default is none of its choices; list them, "
            "NULL-ended");
    REFUSED(k, p.param[1].choices = NULL,
            "plugin test.good: parameter 2 (how): its default is none of its choices; list them, "
            "NULL-ended");
    REFUSED(k, p.param[0].type = 9,
            "plugin test.good: parameter 1 (lr): type 9 is unknown to ABI 1.0");
    REFUSED(k, p.param[0].unit = NULL,
            "plugin test.good: parameter 1 (lr): unit or doc is NULL; \"\" stands for nothing");
}

static void test_tables(void **state)
{
    const uint32_t u = LETHE_KIND_UNLEARNER, m = LETHE_KIND_METRIC;
    const uint32_t a = LETHE_KIND_MEMBERSHIP_ATTACK, e = LETHE_KIND_EXAMPLE_ATTACK;
    REFUSED(u, p.plugin.iface = NULL,
            "plugin test.good: its table (iface) is NULL; it is required");
    REFUSED(u, p.unlearner.run = NULL,
            "plugin test.good: lethe_unlearner.run is NULL; it is required");
    REFUSED(u, p.unlearner.scenarios = 0,
            "plugin test.good: it serves no scenario; set lethe_unlearner.scenarios");
    REFUSED(u, p.use.settings = bad_settings,
            "plugin test.good: setting \"eps\" of attack pgd has no '='");
    REFUSED(u, p.use.attack = "",
            "plugin test.good: an attack to use has no valid id; name an example attack");
    REFUSED(m, p.metric.evaluate = NULL,
            "plugin test.good: lethe_metric.evaluate is NULL; it is required");
    REFUSED(m, p.metric.n_outputs = 0,
            "plugin test.good: it declares no outputs; list what it emits");
    REFUSED(m, p.output[1].name = "a", "plugin test.good: output \"a\" is declared twice");
    REFUSED(m, p.output[0].lo = 2, "plugin test.good: output 1: its range 2 to 1 is empty");
    REFUSED(m, p.output[0].shape = 5,
            "plugin test.good: output 1: shape 5 is none of LETHE_SHAPE_*");
    REFUSED(m, p.metric.scope = 0, "plugin test.good: scope 0 is none of LETHE_SCOPE_*");
    REFUSED(a, p.member.score = NULL,
            "plugin test.good: lethe_membership_attack.score is NULL; it is required");
    REFUSED(a, p.score[1].name = "",
            "plugin test.good: score 2 has no name; names are [a-z][a-z0-9_]*, \"\" for a single "
            "one");
    REFUSED(a, p.score[0].name = ""; p.member.n_scores = 1, NULL);
    REFUSED(e, p.example.perturb = NULL,
            "plugin test.good: lethe_example_attack.perturb is NULL; it is required");
    REFUSED(e, p.example.norm = 3, "plugin test.good: norm 3 is none of LETHE_NORM_*");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_info),
        cmocka_unit_test(test_params),
        cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
