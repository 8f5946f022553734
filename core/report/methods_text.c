/* The experimental set-up in words: methods.md and, for a paper, methods.tex. Every
 * hyper-parameter of the resolved suite is named, defaults too. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "report_names.h"
#include "table.h"
#include "tex.h"
#include "text.h"

/* One text in two languages. */
struct prose {
    struct strbuf out;
    bool tex;
    const struct results *r;
    const json_t *setup;
};

static void say(struct prose *p, const char *text)
{
    if (p->tex)
        tex_escape(&p->out, text);
    else
        strbuf_adds(&p->out, text);
}

static void sayf(struct prose *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void sayf(struct prose *p, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    say(p, text);
}

static void heading(struct prose *p, const char *title)
{
    if (p->tex)
        strbuf_addf(&p->out, "\n\\paragraph{%s.} ", title);
    else
        strbuf_addf(&p->out, "\n**%s.** ", title);
}

static void say_number(struct prose *p, const json_t *v)
{
    char text[32];
    text_from_double(json_number_value(v), text);
    say(p, text);
}

static void say_value(struct prose *p, const json_t *v)
{
    if (json_is_number(v)) {
        say_number(p, v);
    } else if (json_is_string(v)) {
        say(p, json_string_value(v));
    } else {
        char *text = json_dumps(v, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
        say(p, text ? text : "?");
        free(text);
    }
}

static const json_t *get(const struct prose *p, const char *key)
{
    return json_object_get(p->setup, key);
}

static long long integer(const struct prose *p, const char *key)
{
    return (long long)json_integer_value(get(p, key));
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* "key = value, key = value" of an object, without the keys in `but` (NULL-ended). */
static void say_pairs(struct prose *p, const json_t *object, const char *const *but)
{
    const char *key;
    json_t *value;
    bool first = true;
    json_object_foreach((json_t *)object, key, value)
    {
        bool skip = false;
        for (size_t i = 0; but && but[i]; i++)
            skip |= strcmp(but[i], key) == 0;
        if (skip)
            continue;
        sayf(p, "%s%s = ", first ? "" : ", ", key);
        say_value(p, value);
        first = false;
    }
}

static void say_list(struct prose *p, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        say(p, i ? ", " : "");
        say_value(p, json_array_get(list, i));
    }
}

static void say_cite(struct prose *p, const char *label)
{
    const char *cite = report_cite(p->r, label);
    if (p->tex && *cite)
        strbuf_addf(&p->out, "~\\cite{%s}", cite);
}

/* ---- paragraphs ---- */

static json_t *parse_line(const char *line)
{
    json_t *o = NULL;
    struct error ignored = ERROR_INIT;
    json_parse_text("the set-up", line, strlen(line), &o, &ignored);
    return o;
}

/* The suite's own words for data and model. */
static void say_node(struct prose *p, const json_t *node, const char *name_key)
{
    static const char *const none[] = {NULL};
    if (json_is_string(node)) {
        say(p, json_string_value(node));
        return;
    }
    const char *but[] = {name_key, "train", "test", "layers", NULL};
    json_t *rest = json_copy((json_t *)node);
    for (size_t i = 0; but[i]; i++)
        json_object_del(rest, but[i]);
    say(p, text_of(node, name_key));
    if (json_object_size(rest)) {
        say(p, " (");
        say_pairs(p, rest, none);
        say(p, ")");
    }
    json_decref(rest);
}

static void say_models(struct prose *p)
{
    static const char *const none[] = {NULL};
    const json_t *resolved = get(p, "resolved");
    json_t *recipe = parse_line(text_of(p->setup, "recipe"));
    heading(p, "Data and models");
    say(p, "Data: ");
    say_node(p, json_object_get(resolved, "data"), "name");
    sayf(p, ", %lld training and %lld test images, %lld classes. Model: ", integer(p, "train_rows"),
         integer(p, "test_rows"), integer(p, "classes"));
    say_node(p, json_object_get(resolved, "model"), "arch");
    sayf(p, ", %lld trainable weights. Originals, retrained and shadow models are trained alike: ",
         integer(p, "parameters"));
    say_pairs(p, recipe, none);
    sayf(p, ". Originals: %zu, seeds ", json_array_size(json_object_get(get(p, "seeds"), "model")));
    say_list(p, json_object_get(get(p, "seeds"), "model"));
    say(p, ".\n");
    json_decref(recipe);
}

static void say_forgetting(struct prose *p)
{
    heading(p, "Forgetting");
    say(p, "Scenarios: ");
    say_list(p, get(p, "scenarios"));
    say(p, ". Seeds of the forget sets: ");
    say_list(p, json_object_get(get(p, "seeds"), "forget"));
    say(p, "; of the unlearning runs: ");
    say_list(p, json_object_get(get(p, "seeds"), "unlearn"));
    sayf(p,
         ". Reference: for each forget set %lld model%s retrained from scratch without it. Shadow "
         "models for membership attacks: %lld, in complementary pairs, each trained on a random "
         "half of all training and test images.\n",
         integer(p, "retrain"), integer(p, "retrain") == 1 ? "" : "s", integer(p, "shadow"));
}

static void say_entries(struct prose *p, const char *list, const char *title)
{
    static const char *const none[] = {NULL};
    const json_t *entries = get(p, list);
    if (json_array_size(entries) == 0)
        return;
    heading(p, title);
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *e = json_array_get(entries, i), *params = json_object_get(e, "params");
        const char *label = text_of(e, "label");
        bool method = strcmp(list, "unlearn_methods") == 0;
        say(p, i ? "; " : "");
        say(p, method ? report_method_name(p->r, label) : report_part_name(p->r, label));
        say_cite(p, label);
        sayf(p, " (%s %s", text_of(e, "id"), text_of(e, "version"));
        say(p, json_object_size(params) ? ": " : "");
        say_pairs(p, params, none);
        say(p, ")");
    }
    say(p, ".\n");
}

static void say_statistics(struct prose *p)
{
    heading(p, "Statistics");
    say(p, "The gap of a run is the mean over ");
    say_list(p, get(p, "gap"));
    say(p, " of the absolute difference to the mean of the retrained models, in percentage points "
           "(fractions times 100). Intervals are 95 % intervals of the mean over crossed model "
           "and forget seeds (two-way variance components, Satterthwaite's degrees of freedom); "
           "none is given below three cells. The gap of the retrained models, each against the "
           "others, is the noise floor.\n");
}

static void say_software(struct prose *p)
{
    heading(p, "Software");
    sayf(p, "Lethe %s; arithmetic: %s.\n", text_of(p->setup, "lethe"),
         text_of(get(p, "worker"), "numerics"));
}

static int write(const struct results *r, bool tex, const char *dir, struct error *err)
{
    struct prose p = {.tex = tex, .r = r, .setup = r->setup};
    strbuf_init(&p.out);
    strbuf_adds(&p.out,
                tex ? "% Made by Lethe from the suite as run.\n" : "# Experimental set-up\n");
    say_models(&p);
    say_forgetting(&p);
    say_entries(&p, "unlearn_methods", "Unlearning methods");
    say_entries(&p, "attacks", "Attacks");
    say_entries(&p, "metrics", "Metrics");
    say_statistics(&p);
    say_software(&p);
    char *path = text_format("%s/methods.%s", dir, tex ? "tex" : "md");
    int rc =
        path && !p.out.failed ? fs_write_atomic(path, p.out.s, p.out.len, err) : error_nomem(err);
    free(path);
    strbuf_release(&p.out);
    return rc;
}

int methods_text(const struct results *r, const char *dir, struct error *err)
{
    if (!r->setup)
        return 0; /* of reports merged from several suites */
    TRY(write(r, true, dir, err));
    return write(r, false, dir, err);
}
