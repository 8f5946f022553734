/* What squeue prints, and the folder that submitter and elements share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "slurm_jobs.h"
#include "slurm_queue.h"
#include "text.h"

static void reads_the_suites_own_jobs_only(void **state)
{
    char text[] = "lethe-0badcafe-3|7|120|120_7|PENDING|Dependency\n"
                  "lethe-0badcafe-12|0|131|131_0|RUNNING|None\n"
                  "lethe-feedbeef-3|7|140|140_7|RUNNING|None\n"
                  "analysis|N/A|150|150|RUNNING|None\n"
                  "lethe-0badcafe-4|N/A|160|160|COMPLETING|None\n"
                  "lethe-0badcafe-x|1|161|161_1|RUNNING|None\n"
                  "lethe-0badcafe-5\n";
    struct slurm_listing l;
    (void)state;
    assert_int_equal(0, slurm_list_parse("0badcafe", text, &l, NULL));
    assert_int_equal(3, l.n);
    assert_int_equal(3, l.element[0].batch);
    assert_int_equal(7, l.element[0].index);
    assert_int_equal(SLURM_PENDING, l.element[0].state);
    assert_string_equal("120_7", l.element[0].id);
    assert_string_equal("120", l.element[0].array);
    assert_string_equal("Dependency", l.element[0].reason);
    assert_int_equal(12, l.element[1].batch);
    assert_int_equal(SLURM_RUNNING, l.element[1].state);
    assert_int_equal(4, l.element[2].batch);
    assert_int_equal(0, l.element[2].index); /* no array */
    assert_int_equal(SLURM_RUNNING, l.element[2].state);
    slurm_listing_release(&l);
}

static void knows_what_slurm_never_starts_again(void **state)
{
    char text[] = "lethe-00000000-0|0|1|1_0|PENDING|launch failed requeued held\n"
                  "lethe-00000000-0|1|1|1_1|PENDING|JobHeldUser\n"
                  "lethe-00000000-0|2|1|1_2|REQUEUE_HOLD|None\n"
                  "lethe-00000000-0|3|1|1_3|REQUEUED|None\n"
                  "lethe-00000000-0|4|1|1_4|PENDING|DependencyNeverSatisfied\n";
    static const enum slurm_state want[] = {SLURM_STUCK, SLURM_PENDING, SLURM_STUCK, SLURM_PENDING,
                                            SLURM_STUCK};
    struct slurm_listing l;
    (void)state;
    assert_int_equal(0, slurm_list_parse("00000000", text, &l, NULL));
    assert_int_equal(5, l.n);
    for (size_t i = 0; i < l.n; i++)
        assert_int_equal(want[i], l.element[i].state);
    slurm_listing_release(&l);
}

static void empty_queue(void **state)
{
    char text[] = "";
    struct slurm_listing l;
    (void)state;
    assert_int_equal(0, slurm_list_parse("00000000", text, &l, NULL));
    assert_int_equal(0, l.n);
    slurm_listing_release(&l);
}

struct world {
    char dir[64];
    struct store store;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    strcpy(w->dir, "/tmp/lethe-jobs.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(0, store_open(w->dir, &w->store, NULL));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    store_release(&w->store);
    fs_remove_tree(w->dir, NULL);
    free(w);
    return 0;
}

static void two_submitters_share_a_folder(void **state)
{
    struct world *w = *state;
    struct slurm_jobs a, b;
    unsigned first, second;
    char *dir[2];
    bool there = true;
    assert_int_equal(0, slurm_jobs_find(&w->store, "s", &a, &there, NULL));
    assert_false(there);
    assert_int_equal(0, slurm_jobs_open(&w->store, "s", &a, NULL));
    assert_int_equal(0, slurm_jobs_open(&w->store, "s", &b, NULL));
    assert_string_equal(a.tag, b.tag);
    assert_int_equal(8, strlen(a.tag));
    assert_int_equal(0, slurm_jobs_new_batch(&a, &first, &dir[0], NULL));
    assert_int_equal(0, slurm_jobs_new_batch(&b, &second, &dir[1], NULL));
    assert_int_not_equal(first, second);
    assert_int_equal(0, slurm_jobs_remove(&a, NULL));
    assert_false(fs_exists(a.dir));
    slurm_jobs_release(&b);
    assert_int_equal(0, slurm_jobs_open(&w->store, "s", &b, NULL));
    assert_string_not_equal(a.tag, b.tag); /* jobs of the run before are nobody's */
    slurm_jobs_release(&a);
    slurm_jobs_release(&b);
    free(dir[0]);
    free(dir[1]);
}

static void ids_read_back(void **state)
{
    struct world *w = *state;
    struct slurm_jobs j;
    struct slurm_ids ids;
    unsigned batch;
    char *dir, *path, one[HASH_HEX_SIZE], two[HASH_HEX_SIZE];
    assert_int_equal(0, slurm_jobs_open(&w->store, "s", &j, NULL));
    assert_int_equal(0, slurm_jobs_new_batch(&j, &batch, &dir, NULL));
    hash_bytes("1", 1, one);
    hash_bytes("2", 1, two);
    char *text = text_format("%s\n%s\n", one, two);
    path = fs_join(dir, "ids");
    assert_int_equal(0, fs_write_atomic(path, text, strlen(text), NULL));
    assert_int_equal(0, slurm_jobs_ids(&j, batch, &ids, NULL));
    assert_int_equal(2, ids.n);
    assert_string_equal(one, ids.id[0]);
    assert_string_equal(two, ids.id[1]);
    assert_true(slurm_jobs_ids(&j, batch + 1, &ids, NULL) < 0);
    slurm_ids_release(&ids);
    slurm_jobs_release(&j);
    free(text);
    free(path);
    free(dir);
}

static void verdicts_read_back(void **state)
{
    struct world *w = *state;
    struct slurm_jobs j;
    char reason[] = "killed by \"SIGSEGV\"\n", node[] = "n1";
    struct slurm_verdict v = {VERDICT_CRASHED, 11, reason, node, true, 1.5}, r;
    bool there = true;
    assert_int_equal(0, slurm_jobs_open(&w->store, "s", &j, NULL));
    assert_int_equal(0, slurm_verdict_read(j.dir, "ab", &r, &there, NULL));
    assert_false(there);
    assert_int_equal(0, slurm_verdict_write(j.dir, "ab", &v, NULL));
    assert_int_equal(0, slurm_verdict_read(j.dir, "ab", &r, &there, NULL));
    assert_true(there);
    assert_int_equal(VERDICT_CRASHED, r.verdict);
    assert_int_equal(11, r.signal);
    assert_string_equal(reason, r.reason);
    assert_string_equal("n1", r.node);
    assert_true(r.refused);
    slurm_verdict_release(&r);
    slurm_verdict_remove(j.dir, "ab");
    assert_int_equal(0, slurm_verdict_read(j.dir, "ab", &r, &there, NULL));
    assert_false(there);
    slurm_jobs_release(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_suites_own_jobs_only),
        cmocka_unit_test(knows_what_slurm_never_starts_again),
        cmocka_unit_test(empty_queue),
        cmocka_unit_test_setup_teardown(two_submitters_share_a_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(ids_read_back, setup, teardown),
        cmocka_unit_test_setup_teardown(verdicts_read_back, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
