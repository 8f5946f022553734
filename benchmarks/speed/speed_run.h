/* speed_run.h: times a kind of work in processes of its own. */
#ifndef SPEED_RUN_H
#define SPEED_RUN_H

#include "speed_work.h"

struct speed_result {
    double images_s; /* images per second, all copies together */
    double step_s;   /* median of a step; of the slowest copy */
    double peak_mb;  /* MiB of one process; of the largest copy */
    uint32_t steps;  /* timed; of the copy with fewest */
};

/* `copies` processes at once, each with threads of its own; they start together after a warm-up
 * and are timed for `seconds`, or three steps if those take longer. */
int speed_run(const struct work_kind *kind, const struct bench_options *o, double seconds,
              unsigned copies, struct speed_result *ret, struct error *err);

#endif
