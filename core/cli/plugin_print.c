/* What one plugin declares, for people: everything that `lethe plugins ID --json` has. */
#include <stdio.h>
#include <string.h>

#include "cli.h"
#include "cmd_plugin.h"
#include "text.h"

/* A JSON value as people write it: numbers in their shortest form, strings bare. */
static void print_value(const json_t *v)
{
    char number[32];
    if (json_is_string(v))
        fputs(json_string_value(v), stdout);
    else if (json_is_integer(v))
        printf("%lld", (long long)json_integer_value(v));
    else if (json_is_boolean(v))
        fputs(json_is_true(v) ? "true" : "false", stdout);
    else if (json_is_real(v)) {
        text_from_double(json_real_value(v), number);
        fputs(number, stdout);
    }
}

static void print_list(const char *before, const json_t *list, const char *between)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item)
    {
        fputs(i ? between : before, stdout);
        print_value(item);
    }
}

/* "title       value"; nothing where there is none. */
static void print_row(const char *title, const json_t *v)
{
    if (json_is_array(v) ? json_array_size(v) == 0
                         : !v || json_is_null(v) || (json_is_string(v) && !*json_string_value(v)))
        return;
    printf("%-12s", title);
    if (json_is_array(v))
        print_list("", v, ", ");
    else
        print_value(v);
    putchar('\n');
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* ---- what each kind adds ---- */

static void print_attack_uses(const json_t *attacks)
{
    size_t i;
    json_t *use;
    json_array_foreach(attacks, i, use)
    {
        printf("%-12s%s", i ? "" : "attacks", text_of(use, "attack"));
        print_list(" with ", json_object_get(use, "settings"), ", ");
        putchar('\n');
    }
}

static void print_least(const char *title, const json_t *n, const char *of)
{
    if (json_integer_value(n) > 0)
        printf("%-12sat least %lld %s\n", title, (long long)json_integer_value(n), of);
}

static void print_kind(const json_t *o)
{
    print_row("scenarios", json_object_get(o, "scenarios"));
    print_row("norm", json_object_get(o, "norm"));
    print_attack_uses(json_object_get(o, "attacks"));
    if (json_is_true(json_object_get(o, "wants_fit")))
        printf("%-12sis fitted on samples of known membership\n", "fit");
    if (json_is_true(json_object_get(o, "takes_population")))
        printf("%-12smay take known non-members as its population\n", "fit");
    if (strcmp(text_of(o, "scope"), "group") == 0)
        printf("%-12sall runs of a method together\n", "scope");
    print_least("models", json_object_get(o, "min_models"), "runs of a method");
    print_least("oracles", json_object_get(o, "min_references"), "retrained models");
}

/* ---- parameters and outputs ---- */

static void print_param(const json_t *p)
{
    const char *unit = text_of(p, "unit");
    printf("  %s (%s", text_of(p, "name"), text_of(p, "type"));
    if (*unit)
        printf(", %s", unit);
    fputs(", default ", stdout);
    print_value(json_object_get(p, "default"));
    if (json_is_number(json_object_get(p, "min"))) {
        fputs(", ", stdout);
        print_value(json_object_get(p, "min"));
        fputs(" to ", stdout);
        print_value(json_object_get(p, "max"));
    }
    print_list("; ", json_object_get(p, "choices"), " | ");
    if (json_is_true(json_object_get(p, "tunable"))) {
        fputs("; tunable", stdout);
        print_list(": ", json_object_get(p, "search"), ", ");
        if (json_is_true(json_object_get(p, "log_scale")))
            fputs(", logarithmic", stdout);
    }
    printf(")\n      %s\n", text_of(p, "doc"));
}

static void print_range(const json_t *o)
{
    const json_t *min = json_object_get(o, "min"), *max = json_object_get(o, "max");
    if (!json_is_number(min) && !json_is_number(max))
        return;
    fputs(", ", stdout);
    if (json_is_number(min)) {
        print_value(min);
        fputs(json_is_number(max) ? " to " : " or more", stdout);
    } else {
        fputs("at most ", stdout);
    }
    print_value(max);
}

/* Which way is better, and what it is compared with. */
static void print_aim(const json_t *o)
{
    static const struct {
        const char *word, *text;
    } directions[] = {{"higher", ", higher is better"}, {"lower", ", lower is better"}},
      references[] = {{"retrain", ", compared with the oracles"},
                      {"original", ", compared with the original"},
                      {"constant", ", compared with "}};
    for (size_t i = 0; i < sizeof(directions) / sizeof(directions[0]); i++)
        if (strcmp(directions[i].word, text_of(o, "better")) == 0)
            fputs(directions[i].text, stdout);
    for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++)
        if (strcmp(references[i].word, text_of(o, "reference")) == 0)
            fputs(references[i].text, stdout);
    if (strcmp(text_of(o, "reference"), "constant") == 0)
        print_value(json_object_get(o, "constant"));
}

static void print_output(const json_t *o)
{
    const char *unit = text_of(o, "unit"), *x = text_of(o, "x_name");
    printf("  %s (%s", text_of(o, "name"), text_of(o, "shape"));
    if (*x)
        printf(" over %s", x);
    if (*unit)
        printf(", %s", unit);
    print_range(o);
    print_aim(o);
    printf(")\n      %s\n", text_of(o, "doc"));
}

static void print_score(const json_t *s)
{
    const char *name = text_of(s, "name");
    printf("  %s\n      %s\n", *name ? name : "score", text_of(s, "doc"));
}

static void print_items(const char *title, const json_t *list, void (*print)(const json_t *))
{
    size_t i;
    json_t *item;
    if (json_array_size(list) > 0)
        printf("\n%s\n", title);
    json_array_foreach(list, i, item) print(item);
}

void plugin_print(const struct plugin_desc *p)
{
    static const struct {
        const char *title, *key;
    } rows[] = {{"licence", "license"}, {"author", "author"}, {"in figures", "short_name"},
                {"tags", "tags"},       {"file", "path"},     {"sha256", "sha256"},
                {"url", "url"}};
    const json_t *o = p->json;
    printf("%s %s (%s): %s\n%s\n\n%s\n\n", p->id, p->version, plugin_kind_name(p->kind), p->name,
           p->summary, p->doc);
    print_row("needs", json_object_get(o, "needs"));
    print_row("uses", json_object_get(o, "uses"));
    print_row("command", json_object_get(o, "command"));
    print_kind(o);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        print_row(rows[i].title, json_object_get(o, rows[i].key));
    print_items("parameters", json_object_get(o, "params"), print_param);
    print_items("scores, larger = more likely a member", json_object_get(o, "scores"), print_score);
    print_items("outputs", json_object_get(o, "outputs"), print_output);
    if (*p->citation)
        printf("\ncite\n%s\n", p->citation);
}
