/* What Lethe's plugins say of themselves: complete, well-formed, the same words
 * as the header comments of their sources, and short as promised. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_host.h"

#define PLUGIN_MAP(X)                                                                              \
    X(retrain, "unlearners", UNLEARNER)                                                            \
    X(finetune, "unlearners", UNLEARNER)                                                           \
    X(gradient_ascent, "unlearners", UNLEARNER)                                                    \
    X(random_labels, "unlearners", UNLEARNER)                                                      \
    X(amun, "unlearners", UNLEARNER)                                                               \
    X(pgd_l2_nearest, "attacks", EXAMPLE_ATTACK)                                                   \
    X(rmia, "attacks", MEMBERSHIP_ATTACK)                                                          \
    X(loss_threshold, "attacks", MEMBERSHIP_ATTACK)                                                \
    X(lira, "attacks", MEMBERSHIP_ATTACK)                                                          \
    X(u_lira, "attacks", MEMBERSHIP_ATTACK)                                                        \
    X(attack_p, "attacks", MEMBERSHIP_ATTACK)                                                      \
    X(attack_r, "attacks", MEMBERSHIP_ATTACK)                                                      \
    X(song_mittal, "attacks", MEMBERSHIP_ATTACK)                                                   \
    X(svc_mia, "attacks", MEMBERSHIP_ATTACK)                                                       \
    X(entropy_logistic, "attacks", MEMBERSHIP_ATTACK)                                              \
    X(fgsm, "attacks", EXAMPLE_ATTACK)                                                             \
    X(u_mia, "attacks", AUDIT)                                                                     \
    X(mia_nn, "attacks", AUDIT)                                                                    \
    X(accuracy, "metrics", METRIC)

#define PLUGIN_EXTERN(name, dir, kind) extern const lethe_entry lethe_plugin_entry_##name;
PLUGIN_MAP(PLUGIN_EXTERN)

struct row {
    const char *file, *dir;
    const lethe_entry *entry;
    uint32_t kind;
};
#define PLUGIN_ROW(name, dir, kind) {#name, dir, &lethe_plugin_entry_##name, LETHE_KIND_##kind},
static const struct row rows[] = {PLUGIN_MAP(PLUGIN_ROW)};
enum { N_ROWS = sizeof rows / sizeof *rows };

static int is_word(const char *s, char more)
{
    if (*s < 'a' || *s > 'z')
        return 0;
    for (; *s; s++)
        if (!(*s >= 'a' && *s <= 'z') && !(*s >= '0' && *s <= '9') && *s != more)
            return 0;
    return s[-1] != more;
}

static void check_info(const lethe_info *i, const char *file)
{
    char id[64];
    assert_int_equal(i->struct_size, sizeof *i);
    snprintf(id, sizeof id, "%s", file);
    for (char *c = id; *c; c++)
        *c = *c == '_' ? '-' : *c;
    assert_string_equal(i->id, id);
    assert_true(is_word(i->id, '-'));
    assert_true(strlen(i->short_name) >= 1 && strlen(i->short_name) <= 12);
    assert_string_equal(i->license, "MIT");
    assert_true(i->name[0] && i->version[0] && i->author[0] && i->summary[0] && i->doc[0]);
    assert_true(!strchr(i->summary, '\n') && strlen(i->summary) <= 80);
    assert_true(!i->citation[0] || i->citation[0] == '@');
    assert_non_null(i->url);
}

static void check_param(const lethe_param *p)
{
    assert_int_equal(p->struct_size, sizeof *p);
    assert_true(is_word(p->name, '_') && p->unit && p->doc[0] && !strchr(p->doc, '\n'));
    assert_true(!!p->choices == (p->type == LETHE_PARAM_CHOICE));
    if (p->type == LETHE_PARAM_REAL)
        assert_true(p->min.r <= p->def.r && p->def.r <= p->max.r && isfinite(p->max.r));
    else if (p->type == LETHE_PARAM_CHOICE)
        for (int64_t c = 0; c <= p->def.i; c++)
            assert_non_null(p->choices[c]);
    else
        assert_true(p->min.i <= p->def.i && p->def.i <= p->max.i);
}

static void test_tables(void **state)
{
    for (int r = 0; r < N_ROWS; r++) {
        const lethe_plugin *p = rows[r].entry->plugins[0];
        assert_int_equal(rows[r].entry->magic, LETHE_MAGIC);
        assert_int_equal(rows[r].entry->struct_size, sizeof(lethe_entry));
        assert_int_equal(rows[r].entry->abi_major, LETHE_ABI_MAJOR);
        assert_true(rows[r].entry->abi_minor_required <= LETHE_ABI_MINOR);
        assert_int_equal(rows[r].entry->n_plugins, 1);
        assert_int_equal(p->struct_size, sizeof *p);
        assert_int_equal(p->kind, rows[r].kind);
        assert_int_equal(p->param_stride, sizeof(lethe_param));
        assert_non_null(p->iface);
        assert_int_equal(p->needs & p->uses, 0);
        check_info(p->info, rows[r].file);
        for (uint32_t i = 0; i < p->n_params; i++) {
            check_param(&p->params[i]);
            for (uint32_t j = 0; j < i; j++)
                assert_string_not_equal(p->params[i].name, p->params[j].name);
        }
    }
}

/* The methods that work without the retain set must not need it. */
static void test_needs(void **state)
{
    for (int r = 0; r < N_ROWS; r++) {
        const lethe_plugin *p = rows[r].entry->plugins[0];
        int always = strcmp(p->info->id, "finetune") == 0 || strcmp(p->info->id, "retrain") == 0;
        assert_true(!!(p->needs & LETHE_CAP_RETAIN) == always);
        if (p->kind == LETHE_KIND_UNLEARNER) {
            assert_true((p->needs | p->uses) & LETHE_CAP_RETAIN);
            assert_true(!!(p->needs & LETHE_CAP_FORGET) == !always);
        }
    }
}

