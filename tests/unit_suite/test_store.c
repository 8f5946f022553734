/* The store: whole objects or none, damage noticed, leftovers swept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs.h"
#include "store.h"
#include "text.h"

struct world {
    char dir[64];
    struct store store;
};

static int setup(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct error err = ERROR_INIT;
    strcpy(w->dir, "/tmp/lethe-store.XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(store_open(w->dir, &w->store, &err), 0);
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

/* Publishes an object with one file; returns its id in ret_id. */
static void publish(struct world *w, const char *text, char ret_id[HASH_HEX_SIZE])
{
    struct error err = ERROR_INIT;
    json_t *identity = json_pack("{s:s}", "kind", text), *cost = json_object();
    char *workspace = NULL;
    assert_int_equal(store_id(identity, ret_id, &err), 0);
    assert_int_equal(store_workspace(&w->store, ret_id, &workspace, &err), 0);
    char *path = text_format("%s/out/value.txt", workspace);
    assert_int_equal(fs_write_atomic(path, text, strlen(text), &err), 0);
    assert_int_equal(store_commit(&w->store, ret_id, workspace, identity, cost, &err), 0);
    store_workspace_end(&w->store, ret_id, workspace, false);
    assert_false(fs_exists(workspace));
    free(path);
    free(workspace);
    json_decref(identity);
    json_decref(cost);
}

static void test_ids_do_not_depend_on_key_order(void **state)
{
    char a[HASH_HEX_SIZE], b[HASH_HEX_SIZE], c[HASH_HEX_SIZE];
    json_t *x = json_pack("{s:i,s:i}", "a", 1, "b", 2), *y = json_pack("{s:i,s:i}", "b", 2, "a", 1);
    json_t *z = json_pack("{s:i,s:i}", "a", 1, "b", 3);
    (void)state;
    assert_int_equal(store_id(x, a, NULL), 0);
    assert_int_equal(store_id(y, b, NULL), 0);
    assert_int_equal(store_id(z, c, NULL), 0);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    json_decref(x);
    json_decref(y);
    json_decref(z);
}

static void test_commit_and_look(void **state)
{
    struct world *w = *state;
    char id[HASH_HEX_SIZE];
    struct error err = ERROR_INIT;
    json_t *meta = NULL;
    publish(w, "one", id);
    assert_int_equal(store_look(&w->store, id, &err), STORE_PRESENT);
    assert_int_equal(store_check(&w->store, id, &err), 0);
    assert_int_equal(store_meta(&w->store, id, &meta, &err), 0);
    assert_string_equal(json_string_value(json_object_get(meta, "id")), id);
    json_decref(meta);
    publish(w, "one", id); /* a second process that was slower: no harm */
    assert_int_equal(store_look(&w->store, id, &err), STORE_PRESENT);
    id[0] = id[0] == '0' ? '1' : '0';
    assert_int_equal(store_look(&w->store, id, &err), STORE_ABSENT);
}

static void damage(struct world *w, const char *id, const char *text)
{
    char *path = store_path(&w->store, id, "value.txt");
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    free(path);
}

static void test_damage_is_noticed(void **state)
{
    struct world *w = *state;
    char id[HASH_HEX_SIZE];
    struct error err = ERROR_INIT;
    publish(w, "four", id);
    damage(w, id, "fou"); /* shorter */
    assert_int_equal(store_look(&w->store, id, &err), STORE_CORRUPT);
    assert_non_null(strstr(err.text, "3 bytes, 4 were written"));
    damage(w, id, "fore"); /* same size, other mtime, other bytes */
    assert_int_equal(store_look(&w->store, id, &err), STORE_CORRUPT);
    damage(w, id, "four"); /* the right bytes with another mtime are fine */
    assert_int_equal(store_look(&w->store, id, &err), STORE_PRESENT);
    damage(w, id, "x");
    assert_int_equal(store_discard(&w->store, id, &err), 0);
    assert_int_equal(store_look(&w->store, id, &err), STORE_ABSENT);
    publish(w, "four", id);
    assert_int_equal(store_look(&w->store, id, &err), STORE_PRESENT);
}

static void test_missing_file_and_broken_meta(void **state)
{
    struct world *w = *state;
    char id[HASH_HEX_SIZE];
    struct error err = ERROR_INIT;
    publish(w, "gone", id);
    char *path = store_path(&w->store, id, "value.txt");
    unlink(path);
    free(path);
    assert_int_equal(store_look(&w->store, id, &err), STORE_CORRUPT);
    publish(w, "meta", id);
    path = store_path(&w->store, id, "meta.json");
    assert_int_equal(truncate(path, 10), 0);
    free(path);
    assert_int_equal(store_look(&w->store, id, &err), STORE_CORRUPT);
}

static void test_sweep_spares_the_living(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    struct store again;
    char *mine = NULL, host[65] = "";
    char id[HASH_HEX_SIZE] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    assert_int_equal(store_workspace(&w->store, id, &mine, &err), 0);
    gethostname(host, 64);
    for (char *p = host; *p; p++)
        if (*p == '.')
            *p = '-';
    char *dead = text_format("%s/tmp/0123456789abcdef.%s.999999999.0", w->dir, host);
    char *other = text_format("%s/tmp/0123456789abcdef.elsewhere.999999999.0", w->dir);
    assert_int_equal(fs_mkdirs(dead, &err), 0);
    assert_int_equal(fs_mkdirs(other, &err), 0);
    assert_int_equal(store_open(w->dir, &again, &err), 0);
    assert_true(fs_exists(mine));
    assert_false(fs_exists(dead));
    assert_true(fs_exists(other));
    store_release(&again);
    free(mine);
    free(dead);
    free(other);
}

static void test_logs_of_failures_are_kept(void **state)
{
    struct world *w = *state;
    struct error err = ERROR_INIT;
    char id[HASH_HEX_SIZE] = "abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789";
    char *workspace = NULL;
    assert_int_equal(store_workspace(&w->store, id, &workspace, &err), 0);
    char *log = text_format("%s/log.txt", workspace);
    assert_int_equal(fs_write_atomic(log, "why\n", 4, &err), 0);
    store_workspace_end(&w->store, id, workspace, true);
    char *kept = text_format("%s/logs/%s.log", w->dir, id);
    assert_int_equal(fs_size(kept), 4);
    free(kept);
    free(log);
    free(workspace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids_do_not_depend_on_key_order),
        cmocka_unit_test_setup_teardown(test_commit_and_look, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage_is_noticed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_file_and_broken_meta, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sweep_spares_the_living, setup, teardown),
        cmocka_unit_test_setup_teardown(test_logs_of_failures_are_kept, setup, teardown),
    };
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
