/* Shadow models that unlearn by the method of a row (unlearned_shadow.h says what). */
#include <stdlib.h>

#include "plan_internal.h"

/* Rows of one forget set share them, whatever original they start from. */
static int plan_one(struct planner *b, const struct plan_row *row, const json_t *forget, unsigned k,
                    uint32_t *ret_predict, struct error *err)
{
    const struct suite_entry *e = &b->suite->unlearn[row->entry];
    struct plan_row shadow = {.kind = PLAN_SHADOW,
                              .scenario = row->scenario,
                              .entry = row->entry,
                              .seed_model = k + 1,
                              .seed_forget = row->seed_forget,
                              .seed_unlearn = row->seed_unlearn,
                              .original = b->shadow_model[k]};
    double share = plan_forget_share(&b->suite->scenario[row->scenario], b->plan);
    json_t *what = json_pack("{s:i,s:i,s:O}", "shadow", (int)k, "bank", 1, "of", forget);
    if (!what)
        return error_nomem(err);
    int rc = plan_unlearn(b, e, what, share, &shadow, err);
    json_decref(what);
    return rc == 0 ? plan_predict(b, shadow.model, ret_predict, err) : rc;
}

bool plan_has_unlearned_shadows(const struct planner *b, const struct plan_row *row)
{
    bool logits;
    if (b->suite->scenario[row->scenario].kind == FORGET_CONSECUTIVE)
        return false; /* request by request on every shadow model: not offered */
    return b->shadow && b->shadow_model && !plan_row_is_imported(b->suite, row, &logits);
}

int plan_unlearned_shadows(struct planner *b, const struct plan_row *row, const json_t *forget,
                           uint32_t **ret, struct error *err)
{
    unsigned n = b->suite->n_shadow;
    uint32_t *predict = malloc((n + 1u) * sizeof(*predict));
    int rc = predict ? 0 : error_nomem(err);
    for (unsigned k = 0; rc == 0 && k < n; k++)
        if (row->kind == PLAN_METHOD)
            rc = plan_one(b, row, forget, k, &predict[k], err);
        else
            predict[k] = b->shadow[k];
    if (rc < 0) {
        free(predict);
        return rc;
    }
    *ret = predict;
    return 0;
}
