/* The thread pool. */
#include <pthread.h>
#include <stdatomic.h>

#include "par.h"
#include "unit_base/scratch.h"

enum { MAX_ITEMS = 5000 };

struct job {
    struct par *pool;
    atomic_uint done[MAX_ITEMS];
    atomic_uint bad;
    volatile float tiny;
};

static void count_item(void *arg, size_t item, unsigned worker)
{
    struct job *j = arg;
    if (worker >= par_threads(j->pool))
        atomic_fetch_add(&j->bad, 1);
    volatile float denormal = j->tiny * 1e-10f; /* 1e-40 unless flushed */
    if (denormal != 0.0f)
        atomic_fetch_add(&j->bad, 1);
    atomic_fetch_add(&j->done[item], 1);
}

static void assert_each_once(struct job *j, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_int_equal(atomic_exchange(&j->done[i], 0), 1);
    assert_int_equal(atomic_load(&j->bad), 0);
}

static void every_item_runs_once(void **state)
{
    struct job *j = calloc(1, sizeof *j);
    j->tiny = 1e-30f;
    for (unsigned threads = 0; threads <= 5; threads++) {
        j->pool = threads > 0 ? par_new(threads) : NULL;
        assert_int_equal(par_threads(j->pool), threads > 0 ? threads : 1);
        for (size_t n = 0; n < 40; n++) {
            par_run(j->pool, n, count_item, j);
            assert_each_once(j, n);
        }
        par_run(j->pool, MAX_ITEMS, count_item, j);
        assert_each_once(j, MAX_ITEMS);
        par_free(j->pool);
    }
    free(j);
    par_free(NULL);
    assert_null(par_new(0));
}

/* Many short runs, with pauses that let the helpers fall asleep: a lost wake-up would hang. */
static void many_runs_in_a_row(void **state)
{
    struct job *j = calloc(1, sizeof *j);
    j->tiny = 1e-30f;
    j->pool = par_new(3);
    for (int i = 0; i < 20000; i++) {
        par_run(j->pool, 1 + (size_t)i % 7, count_item, j);
        assert_each_once(j, 1 + (size_t)i % 7);
        if (i % 500 == 0)
            for (uint64_t end = fs_now_ns() + 200000; fs_now_ns() < end;)
                ;
    }
    par_free(j->pool);
    free(j);
}

struct nested {
    struct par *pool;
    struct job *inner;
    pthread_t outer_thread[8];
    atomic_uint strayed;
};

static void inner_item(void *arg, size_t item, unsigned worker)
{
    struct nested *n = arg;
    /* Serial: the same thread and the same worker number as the item outside. */
    if (!pthread_equal(n->outer_thread[worker], pthread_self()))
        atomic_fetch_add(&n->strayed, 1);
    count_item(n->inner, item, worker);
}

static void outer_item(void *arg, size_t item, unsigned worker)
{
    struct nested *n = arg;
    n->outer_thread[worker] = pthread_self();
    par_run(n->pool, 1, inner_item, n); /* any item of the inner job would do */
    atomic_fetch_sub(&n->inner->done[0], 1);
    par_run(n->pool, 4, inner_item, n);
    for (int i = 0; i < 4; i++)
        atomic_fetch_sub(&n->inner->done[i], 1);
}

static void nested_runs_are_serial(void **state)
{
    struct nested n = {.pool = par_new(4), .inner = calloc(1, sizeof *n.inner)};
    n.inner->pool = n.pool;
    n.inner->tiny = 1e-30f;
    for (int i = 0; i < 200; i++)
        par_run(n.pool, 16, outer_item, &n);
    assert_int_equal(atomic_load(&n.strayed), 0);
    assert_int_equal(atomic_load(&n.inner->bad), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(atomic_load(&n.inner->done[i]), 0);
    par_free(n.pool);
    free(n.inner);
}

static void add_square(void *arg, size_t item, unsigned worker)
{
    double *out = arg;
    out[item] = (double)item * 0.1 * (double)item;
}

static void results_do_not_depend_on_threads(void **state)
{
    enum { N = 300 };
    double one[N], many[N];
    par_run(NULL, N, add_square, one);
    struct par *p = par_new(4);
    par_run(p, N, add_square, many);
    par_free(p);
    assert_memory_equal(one, many, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_runs_once),
        cmocka_unit_test(many_runs_in_a_row),
        cmocka_unit_test(nested_runs_are_serial),
        cmocka_unit_test(results_do_not_depend_on_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
