/* YAML: the tree, its positions, the exact texts of its errors. */
#include "unit_base/scratch.h"
#include "yaml.h"

static struct yaml_node *parsed(const char *text)
{
    struct error err = ERROR_INIT;
    struct yaml_node *root = NULL;
    assert_ok(yaml_parse("suite.yaml", text, strlen(text), &root, &err));
    return root;
}

static void assert_refused(const char *text, const char *want)
{
    struct error err = ERROR_INIT;
    struct yaml_node *root = NULL;
    assert_error(yaml_parse("suite.yaml", text, strlen(text), &root, &err), &err, want);
    assert_null(root);
}

static void assert_place(const struct yaml_node *node, int line, int column)
{
    assert_non_null(node);
    assert_int_equal(node->line, line);
    assert_int_equal(node->column, column);
    assert_string_equal(node->origin, "suite.yaml");
}

static void trees_know_where_they_stand(void **state)
{
    struct yaml_node *root = parsed("# comment\n"
                                    "suite: quick\n"
                                    "train: {epochs: 20, \"lr\": 5e-4}\n"
                                    "unlearn:\n"
                                    "  - finetune:\n"
                                    "      lr: 0.01\n"
                                    "  - {label: 'A b', amun: null}\n"
                                    "empty:\n"
                                    "last: 8/255\n");
    assert_place(root, 2, 1);
    assert_int_equal(root->kind, YAML_MAP);
    assert_int_equal(root->n, 5);
    assert_place(yaml_get(root, "suite"), 2, 8);
    const struct yaml_node *train = yaml_get(root, "train"), *list = yaml_get(root, "unlearn");
    assert_place(train, 3, 8);
    assert_place(yaml_get(train, "epochs"), 3, 17);
    assert_string_equal(yaml_get(train, "lr")->text, "5e-4");
    assert_int_equal(train->child[1].line, 3);
    assert_int_equal(train->child[1].column, 21);
    assert_int_equal(list->kind, YAML_LIST);
    assert_place(list, 5, 3);
    assert_place(yaml_get(list->child[0].value, "finetune"), 6, 7);
    const struct yaml_node *label = yaml_get(list->child[1].value, "label");
    assert_true(label->quoted);
    assert_string_equal(label->text, "A b");
    assert_string_equal(yaml_get(list->child[1].value, "amun")->text, "");
    assert_string_equal(yaml_get(root, "empty")->text, "");
    assert_null(yaml_get(root, "missing"));
    assert_null(yaml_get(NULL, "x"));
    assert_null(yaml_get(list, "x"));
    yaml_free(root);
}

static void nothing_is_null(void **state)
{
    static const char *const texts[] = {"", "\n", "# only a comment\n", "---\n", "~"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct yaml_node *root = parsed(texts[i]);
        assert_int_equal(root->kind, YAML_SCALAR);
        assert_string_equal(root->text, "");
        assert_false(root->quoted);
        yaml_free(root);
    }
}

static void json_is_yaml(void **state)
{
    struct yaml_node *root = parsed("{\"a\": [1, true, null, \"x\"], \"b\": {\"c\": -1.5e3}}\n");
    struct strbuf out;
    strbuf_init(&out);
    yaml_to_json(root, &out);
    assert_string_equal(out.s, "{\"a\":[1,true,null,\"x\"],\"b\":{\"c\":-1500}}");
    strbuf_release(&out);
    yaml_free(root);
}

static void canonical_json(void **state)
{
    struct yaml_node *root = parsed("z: 8/255\n"
                                    "a: '5'\n"
                                    "b: [TRUE, false, ~, 007, 1.0, 1e-3, 1/3, yes]\n"
                                    "c: |\n"
                                    "  two\n"
                                    "  \"lines\"\\\n"
                                    "d: {}\n"
                                    "e: []\n"
                                    "f: \"\"\n");
    struct strbuf out;
    strbuf_init(&out);
    yaml_to_json(root, &out);
    assert_string_equal(out.s,
                        "{\"z\":0.03137254901960784,\"a\":\"5\",\"b\":[true,false,null,7,1,0.001,"
                        "0.3333333333333333,\"yes\"],\"c\":\"two\\u000a\\\"lines\\\"\\\\\\u000a\","
                        "\"d\":{},\"e\":[],\"f\":\"\"}");
    strbuf_release(&out);
    yaml_free(root);
}

