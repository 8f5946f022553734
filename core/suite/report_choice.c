#include "report_choice.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"

const struct figure_kind figure_kinds[] = {
    {"gap", "mean gap to the oracles with intervals, noise floor as a band", "a gap", true, false},
    {"strip", "gap of every run, by model seed and forget seed", "two runs of a method", true,
     false},
    {"time", "gap against seconds with the Pareto front", "a gap and measured seconds", true, true},
    {"cost", "samples forward and backward per method", "counts of passes", true, false},
    {"roc", "ROC of each membership attack on logarithmic axes", "a membership attack", true,
     false},
    {"risk", "risk of each forget sample before and after", "a membership attack", true, false},
    {"confidence", "histograms of the logit-scaled confidence on forget, retain and test set",
     "the metric confidence", true, false},
    {"predictions", "what the forgotten classes are predicted as", "a class scenario", true, false},
    {"consecutive", "gap after each forget request", "a consecutive scenario", true, false},
    {"ablation", "gap along every parameter that the suite sweeps",
     "three values of a parameter with all others equal", true, false},
    {"critical-difference", "mean ranks with Nemenyi's critical difference",
     "three ranked methods on two blocks of seeds", true, false},
    {"agreement", "Kendall's tau between the rankings by each gap term",
     "three ranked methods and two gap terms", true, false},
    {"training", "loss and accuracy per epoch of originals and oracles", "training in two epochs",
     true, false},
    {"spectral", "largest singular values of the layers over training",
     "a recipe with recorded singular values", true, false},
    {"transfer", "share of adversarial samples that fool another model", "a transfer matrix", true,
     false},
    {"metric", "values of every other metric", "a metric beyond accuracy and confidence", true,
     false},
    {"curve", "curves that other metrics write", "a metric with curves", true, false},
    {NULL, NULL, NULL, false, false},
};

static const char *const *kind_names(const char *names[])
{
    size_t n = 0;
    for (; figure_kinds[n].name; n++)
        names[n] = figure_kinds[n].name;
    names[n] = NULL;
    return names;
}

static int add_word(char ***list, size_t *n, const char *word, struct error *err)
{
    char **grown = realloc(*list, (*n + 1) * sizeof(*grown));
    if (!grown)
        return error_nomem(err);
    *list = grown;
    grown[*n] = text_dup(word);
    return grown[(*n)++] ? 0 : error_nomem(err);
}

int report_choice_add_figure(struct report_choice *c, const char *name, struct error *err)
{
    const char *names[sizeof(figure_kinds) / sizeof(figure_kinds[0])];
    struct strbuf all;
    for (size_t i = 0; figure_kinds[i].name; i++)
        if (strcmp(figure_kinds[i].name, name) == 0)
            return add_word(&c->figures, &c->n_figures, name, err);
    strbuf_init(&all);
    for (size_t i = 0; figure_kinds[i].name; i++)
        strbuf_addf(&all, "%s%s", i ? ", " : "", figure_kinds[i].name);
    const char *near = text_did_you_mean(name, kind_names(names));
    int rc =
        error_set(err, ERR_INVALID, "no figure is called \"%s\"%s%s%s; expected one of %s", name,
                  near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "", all.s);
    strbuf_release(&all);
    return rc;
}

bool report_choice_has(const struct report_choice *c, const struct figure_kind *kind)
{
    if (!c || c->n_figures == 0)
        return kind->by_default;
    for (size_t i = 0; i < c->n_figures; i++)
        if (strcmp(c->figures[i], kind->name) == 0)
            return true;
    return false;
}

/* ---- reading ---- */

static int want_list(const struct yaml_node *node, const char *what, struct error *err)
{
    return node->kind == YAML_LIST ? 0 : yaml_error(node, err, "%s: expected a list", what);
}

