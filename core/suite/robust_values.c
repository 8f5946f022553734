#include "robust_values.h"

#include <math.h>

void robust_count(const struct adversarial *a, const int32_t *y, struct robust_counts *ret)
{
    struct robust_counts k = {.n = a->n};
    for (uint32_t i = 0; i < a->n; i++) {
        bool clean = a->clean_pred[i] == y[i], robust = a->label[i] == y[i];
        k.clean += clean;
        k.raw += robust;
        k.both += clean && robust;
        k.found += a->found[i] != 0;
        k.l2 += (double)a->l2[i];
        k.linf += (double)a->linf[i];
        k.fooled_l2 += clean && !robust ? (double)a->l2[i] : 0;
    }
    *ret = k;
}

static double share(double part, double of)
{
    return of > 0 ? part / of : NAN;
}

double robust_acc_cond(const struct robust_counts *k)
{
    return 100 * share(k->both, k->clean);
}

double robust_acc_raw(const struct robust_counts *k)
{
    return 100 * share(k->raw, k->n);
}

double robust_clean_acc(const struct robust_counts *k)
{
    return 100 * share(k->clean, k->n);
}

int robust_values(const struct adversarial *a, const int32_t *y, json_t **ret, struct error *err)
{
    struct robust_counts k;
    robust_count(a, y, &k);
    const struct {
        const char *key;
        double v;
        const char *why; /* it is undefined */
    } table[] = {
        {"robust_acc_cond", robust_acc_cond(&k), "no clean test sample is right"},
        {"robust_acc_raw", robust_acc_raw(&k), "no test samples were attacked"},
        {"clean_acc", robust_clean_acc(&k), "no test samples were attacked"},
        {"success_l2", share(k.fooled_l2, k.clean - k.both), "no right answer was turned"},
        {"n_rows", k.n, ""},
        {"forward", (double)a->cost.attack_forward, ""},
        {"backward", (double)a->cost.attack_backward, ""},
    };
    json_t *values = json_object(), *notes = json_object();
    int bad = !values || !notes;
    for (size_t i = 0; !bad && i < sizeof(table) / sizeof(table[0]); i++) {
        bad = json_object_set_new(values, table[i].key, json_number_or_null(table[i].v)) != 0;
        if (!bad && isnan(table[i].v))
            bad = json_object_set_new(notes, table[i].key, json_string(table[i].why)) != 0;
    }
    json_t *all =
        bad ? NULL : json_pack("{s:O,s:O,s:{}}", "values", values, "notes", notes, "curves");
    json_decref(values);
    json_decref(notes);
    if (!all)
        return error_nomem(err);
    *ret = all;
    return 0;
}
