/* The `report:` part of a suite. */
#include <stdlib.h>
#include <string.h>

#include "suite_internal.h"
#include "text.h"

static int parse_formats(struct suite *s, const struct yaml_node *node, struct error *err)
{
    if (!node)
        return 0;
    if (node->kind != YAML_LIST)
        return yaml_error(node, err, "report.formats: expected a list such as [svg, pdf]");
    s->svg = s->pdf = false;
    for (size_t i = 0; i < node->n; i++) {
        const char *text;
        TRY(yaml_string(node->child[i].value, "report.formats", &text, err));
        if (strcmp(text, "svg") == 0)
            s->svg = true;
        else if (strcmp(text, "pdf") == 0)
            s->pdf = true;
        else if (strcmp(text, "png") == 0)
            s->report.png = true;
        else if (strcmp(text, "cairolatex") == 0)
            s->report.latex = true;
        else
            return yaml_error(node->child[i].value, err,
                              "report.formats: expected svg, pdf, png or cairolatex, found \"%s\"",
                              text);
    }
    return 0;
}

static int add_word(char ***list, unsigned *n, const char *word, struct error *err)
{
    char **grown = realloc(*list, (*n + 1) * sizeof(*grown));
    if (!grown)
        return error_nomem(err);
    *list = grown;
    grown[*n] = text_dup(word);
    return grown[(*n)++] ? 0 : error_nomem(err);
}

static int add_gap(struct suite *s, const char *name, struct error *err)
{
    return add_word(&s->gap, &s->n_gap, name, err);
}

/* Labels of methods. Oracles share no cells with methods, so `retrain` is none. */
static int parse_baselines(struct suite *s, const struct yaml_node *node, struct error *err)
{
    if (!node)
        return 0;
    if (node->kind != YAML_LIST)
        return yaml_error(node, err, "report.baselines: expected a list of methods");
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml_node *item = node->child[i].value;
        const char *text;
        TRY(yaml_string(item, "report.baselines", &text, err));
        bool found = false;
        for (unsigned k = 0; k < s->n_unlearn; k++)
            found |= strcmp(s->unlearn[k].label, text) == 0;
        if (!found)
            return yaml_error(item, err, "report.baselines: no method is labelled \"%s\"", text);
        TRY(add_word(&s->baseline, &s->n_baselines, text, err));
    }
    return 0;
}

static int default_gap(struct suite *s, struct error *err)
{
    TRY(add_gap(s, "forget_acc", err));
    TRY(add_gap(s, "retain_acc", err));
    TRY(add_gap(s, "test_acc", err));
    for (unsigned i = 0; i < s->n_attacks; i++)
        if (strcmp(s->attack[i].label, "rmia") == 0)
            return add_gap(s, "rmia.auc_forget_test", err);
    return 0;
}

int suite_parse_report(struct suite *s, struct error *err)
{
    static const char *const keys[] = {"formats", "gap",      "baselines", "figures", "columns",
                                       "widths",  "decimals", "spread",    "names",   NULL};
    const struct yaml_node *node = yaml_get(s->root, "report");
    s->svg = s->pdf = true;
    if (node)
        TRY(yaml_known_keys(node, "report", keys, err));
    TRY(report_choice_parse(node, &s->report, err));
    TRY(parse_formats(s, yaml_get(node, "formats"), err));
    TRY(parse_baselines(s, yaml_get(node, "baselines"), err));
    TRY(suite_parse_names(s, yaml_get(node, "names"), err));
    const struct yaml_node *gap = yaml_get(node, "gap");
    if (!gap)
        return default_gap(s, err);
    if (gap->kind != YAML_LIST || gap->n == 0)
        return yaml_error(gap, err, "report.gap: expected a list of columns such as [forget_acc]");
    for (size_t i = 0; i < gap->n; i++) {
        const char *text;
        TRY(yaml_string(gap->child[i].value, "report.gap", &text, err));
        TRY(add_gap(s, text, err));
    }
    return 0;
}
