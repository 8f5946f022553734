#include "columns.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

const struct attack_value attack_values[] = {
    {"auc_forget_test", "AUC, forget set positive, test set negative"},
    {"auc_retain_test", "AUC, retain set positive, test set negative"},
    {"auc_forget_retain", "AUC, retain set positive, forget set negative"},
    {"auc_forget_test_balanced", "AUC of forget and test on equal numbers, mean of 3 draws"},
    {"tpr_at_1pct_fpr", "TPR on the forget set at 1 % FPR on the test set"},
    {"tpr_at_0p1pct_fpr", "TPR on the forget set at 0.1 % FPR on the test set"},
    {"tpr_at_0p01pct_fpr", "TPR on the forget set at 0.01 % FPR on the test set"},
    {"tpr_at_0_fpr", "TPR on the forget set above every test sample"},
    {"n_negatives", "test samples behind these rates"},
    {"balanced_accuracy", "best balanced accuracy of any threshold, forget against test"},
    {"auc_forget_test_low", "lower end of the AUC's 95 % interval (DeLong)"},
    {"auc_forget_test_high", "upper end of the AUC's 95 % interval (DeLong)"},
    {NULL, NULL},
};

/* Of fitted attacks, which have a decision and often many scores. */
static const struct attack_value decision_values[] = {
    {"", "share of the forget set that the attack judges non-member"},
    {"auc_forget_test", "AUC, forget set positive, test set negative, without the fitted samples"},
    {NULL, NULL},
};

/* Of attacks that compare with unlearned shadow models, beside the others. */
static const struct attack_value unlearned_values[] = {
    {"accuracy", "share judged right at score 0, mean of forget set and as many test samples"},
    {NULL, NULL},
};

/* Of example attacks (LOTOS' two conventions); the first N_PERCENT are in percent, the first
 * N_NEAR_RETRAIN are compared with the oracles'. */
static const struct attack_value example_values[] = {
    {"robust_acc_cond", "test samples still right, of those right on the clean image"},
    {"robust_acc_raw", "test samples right on the perturbed image, of all"},
    {"clean_acc", "test samples right on the clean image, of all"},
    {"success_l2", "mean L2 size of the perturbations that turned a right answer into a wrong one"},
    {"n_rows", "test samples attacked"},
    {"forward", "samples that the attack passed forward"},
    {"backward", "samples whose input gradient the attack took"},
    {NULL, NULL},
};
enum { N_PERCENT = 3, N_NEAR_RETRAIN = 4 };

bool columns_is_audit(const struct suite_entry *e)
{
    return e->desc && e->desc->kind == PLUGIN_AUDIT;
}

char *columns_prefix(const char *label)
{
    char *s = text_dup(label);
    for (char *p = s; p && *p; p++)
        if (!isalnum((unsigned char)*p))
            *p = '_';
    return s;
}

static int add(struct columns *c, const struct column_source *source, char *name, const char *unit,
               const char *doc, enum result_better better, bool near_retrain, struct error *err)
{
    struct result_column *columns = realloc(c->column, (c->n + 1) * sizeof(*columns));
    if (columns)
        c->column = columns;
    struct column_source *sources = realloc(c->source, (c->n + 1) * sizeof(*sources));
    if (sources)
        c->source = sources;
    char *unit_copy = text_dup(unit), *doc_copy = text_dup(doc), *key = text_dup(source->key);
    if (!columns || !sources || !name || !unit_copy || !doc_copy || !key) {
        free(name);
        free(unit_copy);
        free(doc_copy);
        free(key);
        return error_nomem(err);
    }
    c->column[c->n] =
        (struct result_column){name, unit_copy, doc_copy, better, near_retrain, false, NULL, false};
    c->source[c->n] = *source;
    c->source[c->n++].key = key;
    for (size_t i = 0; i + 1 < c->n; i++)
        if (strcmp(c->column[i].name, name) == 0)
            return error_set(err, ERR_INVALID,
                             "two plugins give the column %s; give one of them another label",
                             name);
    return 0;
}

static enum result_better better_from(const char *word)
{
    static const struct {
        const char *word;
        enum result_better better;
    } table[] = {{"higher", BETTER_HIGHER},
                 {"lower", BETTER_LOWER},
                 {"near-reference", BETTER_NEAR_REFERENCE}};
    for (size_t i = 0; word && i < sizeof(table) / sizeof(table[0]); i++)
        if (strcmp(word, table[i].word) == 0)
            return table[i].better;
    return BETTER_NEITHER;
}

static const char *word_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

