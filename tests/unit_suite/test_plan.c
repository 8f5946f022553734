/* The plan: equal tasks are one, every input is in the identity, rows are complete. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "plan.h"
#include "text.h"

static const char base_suite[] = "suite: t\n"
                                 "data: {name: synthetic, train: 60, test: 30}\n"
                                 "model: {arch: mlp, width: 8}\n"
                                 "train: {epochs: 2, lr: 0.1}\n"
                                 "seeds: {model: [1, 2], forget: [1, 2], unlearn: [1]}\n"
                                 "forget: [{random: 0.1}]\n"
                                 "references: {retrain: 3, shadow: 4}\n"
                                 "unlearn:\n"
                                 "  - forgetter: {strength: 1}\n"
                                 "  - {label: twin, forgetter: {strength: 1}}\n"
                                 "  - {label: strong, forgetter: {strength: 2}}\n"
                                 "attacks: [scorer]\n"
                                 "metrics: [meter]\n"
                                 "report: {gap: [score]}\n";

/* Plugins as `lethe-worker describe` would report them, without any file. */
static const char *const descriptions[] = {
    "{\"scenarios\": [\"random\"], \"needs\": [\"forget\"], \"uses\": [\"retain\"], \"attacks\": "
    "[{\"attack\": \"pusher\", \"settings\": [\"push=$strength\"]}], \"params\": [{\"name\": "
    "\"strength\", \"type\": \"real\", \"default\": 1, \"min\": 0, \"max\": 9, \"choices\": null, "
    "\"unit\": \"\", \"doc\": \"x\", \"tunable\": false}], \"outputs\": [], \"scores\": []}",
    "{\"needs\": [\"logits\", \"shadows\"], \"uses\": [], \"params\": [], \"scores\": [{\"name\": "
    "\"\", \"doc\": \"x\"}], \"wants_fit\": false, \"outputs\": []}",
    "{\"needs\": [\"logits\"], \"uses\": [], \"params\": [], \"scope\": \"run\", \"outputs\": "
    "[{\"name\": \"score\", \"shape\": \"scalar\", \"unit\": \"percent\", \"doc\": \"x\", "
    "\"better\": \"near-reference\", \"reference\": \"retrain\"}]}",
    "{\"needs\": [], \"uses\": [], \"params\": [{\"name\": \"push\", \"type\": \"real\", "
    "\"default\": 1, \"min\": 0, \"max\": 9, \"choices\": null, \"unit\": \"\", \"doc\": \"x\", "
    "\"tunable\": false}], \"outputs\": []}",
};

struct world {
    char dir[64];
    char *path;
    struct plugin_desc plugin[4];
    struct plugin_set set;
    json_t *machine;
};

static int setup(void **state)
{
    static const char *const ids[] = {"forgetter", "scorer", "meter", "pusher"};
    static const enum plugin_kind kinds[] = {PLUGIN_UNLEARNER, PLUGIN_MEMBERSHIP_ATTACK,
                                             PLUGIN_METRIC, PLUGIN_EXAMPLE_ATTACK};
    struct world *w = calloc(1, sizeof(*w));
    strcpy(w->dir, "/tmp/lethe-plan.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    w->path = text_format("%s/s.yaml", w->dir);
    for (int i = 0; i < 4; i++) {
        struct error err = ERROR_INIT;
        struct plugin_desc *p = &w->plugin[i];
        *p = (struct plugin_desc){.kind = kinds[i],
                                  .id = ids[i],
                                  .name = ids[i],
                                  .short_name = ids[i],
                                  .version = "1.0.0",
                                  .license = "MIT",
                                  .summary = "",
                                  .doc = "",
                                  .citation = "",
                                  .url = "",
                                  .path = "/nowhere.so",
                                  .sha256 = ids[i]};
        assert_int_equal(
            json_parse_text(ids[i], descriptions[i], strlen(descriptions[i]), &p->json, &err), 0);
    }
    w->set = (struct plugin_set){.plugin = w->plugin, .n = 4};
    w->machine = json_pack("{s:s,s:s}", "numerics", "test-1", "version", "0");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 4; i++)
        json_decref(w->plugin[i].json);
    json_decref(w->machine);
    fs_remove_tree(w->dir, NULL);
    free(w->path);
    free(w);
    return 0;
}

struct planned {
    struct suite suite;
    struct plan plan;
};

static void make(struct world *w, const char *text, const char *setting, struct planned *ret)
{
    struct error err = ERROR_INIT;
    const char *const settings[] = {setting};
    assert_int_equal(fs_write_atomic(w->path, text, strlen(text), &err), 0);
    if (suite_load(w->path, settings, setting ? 1 : 0, &ret->suite, &err) < 0 ||
        suite_bind(&ret->suite, &w->set, &err) < 0 ||
        plan_make(&ret->suite, &w->set, w->machine, NULL, &ret->plan, &err) < 0)
        fail_msg("%s", err.text);
}

static void release(struct planned *p)
{
    plan_release(&p->plan);
    suite_release(&p->suite);
}

static unsigned count(const struct plan *p, enum task_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < p->n; i++)
        n += p->task[i].kind == kind;
    return n;
}

