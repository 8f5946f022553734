/* SPDX-License-Identifier: MIT
 * accuracy.c: top-1 accuracies of the unlearned model on the forget set, the
 * retain set and the test set, in percent. In class scenarios test_acc is over
 * the remaining classes and test_acc_forgotten over the forgotten ones. Equal
 * logits count for the lowest class.
 * Code read: OPTML-Group/Unlearn-Saliency a6e89fd, Ali-E/AMUN 9e341a9.
 * Deviations: the forget accuracy keeps its name (AMUN prints it as "UA", others
 * call 100 minus it so); of several views of a sample the first one counts. */
#include <lethe/lethe.h>
#include <lethe/measures.h>

/* Percent of samples whose largest logit is the label's; NaN of none. */
static double accuracy_of(const lethe_outputs *o)
{
    uint64_t hits = 0;
    if (!o || o->n == 0)
        return NAN;
    for (uint64_t i = 0; i < o->n; i++) {
        const float *z = o->logits + i * o->n_views * o->n_classes;
        uint32_t best = 0;
        for (uint32_t k = 1; k < o->n_classes; k++)
            if (z[k] > z[best])
                best = k;
        hits += (int32_t)best == o->y[i];
    }
    return 100.0 * (double)hits / (double)o->n;
}

/* Percent right of each class that occurs in the set. */
static lethe_status emit_classes(lethe_ctx *ctx, uint32_t output, const lethe_outputs *o)
{
    const uint32_t c = o->n_classes;
    double *x = lethe_alloc(ctx, c, sizeof(double)), *y = lethe_alloc(ctx, c, sizeof(double));
    double *n = lethe_alloc(ctx, c, sizeof(double)), *hits = lethe_alloc(ctx, c, sizeof(double));
    uint32_t points = 0;
    if (!x || !y || !n || !hits)
        return LETHE_E_NOMEM;
    for (uint64_t i = 0; i < o->n; i++) {
        if (o->y[i] < 0 || (uint32_t)o->y[i] >= c)
            continue;
        n[o->y[i]]++;
        hits[o->y[i]] += (int32_t)lethe_argmax(lethe_sample(o, i), c) == o->y[i];
    }
    for (uint32_t k = 0; k < c; k++)
        if (n[k] > 0) {
            x[points] = k;
            y[points++] = 100 * hits[k] / n[k];
        }
    return points ? ctx->host->emit->curve(ctx, output, x, y, points) : LETHE_OK;
}

static lethe_status accuracy_evaluate(lethe_ctx *ctx, const lethe_metric_job *job)
{
    const lethe_model_outputs *m = job->targets;
    const lethe_outputs *set[] = {m->forget, m->retain, m->test, m->test_forgotten};
    static const char *const why[] = {"no forget samples", "no retain samples", "no test samples",
                                      "no class was forgotten"};
    for (uint32_t s = 0; s < LETHE_COUNT(set); s++) {
        double percent = accuracy_of(set[s]);
        LETHE_TRY(ctx->host->emit->scalar(ctx, s, percent, isnan(percent) ? why[s] : NULL));
        if (set[s] && set[s]->n > 0)
            LETHE_TRY(emit_classes(ctx, LETHE_SETS + s, set[s]));
    }
    return LETHE_OK;
}

#define ACCURACY(name, doc)                                                                        \
    {                                                                                              \
        sizeof(lethe_output), LETHE_SHAPE_SCALAR, LETHE_BETTER_NEAR_REFERENCE, LETHE_REF_RETRAIN,  \
            name, "percent", doc, "", 0, 100, 0                                                    \
    }
static const lethe_output outputs[] = {
    ACCURACY("forget_acc", "accuracy on the forget set"),
    ACCURACY("retain_acc", "accuracy on the retain set"),
    ACCURACY("test_acc", "accuracy on the test set (class scenarios: remaining classes)"),
    ACCURACY("test_acc_forgotten", "accuracy on the test samples of the forgotten classes"),
    LETHE_CURVE("accuracy_forget", "class", "accuracy of each class, forget set"),
    LETHE_CURVE("accuracy_retain", "class", "accuracy of each class, retain set"),
    LETHE_CURVE("accuracy_test", "class", "accuracy of each class, test set"),
    LETHE_CURVE("accuracy_test_forgotten", "class", "accuracy of each forgotten class, test set"),
};
static const lethe_metric metric = {
    .struct_size = sizeof(lethe_metric),
    .scope = LETHE_SCOPE_RUN,
    .n_outputs = LETHE_COUNT(outputs),
    .output_stride = sizeof(lethe_output),
    .outputs = outputs,
    .evaluate = accuracy_evaluate,
};
static const lethe_info info = {
    .struct_size = sizeof(lethe_info),
    .id = "accuracy",
    .name = "Accuracy",
    .short_name = "Acc",
    .version = "1.0.0",
    .author = "The Lethe authors",
    .license = "MIT",
    .summary = "top-1 accuracy on forget, retain and test samples",
    .doc = "Top-1 accuracies of the unlearned model on the forget set, the retain set and the test "
           "set, in percent. In class scenarios test_acc is over the remaining classes and "
           "test_acc_forgotten over the forgotten ones. Equal logits count for the lowest class.\n"
           "Code read: OPTML-Group/Unlearn-Saliency a6e89fd, Ali-E/AMUN 9e341a9. Deviations: the "
           "forget accuracy keeps its name (AMUN prints it as \"UA\", others call 100 minus it "
           "so); of several views of a sample the first one counts.",
    .citation = "",
    .url = "",
};
LETHE_SINGLE(LETHE_KIND_METRIC, &info, NULL, 0, LETHE_CAP_LOGITS, 0, &metric);
