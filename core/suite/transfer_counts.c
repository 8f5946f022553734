#include "transfer_counts.h"

#include <math.h>

void transfer_count(const struct adversarial *source, const int32_t *y, const int32_t *target_clean,
                    const int32_t *target_adv, struct transfer_counts *ret)
{
    struct transfer_counts k = {.n = source->n};
    for (uint32_t i = 0; i < source->n; i++) {
        bool right = source->clean_pred[i] == y[i], fooled = right && source->label[i] != y[i];
        bool eligible = fooled && target_clean[i] == y[i];
        k.right += right;
        k.fooled += fooled;
        k.eligible += eligible;
        k.transferred += eligible && target_adv[i] != y[i];
        k.same += eligible && target_adv[i] == source->label[i];
    }
    *ret = k;
}

static double share(uint32_t part, uint32_t of)
{
    return of > 0 ? (double)part / of : NAN;
}

json_t *transfer_values(const struct transfer_counts *k, bool self)
{
    uint32_t n = self ? k->right : k->eligible, hit = self ? k->fooled : k->transferred;
    return json_pack("{s:o,s:I,s:I,s:o,s:I}", "rate", json_number_or_null(share(hit, n)), "n",
                     (json_int_t)n, "transferred", (json_int_t)hit, "label_match",
                     json_number_or_null(share(k->same, k->eligible)), "rows", (json_int_t)k->n);
}