static void clones_are_equal_and_own(void **state)
{
    struct yaml_node *root = parsed("a: {b: [1, 'x']}\n"), *copy = yaml_clone(root);
    struct strbuf one, two;
    strbuf_init(&one);
    strbuf_init(&two);
    yaml_to_json(root, &one);
    yaml_free(root);
    yaml_to_json(copy, &two);
    assert_string_equal(one.s, two.s);
    assert_place(yaml_get(yaml_get(copy, "a"), "b"), 1, 8);
    yaml_free(copy);
    yaml_free(NULL);
    strbuf_release(&one);
    strbuf_release(&two);
}

static void hostile_texts_are_refused(void **state)
{
    assert_refused("a: &x [1]\nb: *x\n",
                   "suite.yaml:2:4: aliases (*name) are not supported; write the value out");
    assert_refused("a: 1\nb: 2\na: 3\n",
                   "suite.yaml:3:1: the key \"a\" appears twice; first in line 1");
    assert_refused("x: {a: 1, \"a\": 2}\n",
                   "suite.yaml:1:11: the key \"a\" appears twice; first in line 1");
    assert_refused("<<: {a: 1}\n",
                   "suite.yaml:1:1: merge keys (<<) are not supported; repeat the keys");
    assert_refused("a: !!str 5\n", "suite.yaml:1:4: tags (!name) are not supported");
    assert_refused("a: 1\n---\nb: 2\n", "suite.yaml:2:1: a second document (---) is not supported");
    assert_refused("[a, b]: 1\n", "suite.yaml:1:1: a key must be a plain word");
    assert_refused("a: \"x\\0y\"\n", "suite.yaml:1:4: text with a zero byte is not supported");
    assert_refused("a: \xff\n", "suite.yaml: not UTF-8 text; is it a YAML file?");
}

