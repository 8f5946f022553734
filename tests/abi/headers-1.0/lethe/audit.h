/* SPDX-License-Identifier: MIT
 * audit.h: distributional tests of an unlearned model against the oracles
 * (u-mia, mia-nn, ...): named scalars, not a score per sample. */
#ifndef LETHE_AUDIT_H
#define LETHE_AUDIT_H

#include "metric.h"

typedef struct lethe_audit {
    uint32_t struct_size, reserved;
    uint32_t n_outputs, output_stride;
    const lethe_output *outputs;
    /* As a metric's evaluate; references hold the oracles, at least min_references. */
    lethe_status (*evaluate)(lethe_ctx *, const lethe_metric_job *);
    uint32_t min_references, reserved1;
} lethe_audit;
LETHE_NO_TAIL_PADDING(lethe_audit, reserved1);

#endif