static char *source_of(const struct row *r)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/plugins/%s/%s.c", LETHE_SOURCE_DIR, r->dir, r->file);
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("cannot open %s", path);
    char *text = calloc(1, 1 << 16);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 16) - 1, file) < (1 << 16) - 1);
    fclose(file);
    return text;
}

/* Letters of s alone, until `end` or the end of the string: lower case. */
static void squeeze(const char *s, const char *end, char *out)
{
    for (; *s && s != end; s++)
        if (*s > ' ' && *s != '*')
            *out++ = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;
    *out = 0;
}

/* The header comment and info.doc are the same text. */
static void test_header_is_doc(void **state)
{
    for (int r = 0; r < N_ROWS; r++) {
        char comment[8192], doc[8192], start[128];
        char *text = source_of(&rows[r]);
        snprintf(start, sizeof start, " * %s.c: ", rows[r].file);
        const char *begin = strstr(text, start);
        assert_true(begin && strncmp(text, "/* SPDX-License-Identifier: MIT\n", 32) == 0);
        begin += strlen(start);
        squeeze(begin, strstr(begin, "*/"), comment);
        squeeze(rows[r].entry->plugins[0]->info->doc, NULL, doc);
        size_t n = strlen(comment);
        if (n && comment[n - 1] == '/')
            comment[n - 1] = 0;
        assert_string_equal(comment, doc);
        free(text);
    }
}

/* A fine-tuning unlearner is under 50 lines, AMUN under 120. */
static void test_length(void **state)
{
    for (int r = 0; r < N_ROWS; r++) {
        char *text = source_of(&rows[r]);
        int lines = 0;
        for (const char *c = text; *c; c++)
            lines += *c == '\n';
        if (strcmp(rows[r].file, "finetune") == 0)
            assert_in_range(lines, 1, 49);
        if (strcmp(rows[r].file, "amun") == 0)
            assert_in_range(lines, 1, 119);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_needs),
        cmocka_unit_test(test_header_is_doc),
        cmocka_unit_test(test_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