static void test_counts(void **state)
{
    struct planned p;
    make(*state, base_suite, NULL, &p);
    assert_int_equal(count(&p.plan, TASK_DATA), 1);
    /* 2 originals, 3 oracles for each of 2 forget sets, 4 shadow models */
    assert_int_equal(count(&p.plan, TASK_TRAIN), 2 + 3 * 2 + 4);
    /* two strengths x 2 originals x 2 forget sets; the twin is the same task */
    assert_int_equal(count(&p.plan, TASK_UNLEARN), 2 * 2 * 2);
    assert_int_equal(count(&p.plan, TASK_ADVERSARIAL), 2 * 2 * 2);
    assert_int_equal(count(&p.plan, TASK_PREDICT), 12 + 8);
    /* originals are attacked once, judged once per forget set */
    assert_int_equal(count(&p.plan, TASK_ATTACK), 2 + 6 + 8);
    assert_int_equal(count(&p.plan, TASK_EVALUATE), 2 * 2 + 6 + 8);
    assert_int_equal(count(&p.plan, TASK_METRIC), 2 * 2 + 6 + 8);
    assert_int_equal(p.plan.n_rows, 2 * 2 + 3 * 2 + 3 * 2 * 2);
    for (unsigned i = 0; i < p.plan.n_rows; i++) {
        assert_int_not_equal(p.plan.row[i].model, NO_TASK);
        assert_int_not_equal(p.plan.row[i].metric[0], NO_TASK);
        assert_int_not_equal(p.plan.row[i].evaluate[0], NO_TASK);
    }
    release(&p);
}

static void test_inputs_come_first_and_are_in_the_identity(void **state)
{
    struct planned p;
    make(*state, base_suite, NULL, &p);
    for (unsigned i = 0; i < p.plan.n; i++) {
        char *text = json_canonical(p.plan.task[i].identity);
        for (unsigned k = 0; k < p.plan.task[i].n_deps; k++) {
            assert_true(p.plan.task[i].dep[k] < i);
            assert_non_null(strstr(text, p.plan.task[p.plan.task[i].dep[k]].id));
        }
        free(text);
    }
    release(&p);
}

/* How many tasks of b are not in a. */
static unsigned fresh(const struct plan *a, const struct plan *b, enum task_kind kind)
{
    unsigned n = 0;
    for (unsigned i = 0; i < b->n; i++) {
        bool known = b->task[i].kind != kind;
        for (unsigned k = 0; k < a->n && !known; k++)
            known = strcmp(a->task[k].id, b->task[i].id) == 0;
        n += !known;
    }
    return n;
}

static void test_what_a_change_runs_again(void **state)
{
    static const struct {
        const char *setting;
        unsigned train, unlearn, attack;
    } cases[] = {
        {"train.lr=0.2", 12, 8, 16},
        {"train.epochs=3", 12, 8, 16},
        {"model.width=9", 12, 8, 16},
        {"data.train=61", 12, 8, 16},
        {"data.seed=2", 12, 8, 16},
        {"seeds.model=[1,3]", 1, 4, 5},
        {"seeds.unlearn=[2]", 0, 8, 8},
        {"forget.0.random=0.2", 6, 8, 14},
        {"references.retrain=4", 2, 0, 2},
        {"references.shadow=6", 2, 0, 16}, /* the bank grows: two more trainings */
        {"unlearn.2.forgetter.strength=3", 0, 4, 4},
        {"limits.wall=5s", 0, 0, 0},
        {"report.formats=[svg]", 0, 0, 0},
        {"suite=other", 0, 0, 0},
    };
    struct planned a, b;
    make(*state, base_suite, NULL, &a);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *setting = cases[i].setting;
        if (strncmp(setting, "limits", 6) == 0)
            setting = "limits={wall: 5s}";
        make(*state, base_suite, setting, &b);
        print_message("%s\n", cases[i].setting);
        assert_int_equal(fresh(&a.plan, &b.plan, TASK_TRAIN), cases[i].train);
        assert_int_equal(fresh(&a.plan, &b.plan, TASK_UNLEARN), cases[i].unlearn);
        assert_int_equal(fresh(&a.plan, &b.plan, TASK_ATTACK), cases[i].attack);
        release(&b);
    }
    release(&a);
}

static void test_plugin_file_and_arithmetic_are_inputs(void **state)
{
    struct world *w = *state;
    struct planned a, b;
    make(w, base_suite, NULL, &a);
    w->plugin[0].sha256 = "rebuilt";
    make(w, base_suite, NULL, &b);
    assert_int_equal(fresh(&a.plan, &b.plan, TASK_UNLEARN), 8);
    assert_int_equal(fresh(&a.plan, &b.plan, TASK_TRAIN), 0);
    assert_int_equal(fresh(&a.plan, &b.plan, TASK_ADVERSARIAL), 0);
    release(&b);
    w->plugin[0].sha256 = "forgetter";
    json_object_set_new(w->machine, "numerics", json_string("test-2"));
    make(w, base_suite, NULL, &b);
    assert_int_equal(fresh(&a.plan, &b.plan, TASK_TRAIN), 12);
    assert_int_equal(fresh(&a.plan, &b.plan, TASK_DATA), 0);
    release(&b);
    release(&a);
}

static void test_scenario_not_served(void **state)
{
    struct planned p;
    make(*state, base_suite, "forget=[{class: 3}]", &p);
    unsigned unsupported = 0;
    for (unsigned i = 0; i < p.plan.n_rows; i++)
        if (p.plan.row[i].kind == PLAN_METHOD) {
            assert_int_equal(p.plan.row[i].model, NO_TASK);
            assert_int_equal(p.plan.row[i].verdict, VERDICT_UNSUPPORTED);
            assert_string_equal(p.plan.row[i].reason,
                                "forgetter does not serve class forgetting (scenario class-3)");
            unsupported++;
        }
    assert_int_equal(unsupported, 3 * 2); /* classes do not depend on the forget seed */
    assert_int_equal(count(&p.plan, TASK_UNLEARN), 0);
    release(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_inputs_come_first_and_are_in_the_identity, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_what_a_change_runs_again, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plugin_file_and_arithmetic_are_inputs, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_scenario_not_served, setup, teardown),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
