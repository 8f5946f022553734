/* What the unlearners say of themselves: the header comment of each source is its description,
 * every parameter is explained, and nobody is left out. */
#include "unlearn_bench.h"

#include <dirent.h>

/* Letters of s alone up to `end` or the end of the string, lower case. */
static void squeeze(const char *s, const char *end, char *out)
{
    for (; *s && s != end; s++)
        if (*s > ' ' && *s != '*')
            *out++ = *s >= 'A' && *s <= 'Z' ? (char)(*s - 'A' + 'a') : *s;
    *out = 0;
}

static void read_source(const char *file, char *text, size_t size)
{
    char path[600];
    snprintf(path, sizeof(path), "%s/%s.c", SOURCES, file);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s", path);
    size_t n = fread(text, 1, size - 1, f);
    fclose(f);
    assert_true(n < size - 1);
    text[n] = 0;
}

static void check_header(const char *file, const char *doc)
{
    static char text[1 << 16], comment[1 << 14], words[1 << 14];
    char start[320];
    read_source(file, text, sizeof(text));
    snprintf(start, sizeof(start), " * %s.c: ", file);
    const char *begin = strstr(text, start);
    if (!begin || strncmp(text, "/* SPDX-License-Identifier: MIT\n", 32) != 0)
        fail_msg("%s.c: no header comment", file);
    begin += strlen(start);
    squeeze(begin, strstr(begin, "*/"), comment);
    squeeze(doc, NULL, words);
    assert_string_equal(comment, words);
}

/* Defaults, types and bounds come from the same table; here: each has words of its own. */
static void check_params(const char *id, const json_t *params)
{
    const json_t *p;
    size_t i;
    json_array_foreach(params, i, p)
    {
        const char *doc = json_string_value(json_object_get(p, "doc"));
        if (!doc || strlen(doc) < 6)
            fail_msg("%s: parameter %zu is not explained", id, i);
    }
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    assert_non_null(s);
    return s;
}

static void check_plugin(const char *file)
{
    struct bench b = {0};
    struct error err = ERROR_INIT;
    json_t *all = NULL;
    char id[300];
    snprintf(id, sizeof(id), "%s", file);
    for (char *c = id; *c; c++)
        *c = *c == '_' ? '-' : *c;
    bench_open(&b, id);
    assert_ok(plugin_describe(b.h.file, "x.so", &all, &err), err);
    const json_t *p = json_array_get(all, 0);
    assert_string_equal(text_of(p, "id"), id);
    assert_string_equal(text_of(p, "kind"), "unlearner");
    assert_true(strlen(text_of(p, "summary")) > 10 && strlen(text_of(p, "summary")) <= 80);
    check_header(file, text_of(p, "doc"));
    if (strcmp(id, "original") != 0 && strcmp(id, "retrain") != 0) {
        assert_non_null(strstr(text_of(p, "doc"), "Paper: "));
        assert_non_null(strstr(text_of(p, "doc"), "Code read: "));
        assert_int_equal(*text_of(p, "citation"), '@');
    }
    check_params(id, json_object_get(p, "params"));
    json_decref(all);
}

static void test_all(void **state)
{
    DIR *dir = opendir(SOURCES);
    struct dirent *entry;
    int n = 0;
    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (strlen(entry->d_name) > 2 && strcmp(strrchr(entry->d_name, '.'), ".c") == 0) {
            char file[300];
            snprintf(file, sizeof(file), "%.*s", (int)strlen(entry->d_name) - 2, entry->d_name);
            check_plugin(file);
            n++;
        }
    closedir(dir);
    assert_true(n >= 22);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
