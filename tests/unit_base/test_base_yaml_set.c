/* `--set path=value`, and a small random search for texts that break the parser. */
#include "rng.h"
#include "unit_base/scratch.h"
#include "yaml.h"

static struct yaml_node *parsed(const char *text)
{
    struct error err = ERROR_INIT;
    struct yaml_node *root = NULL;
    assert_ok(yaml_parse("s.yaml", text, strlen(text), &root, &err));
    return root;
}

static void assert_set(const char *text, const char *path, const char *value, const char *want)
{
    struct error err = ERROR_INIT;
    struct yaml_node *root = parsed(text);
    struct strbuf out;
    strbuf_init(&out);
    assert_ok(yaml_set(root, path, value, &err));
    yaml_to_json(root, &out);
    assert_string_equal(out.s, want);
    strbuf_release(&out);
    yaml_free(root);
}

static void sets_and_makes(void **state)
{
    assert_set("a: 1", "a", "2", "{\"a\":2}");
    assert_set("a: {b: 1, c: 2}", "a.c", "x", "{\"a\":{\"b\":1,\"c\":\"x\"}}");
    assert_set("a: 1", "x.y.z", "8/256", "{\"a\":1,\"x\":{\"y\":{\"z\":0.03125}}}");
    assert_set("a: [{m: {lr: 1}}, 2]", "a.0.m.lr", "0.5", "{\"a\":[{\"m\":{\"lr\":0.5}},2]}");
    assert_set("a: [1, 2]", "a.1", "{b: [c]}", "{\"a\":[1,{\"b\":[\"c\"]}]}");
    assert_set("a: 1", "gap", "[a,b]", "{\"a\":1,\"gap\":[\"a\",\"b\"]}");
    assert_set("a:", "a.b", "true", "{\"a\":{\"b\":true}}");
    assert_set("", "a.b", "1", "{\"a\":{\"b\":1}}");
    assert_set("a: 1", "a", "", "{\"a\":null}");
    assert_set("a: 1", "a", "'7'", "{\"a\":\"7\"}");
    assert_set("org.lab.m: {lr: 1}", "org.lab.m.lr", "2", "{\"org.lab.m\":{\"lr\":2}}");
    assert_set("[1, 2]", "0", "5", "[5,2]");
}

static void what_was_set_says_so(void **state)
{
    static const char *const keys[] = {"epochs", NULL};
    struct error err = ERROR_INIT;
    struct yaml_node *root = parsed("train: {epochs: 3}");
    int64_t v = 0;
    assert_ok(yaml_set(root, "train.epochs", "many", &err));
    const struct yaml_node *epochs = yaml_get(yaml_get(root, "train"), "epochs");
    assert_string_equal(epochs->origin, "--set");
    assert_int_equal(epochs->line, 0);
    assert_error(yaml_int(epochs, "epochs", &v, &err), &err,
                 "--set: epochs: expected a whole number, found \"many\"");
    assert_ok(yaml_set(root, "train.epoch", "1", &err));
    assert_error(yaml_known_keys(yaml_get(root, "train"), "train", keys, &err), &err,
                 "--set: unknown key \"epoch\" in train; did you mean \"epochs\"?");
    yaml_free(root);
}

static void assert_refused(const char *text, const char *path, const char *value, const char *want)
{
    struct error err = ERROR_INIT;
    struct yaml_node *root = parsed(text);
    struct strbuf was, is;
    strbuf_init(&was);
    strbuf_init(&is);
    yaml_to_json(root, &was);
    assert_error(yaml_set(root, path, value, &err), &err, want);
    yaml_to_json(root, &is);
    assert_string_equal(was.s, is.s); /* the tree is as it was */
    strbuf_release(&was);
    strbuf_release(&is);
    yaml_free(root);
}

static void bad_paths_are_refused(void **state)
{
    assert_refused("a: [1, 2]", "a.2", "x",
                   "--set a.2: a is a list of 2 items, numbered from 0; it has no \"2\"");
    assert_refused("a: [1, 2]", "a.x.y", "x",
                   "--set a.x.y: a is a list of 2 items, numbered from 0; it has no \"x\"");
    assert_refused(
        "data: fashion-mnist", "data.train", "5",
        "--set data.train: data is \"fashion-mnist\", not a map; set data={...} as a whole");
    assert_refused("a: 1", "", "5", "--set : an empty name in the path");
    assert_refused("a: 1", "b..c", "5", "--set b..c: an empty name in the path");
    assert_refused("a: 1", "b.", "5", "--set b.: an empty name in the path");
    assert_refused("just text", "b", "5", "--set b: the document is no map");
    struct error err = ERROR_INIT;
    struct yaml_node *root = parsed("a: 1");
    assert_error(yaml_set(root, "a", "[1", &err), &err,
                 "--set a=[1: flow sequence without a closing bracket");
    assert_error(yaml_set(root, "a", "*x", &err), &err,
                 "--set a=*x: aliases (*name) are not supported; write the value out");
    yaml_free(root);
}

/* Mutations of a real suite: whatever comes out, nothing may crash, leak or hang (the sanitizer
 * builds look on), and an error always has a text. */
static void mutations_do_not_break_the_parser(void **state)
{
    static const char seed_text[] = "suite: q\ndata: {name: fashion-mnist, train: 5000}\n"
                                    "forget:\n  - {random: 0.1}\n  - class: [3, 5]\n"
                                    "text: |\n  a\n   b\nunlearn: [\"x\", 'y', &a b, !t c]\n";
    static const char bytes[] = "{}[]:,-&*!|>'\"%@#? \n\tab0.~<\\\xc3\xa9";
    struct rng r;
    rng_from_key(&r, 7);
    for (int round = 0; round < 4000; round++) {
        char text[sizeof seed_text + 8];
        size_t n = sizeof seed_text - 1;
        memcpy(text, seed_text, sizeof seed_text);
        for (uint32_t k = 1 + rng_below(&r, 4); k > 0; k--) {
            size_t at = rng_below(&r, (uint32_t)n);
            if (rng_below(&r, 3) == 0) {
                memmove(text + at, text + at + 1, n - at - 1);
                n--;
            } else
                text[at] = bytes[rng_below(&r, sizeof bytes - 1)];
        }
        struct error err = ERROR_INIT;
        struct yaml_node *root = NULL;
        if (yaml_parse("m.yaml", text, n, &root, &err) == 0) {
            struct strbuf out;
            strbuf_init(&out);
            yaml_to_json(root, &out);
            assert_true(out.len > 0);
            strbuf_release(&out);
            yaml_free(root);
        } else {
            assert_null(root);
            assert_memory_equal(err.text, "m.yaml:", 7);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_and_makes),
        cmocka_unit_test(what_was_set_says_so),
        cmocka_unit_test(bad_paths_are_refused),
        cmocka_unit_test(mutations_do_not_break_the_parser),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
