/* What tasks hand to each other reads back as it was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"
#include "model_file.h"
#include "safetensors.h"
#include "task.h"
#include "text.h"

static char *temp_dir(void)
{
    char *dir = text_dup("/tmp/lethe-files.XXXXXX");
    assert_non_null(mkdtemp(dir));
    return dir;
}

static struct arch *small_arch(void)
{
    static const char text[] = "{arch: cnn, width: 4, classes: 3, input: [1, 8, 8]}";
    struct yaml_node *node = NULL;
    struct arch *arch = NULL;
    struct error err = ERROR_INIT;
    const uint32_t none[3] = {0, 0, 0};
    assert_int_equal(yaml_parse("arch", text, strlen(text), &node, &err), 0);
    if (arch_parse(node, none, 0, &arch, &err) < 0)
        fail_msg("%s", err.text);
    yaml_free(node);
    return arch;
}

static void test_model_round_trip(void **state)
{
    struct error err = ERROR_INIT;
    struct arch *arch = small_arch(), *arch2 = NULL;
    struct model *m = NULL, *m2 = NULL;
    char *dir = temp_dir(), *path = fs_join(dir, "m.safetensors");
    (void)state;
    assert_int_equal(model_new(arch, &m, &err), 0);
    model_init(m, 7, "test");
    for (size_t i = 0; i < m->n_stat; i++)
        m->stat[i] = (float)i * 0.37f;
    assert_int_equal(model_save(m, path, &err), 0);
    if (model_load(path, &arch2, &m2, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(m->n_param, m2->n_param);
    assert_int_equal(m->n_stat, m2->n_stat);
    assert_memory_equal(m->param, m2->param, m->n_param * sizeof(float));
    assert_memory_equal(m->stat, m2->stat, m->n_stat * sizeof(float));
    model_free(m2);
    arch_free(arch2);
    model_free(m);
    arch_free(arch);
    fs_remove_tree(dir, NULL);
    free(path);
    free(dir);
}

static void test_model_with_a_wrong_shape(void **state)
{
    struct error err = ERROR_INIT;
    struct arch *arch = small_arch(), *other = NULL;
    struct model *m = NULL, *back = NULL;
    char *dir = temp_dir(), *path = fs_join(dir, "m.safetensors");
    struct safetensors st;
    (void)state;
    assert_int_equal(model_new(arch, &m, &err), 0);
    assert_int_equal(model_save(m, path, &err), 0);
    assert_int_equal(safetensors_open(path, &st, &err), 0);
    /* the same tensors, the first one transposed in name only */
    struct st_tensor *t = calloc(st.n, sizeof(*t));
    memcpy(t, st.tensor, st.n * sizeof(*t));
    for (size_t i = 0; i < st.n; i++) /* the counters of batch-norm layers come first */
        if (strcmp(t[i].name, "conv1.weight") == 0) {
            struct st_tensor first = t[0];
            t[0] = t[i];
            t[i] = first;
        }
    size_t keep = t[0].dim[0];
    t[0].dim[0] = t[0].n;
    t[0].n_dim = 1;
    const char *key = "lethe.arch", *value = safetensors_meta(&st, "lethe.arch");
    char *bad = fs_join(dir, "bad.safetensors");
    assert_int_equal(safetensors_write(bad, t, st.n, &key, &value, 1, &err), 0);
    assert_true(model_load(bad, &other, &back, &err) < 0);
    assert_non_null(strstr(err.text, "has shape"));
    t[0].dim[0] = keep;
    assert_int_equal(safetensors_write(bad, t + 1, st.n - 1, &key, &value, 1, &err), 0);
    assert_true(model_load(bad, &other, &back, &err) < 0);
    assert_non_null(strstr(err.text, "is missing"));
    safetensors_release(&st);
    free(t);
    free(bad);
    model_free(m);
    arch_free(arch);
    fs_remove_tree(dir, NULL);
    free(path);
    free(dir);
}

static void test_adversarial_round_trip(void **state)
{
    enum { N = 3, PIXELS = 4 };
    struct error err = ERROR_INIT;
    float x[N * PIXELS], radius[N] = {0.04f, 0.08f, 0.1f}, l2[N] = {0.01f, 1e-7f, 3};
    float linf[N] = {0, 0.5f, 1};
    int32_t label[N] = {1, 0, 2}, clean[N] = {0, 1, 2}, y[N] = {0, 1, 2};
    uint8_t found[N] = {1, 1, 0};
    uint32_t steps[N] = {5, 0, 700}, ids[N] = {4, 9, 11};
    struct adversarial a = {N, x, label, clean, found, radius, l2, linf, steps, {.forward = 12}};
    struct adversarial b;
    struct dataset ds = {.n_train = 12, .channels = 1, .height = 2, .width = 2};
    char *dir = temp_dir();
    (void)state;
    for (int i = 0; i < N * PIXELS; i++)
        x[i] = (float)i / 7;
    assert_int_equal(adversarial_save(&a, &ds, ids, y, true, dir, &err), 0);
    if (adversarial_load(dir, &b, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(b.n, N);
    assert_memory_equal(b.x, x, sizeof(x));
    assert_memory_equal(b.label, label, sizeof(label));
    assert_memory_equal(b.clean_pred, clean, sizeof(clean));
    assert_memory_equal(b.found, found, sizeof(found));
    assert_memory_equal(b.radius, radius, sizeof(radius));
    assert_memory_equal(b.l2, l2, sizeof(l2));
    assert_memory_equal(b.linf, linf, sizeof(linf));
    assert_memory_equal(b.steps, steps, sizeof(steps));
    assert_int_equal(b.cost.forward, 12);
    adversarial_release(&b);
    fs_remove_tree(dir, NULL);
    free(dir);
}

static void test_seeds_differ_by_role_and_number(void **state)
{
    (void)state;
    assert_true(task_seed("original", 1) == task_seed("original", 1));
    assert_true(task_seed("original", 1) != task_seed("original", 2));
    assert_true(task_seed("original", 1) != task_seed("retrain", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_round_trip),
        cmocka_unit_test(test_model_with_a_wrong_shape),
        cmocka_unit_test(test_adversarial_round_trip),
        cmocka_unit_test(test_seeds_differ_by_role_and_number),
    };
    return cmocka_run_group_tests_name("task_files", tests, NULL, NULL);
}
