/* transfer_counts.h: how far samples that were perturbed on one model fool another, from the
 * predictions of both. */
#ifndef SUITE_TRANSFER_COUNTS_H
#define SUITE_TRANSFER_COUNTS_H

#include "hosting.h"

struct transfer_counts {
    uint32_t n;           /* samples */
    uint32_t right;       /* the source is right on the clean sample */
    uint32_t fooled;      /* ... and wrong on the perturbed one */
    uint32_t eligible;    /* ... and the target is right on the clean one */
    uint32_t transferred; /* ... and wrong on the perturbed one */
    uint32_t same;        /* ... eligible, and both give the perturbed sample the same class */
};

/* source: set made on the source model; y, target_clean, target_adv (source->n): labels and the
 * target's predictions. */
void transfer_count(const struct adversarial *source, const int32_t *y, const int32_t *target_clean,
                    const int32_t *target_adv, struct transfer_counts *ret);
/* {"rate", "n", "transferred", "label_match", "rows"}: rate is transferred / eligible and n is
 * eligible (LOTOS, evaltrans_correct; there 0 where none is eligible, here null). With self, the
 * diagonal: rate is fooled / right and n is right. New reference, or NULL. */
json_t *transfer_values(const struct transfer_counts *k, bool self);

#endif