/* The words of syntax errors are libfyaml's; file and place are what counts. */
static void syntax_errors_have_a_place(void **state)
{
    static const struct {
        const char *text, *place;
    } cases[] = {
        {"a: [1, 2\n", "suite.yaml:"},       {"a: {b: 1\n", "suite.yaml:"},
        {"a: \"open\n", "suite.yaml:1:"},    {"a: b: c\n", "suite.yaml:1:"},
        {"a: 1\n  b: 2\n", "suite.yaml:1:"}, {"\tx: 1\n", "suite.yaml:1:"},
        {"a: @x\n", "suite.yaml:1:4"},       {"- a\nb: 1\n", "suite.yaml:2:"},
        {"a: %x\n", "suite.yaml:1:"},        {"%YAML 9.9\n---\na: 1\n", "suite.yaml:"},
        {"a: *nowhere\n", "suite.yaml:1:"},  {"a: ]\n", "suite.yaml:1:"},
        {"a: \"\\q\"\n", "suite.yaml:1:"},   {"? \n", "suite.yaml:1:"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = ERROR_INIT;
        struct yaml_node *root = NULL;
        int rc = yaml_parse("suite.yaml", cases[i].text, strlen(cases[i].text), &root, &err);
        if (rc == 0)
            fail_msg("accepted: %s", cases[i].text);
        assert_error_part(rc, &err, cases[i].place);
    }
}

static void depth_and_size_are_limited(void **state)
{
    struct error err = ERROR_INIT;
    struct yaml_node *root = NULL;
    char deep[400];
    memset(deep, '[', sizeof deep);
    assert_error_part(yaml_parse("d.yaml", deep, sizeof deep, &root, &err), &err, "d.yaml:1:");
    memset(deep, '[', 65);
    memset(deep + 65, ']', 65);
    assert_error_part(yaml_parse("d.yaml", deep, 130, &root, &err), &err, "d.yaml:1:65: ");
    memset(deep, '[', 64);
    memset(deep + 64, ']', 64);
    assert_ok(yaml_parse("d.yaml", deep, 128, &root, &err));
    yaml_free(root);
    size_t n = (4 << 20) + 1;
    char *large = malloc(n);
    assert_non_null(large);
    memset(large, '\n', n);
    assert_error(yaml_parse("d.yaml", large, n, &root, &err), &err,
                 "d.yaml: larger than the 4 MiB that are accepted");
    free(large);
    struct strbuf many;
    strbuf_init(&many);
    strbuf_addc(&many, '[');
    for (int i = 0; i < 500001; i++)
        strbuf_adds(&many, "1,");
    strbuf_addc(&many, ']');
    assert_error_part(yaml_parse("d.yaml", many.s, many.len, &root, &err), &err,
                      "more than 500000 values");
    strbuf_release(&many);
}

static void typed_reads_say_what_is_wrong(void **state)
{
    struct yaml_node *root =
        parsed("epochs: many\nlr: '0.1'\nlist: [1]\nmap: {a: 1}\nnone:\n"
               "on: yes\nwhole: 12\nreal: 8/255\ntext: 42\nbig: 99999999999999999999\n");
    struct error err = ERROR_INIT;
    int64_t i = 0;
    double r = 0;
    bool b = false;
    const char *s = NULL;
    assert_error(yaml_int(yaml_get(root, "epochs"), "epochs", &i, &err), &err,
                 "suite.yaml:1:9: epochs: expected a whole number, found \"many\"");
    assert_error(yaml_real(yaml_get(root, "lr"), "lr", &r, &err), &err,
                 "suite.yaml:2:5: lr: expected a number, found \"0.1\" in quotes");
    assert_error(yaml_bool(yaml_get(root, "list"), "flag", &b, &err), &err,
                 "suite.yaml:3:7: flag: expected true or false, found a list");
    assert_error(yaml_string(yaml_get(root, "map"), "name", &s, &err), &err,
                 "suite.yaml:4:6: name: expected a text, found a map");
    const struct yaml_node *none = yaml_get(root, "none");
    assert_true(yaml_string(none, "name", &s, &err) < 0);
    assert_error_part(ERR_INVALID, &err, ": name: expected a text, found nothing");
    assert_error(yaml_int(NULL, "epochs", &i, &err), &err,
                 "epochs: expected a whole number, found nothing");
    assert_error_part(yaml_int(yaml_get(root, "big"), "big", &i, &err), &err,
                      "expected a whole number");
    assert_ok(yaml_bool(yaml_get(root, "on"), "on", &b, &err));
    assert_true(b);
    assert_ok(yaml_int(yaml_get(root, "whole"), "whole", &i, &err));
    assert_int_equal(i, 12);
    assert_ok(yaml_real(yaml_get(root, "real"), "real", &r, &err));
    assert_true(r == 8.0 / 255);
    assert_ok(yaml_string(yaml_get(root, "text"), "text", &s, &err));
    assert_string_equal(s, "42");
    yaml_free(root);
}

static void unknown_keys_get_a_suggestion(void **state)
{
    static const char *const keys[] = {"method", "label", "expect", NULL};
    static const char *const none[] = {NULL};
    struct error err = ERROR_INIT;
    struct yaml_node *root = parsed("unlearn:\n  metod: x\n");
    const struct yaml_node *map = yaml_get(root, "unlearn");
    assert_error(yaml_known_keys(map, "unlearn", keys, &err), &err,
                 "suite.yaml:2:3: unknown key \"metod\" in unlearn; did you mean \"method\"?");
    yaml_free(root);
    root = parsed("label: 1\nzzz: 2\n");
    assert_error(
        yaml_known_keys(root, "unlearn", keys, &err), &err,
        "suite.yaml:2:1: unknown key \"zzz\" in unlearn; known keys: method, label, expect");
    assert_error(yaml_known_keys(root, "unlearn", none, &err), &err,
                 "suite.yaml:1:1: unknown key \"label\" in unlearn; it takes none");
    assert_error(yaml_known_keys(yaml_get(root, "zzz"), "zzz", keys, &err), &err,
                 "suite.yaml:2:6: zzz: expected a map, found \"2\"");
    yaml_free(root);
    root = parsed("a:\n");
    assert_ok(yaml_known_keys(yaml_get(root, "a"), "a", keys, &err)); /* nothing is an empty map */
    assert_ok(yaml_known_keys(NULL, "a", keys, &err));
    yaml_free(root);
}

static void files_are_loaded(void **state)
{
    struct error err = ERROR_INIT;
    struct yaml_node *root = NULL;
    char *path = scratch_file(state, "s.yaml", "a: 1\n", 5);
    assert_ok(yaml_load(path, &root, &err));
    assert_string_equal(root->origin, path);
    yaml_free(root);
    free(path);
    assert_error(yaml_load("/nonexistent.yaml", &root, &err), &err,
                 "cannot open /nonexistent.yaml: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_know_where_they_stand),
        cmocka_unit_test(nothing_is_null),
        cmocka_unit_test(json_is_yaml),
        cmocka_unit_test(canonical_json),
        cmocka_unit_test(clones_are_equal_and_own),
        cmocka_unit_test(hostile_texts_are_refused),
        cmocka_unit_test(syntax_errors_have_a_place),
        cmocka_unit_test(depth_and_size_are_limited),
        cmocka_unit_test(typed_reads_say_what_is_wrong),
        cmocka_unit_test(unknown_keys_get_a_suggestion),
        cmocka_unit_test(files_are_loaded),
    };
    return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
