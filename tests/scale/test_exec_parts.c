/* The order of ready tasks, and whether one more fits into memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "exec_memory.h"
#include "exec_queue.h"

/* Two rows: 0 -> 1 -> 3 (model, outputs, metric of row 0), 0 -> 2 -> 4 (of row 1); 5 belongs to
 * none. */
struct graph {
    unsigned dep[6][1];
    struct task task[6];
    struct plan_row row[2];
    uint32_t metric[2][1];
    struct suite suite;
    struct plan plan;
};

static void graph_init(struct graph *g)
{
    static const int needs[6] = {-1, 0, 0, 1, 2, -1};
    memset(g, 0, sizeof(*g));
    for (unsigned i = 0; i < 6; i++) {
        g->dep[i][0] = needs[i] < 0 ? 0 : (unsigned)needs[i];
        g->task[i].dep = g->dep[i];
        g->task[i].n_deps = needs[i] >= 0;
    }
    g->suite.n_metrics = 1;
    for (unsigned r = 0; r < 2; r++) {
        g->metric[r][0] = 3 + r;
        g->row[r] = (struct plan_row){
            .model = 0, .predict = 1 + r, .original = NO_TASK, .metric = g->metric[r]};
    }
    g->plan =
        (struct plan){.suite = &g->suite, .task = g->task, .n = 6, .row = g->row, .n_rows = 2};
}

static uint32_t take(struct exec_queue *q)
{
    uint32_t t = exec_queue_top(q);
    if (t != NO_TASK)
        exec_queue_pop(q);
    return t;
}

static void finish(struct graph *g, struct exec_queue *q, uint32_t task)
{
    g->task[task].state = TASK_DONE;
    exec_queue_done(q, task);
}

static void test_rows_finish_early(void **state)
{
    static const uint32_t want[] = {0, 1, 3, 2, 4, 5};
    (void)state;
    struct graph g;
    struct exec_queue q;
    struct error err = ERROR_INIT;
    graph_init(&g);
    assert_int_equal(exec_queue_init(&q, &g.plan, &err), 0);
    for (unsigned i = 0; i < 6; i++) {
        uint32_t t = take(&q);
        assert_int_equal(t, want[i]);
        finish(&g, &q, t);
    }
    assert_int_equal(take(&q), NO_TASK);
    exec_queue_release(&q);
}

/* An input that turned out to be corrupt is made again, before what reads it. */
static void test_refresh(void **state)
{
    (void)state;
    struct graph g;
    struct exec_queue q;
    struct error err = ERROR_INIT;
    graph_init(&g);
    g.task[0].state = g.task[1].state = TASK_DONE;
    assert_int_equal(exec_queue_init(&q, &g.plan, &err), 0);
    assert_int_equal(exec_queue_top(&q), 3);
    g.task[1].state = TASK_WAITING;
    exec_queue_refresh(&q);
    assert_int_equal(take(&q), 1);
    finish(&g, &q, 1);
    assert_int_equal(take(&q), 3);
    exec_queue_release(&q);
}

static void test_a_failed_input_keeps_tasks_out(void **state)
{
    (void)state;
    struct graph g;
    struct exec_queue q;
    struct error err = ERROR_INIT;
    graph_init(&g);
    g.task[0].state = TASK_DONE;
    g.task[1].state = TASK_FAILED;
    g.task[3].state = TASK_SKIPPED;
    assert_int_equal(exec_queue_init(&q, &g.plan, &err), 0);
    assert_int_equal(take(&q), 2);
    assert_int_equal(take(&q), 5);
    assert_int_equal(take(&q), NO_TASK);
    exec_queue_release(&q);
}

#define MIB ((uint64_t)1 << 20)

static void test_memory(void **state)
{
    (void)state;
    struct exec_memory m = {.guess = {[TASK_TRAIN] = 300 * MIB, [TASK_METRIC] = 20 * MIB}};
    exec_memory_begin(&m);
    assert_true(exec_memory_allows(&m, TASK_TRAIN, 1024 * MIB));
    assert_false(exec_memory_allows(&m, TASK_TRAIN, 350 * MIB)); /* something is left to others */
    assert_true(exec_memory_allows(&m, TASK_TRAIN, UINT64_MAX));
    exec_memory_add(&m, TASK_TRAIN, 100 * MIB); /* will take 200 more */
    assert_true(exec_memory_allows(&m, TASK_TRAIN, 700 * MIB));
    assert_false(exec_memory_allows(&m, TASK_TRAIN, 600 * MIB));
    assert_true(exec_memory_allows(&m, TASK_METRIC, 600 * MIB));
    /* What was measured replaces the guess. */
    exec_memory_learn(&m, TASK_TRAIN, 50 * MIB);
    exec_memory_begin(&m);
    exec_memory_add(&m, TASK_TRAIN, 100 * MIB);
    assert_true(exec_memory_allows(&m, TASK_TRAIN, 200 * MIB));
    /* A budget counts expected peaks, however much the machine has. */
    m.budget = 140 * MIB;
    assert_false(exec_memory_allows(&m, TASK_TRAIN, UINT64_MAX));
    m.budget = 150 * MIB;
    assert_true(exec_memory_allows(&m, TASK_TRAIN, UINT64_MAX));
}

static void test_available(void **state)
{
    (void)state;
    uint64_t available = exec_memory_available();
    assert_true(available > MIB && available < (uint64_t)1 << 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_finish_early),
        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_a_failed_input_keeps_tasks_out),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_available),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