static int parse_figures(const struct yaml_node *node, struct report_choice *c, struct error *err)
{
    if (!node)
        return 0;
    TRY(want_list(node, "report.figures", err));
    for (size_t i = 0; i < node->n; i++) {
        const char *name;
        struct error why = ERROR_INIT;
        TRY(yaml_string(node->child[i].value, "report.figures", &name, err));
        if (report_choice_add_figure(c, name, &why) < 0)
            return yaml_error(node->child[i].value, err, "report.figures: %s", why.text);
    }
    return 0;
}

static int parse_columns(const struct yaml_node *node, struct report_choice *c, struct error *err)
{
    if (!node)
        return 0;
    TRY(want_list(node, "report.columns", err));
    for (size_t i = 0; i < node->n; i++) {
        const char *name;
        TRY(yaml_string(node->child[i].value, "report.columns", &name, err));
        TRY(add_word(&c->columns, &c->n_columns, name, err));
    }
    return 0;
}

static int parse_widths(const struct yaml_node *node, struct report_choice *c, struct error *err)
{
    if (!node)
        return 0;
    TRY(want_list(node, "report.widths", err));
    c->one_column = c->two_columns = false;
    for (size_t i = 0; i < node->n; i++) {
        const char *word;
        TRY(yaml_string(node->child[i].value, "report.widths", &word, err));
        if (strcmp(word, "one") == 0)
            c->one_column = true;
        else if (strcmp(word, "two") == 0)
            c->two_columns = true;
        else
            return yaml_error(node->child[i].value, err,
                              "report.widths: expected one or two (columns), found \"%s\"", word);
    }
    return 0;
}

static int parse_digits(const struct yaml_node *node, const char *what, int *ret, struct error *err)
{
    int64_t v;
    if (!node)
        return 0;
    TRY(yaml_int(node, what, &v, err));
    if (v < 0 || v > 8)
        return yaml_error(node, err, "%s: expected 0 to 8 digits, found %lld", what, (long long)v);
    *ret = (int)v;
    return 0;
}

static int parse_decimals(const struct yaml_node *node, struct report_choice *c, struct error *err)
{
    static const char *const keys[] = {"percent", "fraction", NULL};
    if (!node)
        return 0;
    if (node->kind != YAML_MAP)
        return yaml_error(node, err, "report.decimals: expected {percent: 2, fraction: 3}");
    TRY(yaml_known_keys(node, "report.decimals", keys, err));
    TRY(parse_digits(yaml_get(node, "percent"), "report.decimals.percent", &c->decimals_percent,
                     err));
    return parse_digits(yaml_get(node, "fraction"), "report.decimals.fraction",
                        &c->decimals_fraction, err);
}

static int parse_spread(const struct yaml_node *node, struct report_choice *c, struct error *err)
{
    const char *word;
    if (!node)
        return 0;
    TRY(yaml_string(node, "report.spread", &word, err));
    if (strcmp(word, "sd") != 0 && strcmp(word, "interval") != 0)
        return yaml_error(node, err, "report.spread: expected interval or sd, found \"%s\"", word);
    c->spread_sd = strcmp(word, "sd") == 0;
    return 0;
}

int report_choice_parse(const struct yaml_node *report, struct report_choice *ret,
                        struct error *err)
{
    struct report_choice c = {.two_columns = true, .decimals_percent = -1, .decimals_fraction = -1};
    int rc = parse_figures(yaml_get(report, "figures"), &c, err);
    if (rc == 0)
        rc = parse_columns(yaml_get(report, "columns"), &c, err);
    if (rc == 0)
        rc = parse_widths(yaml_get(report, "widths"), &c, err);
    if (rc == 0)
        rc = parse_decimals(yaml_get(report, "decimals"), &c, err);
    if (rc == 0)
        rc = parse_spread(yaml_get(report, "spread"), &c, err);
    if (rc < 0)
        report_choice_release(&c);
    else
        *ret = c;
    return rc;
}

static void words_free(char **words, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(words[i]);
    free(words);
}

void report_choice_release(struct report_choice *c)
{
    words_free(c->figures, c->n_figures);
    words_free(c->columns, c->n_columns);
    memset(c, 0, sizeof(*c));
}