/* The scalars that a metric or an audit declares. */
static int add_outputs(struct columns *c, const struct suite_entry *e, bool is_attack,
                       unsigned entry, struct error *err)
{
    if (!e->desc)
        return 0;
    char *prefix = strcmp(e->label, e->id) ? columns_prefix(e->label) : NULL;
    size_t i;
    json_t *o;
    int rc = 0;
    json_array_foreach(json_object_get(e->desc->json, "outputs"), i, o)
    {
        if (rc < 0 || strcmp(word_of(o, "shape"), "scalar") != 0)
            continue;
        const char *name = word_of(o, "name");
        struct column_source source = {is_attack, entry, (char *)name};
        char *full = prefix ? text_format("%s.%s", prefix, name) : text_dup(name);
        rc = add(c, &source, full, word_of(o, "unit"), word_of(o, "doc"),
                 better_from(word_of(o, "better")), strcmp(word_of(o, "reference"), "retrain") == 0,
                 err);
        if (rc == 0)
            c->column[c->n - 1].group = strcmp(word_of(e->desc->json, "scope"), "group") == 0;
    }
    free(prefix);
    return rc;
}

static int add_score(struct columns *c, unsigned entry, const char *prefix, const char *score,
                     const struct attack_value *v, struct error *err)
{
    for (; v->suffix; v++) {
        const char *suffix = *score || *v->suffix ? v->suffix : "nonmember_forget";
        char *key = text_format("%s%s%s", score, *score && *suffix ? "." : "", suffix);
        char *name = key ? text_format("%s.%s", prefix, key) : NULL;
        struct column_source source = {true, entry, key};
        int rc = key ? add(c, &source, name, "", v->doc, BETTER_NEAR_REFERENCE, true, err)
                     : error_nomem(err);
        free(key);
        TRY(rc);
    }
    return 0;
}

static int add_example(struct columns *c, unsigned entry, const char *label, struct error *err)
{
    char *prefix = columns_prefix(label);
    int rc = prefix ? 0 : error_nomem(err);
    for (size_t i = 0; rc == 0 && example_values[i].suffix; i++) {
        struct column_source source = {true, entry, (char *)example_values[i].suffix};
        bool near = i < N_NEAR_RETRAIN;
        rc = add(c, &source, text_format("%s.%s", prefix, example_values[i].suffix),
                 i < N_PERCENT ? "percent" : "", example_values[i].doc,
                 near ? BETTER_NEAR_REFERENCE : BETTER_NEITHER, near, err);
    }
    free(prefix);
    return rc;
}

static int add_attack(struct columns *c, const struct suite *s, unsigned entry, struct error *err)
{
    const struct suite_entry *e = &s->attack[entry];
    if (!e->desc)
        return 0;
    if (columns_is_audit(e))
        return add_outputs(c, e, true, entry, err);
    if (e->desc->kind == PLUGIN_EXAMPLE_ATTACK)
        return add_example(c, entry, e->label, err);
    bool fitted = json_is_true(json_object_get(e->desc->json, "wants_fit"));
    const struct attack_value *values = fitted ? decision_values : attack_values;
    char *prefix = columns_prefix(e->label);
    if (!prefix)
        return error_nomem(err);
    size_t i;
    json_t *o;
    int rc = 0;
    json_array_foreach(json_object_get(e->desc->json, "scores"), i, o)
    {
        if (rc == 0)
            rc = add_score(c, entry, prefix, word_of(o, "name"), values, err);
        if (rc == 0 && desc_has_cap(e->desc, "unlearned-shadows"))
            rc = add_score(c, entry, prefix, word_of(o, "name"), unlearned_values, err);
    }
    free(prefix);
    return rc;
}

/* Whose each column is. */
static int name_sources(struct columns *c, const struct suite *s, struct error *err)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct column_source *from = &c->source[i];
        const struct suite_entry *e = from->is_attack ? s->attack : s->metric;
        c->column[i].is_attack = from->is_attack;
        c->column[i].source = text_dup(e[from->entry].label);
        if (!c->column[i].source)
            return error_nomem(err);
    }
    return 0;
}

int columns_make(const struct suite *s, struct columns *ret, struct error *err)
{
    struct columns c = {0};
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < s->n_metrics; i++)
        rc = add_outputs(&c, &s->metric[i], false, i, err);
    for (unsigned i = 0; rc == 0 && i < s->n_attacks; i++)
        rc = add_attack(&c, s, i, err);
    if (rc == 0)
        rc = name_sources(&c, s, err);
    if (rc < 0) {
        columns_release(&c);
        return rc;
    }
    *ret = c;
    return 0;
}

void columns_release(struct columns *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->column[i].name);
        free(c->column[i].unit);
        free(c->column[i].doc);
        free(c->column[i].source);
        free(c->source[i].key);
    }
    free(c->column);
    free(c->source);
    memset(c, 0, sizeof(*c));
}
