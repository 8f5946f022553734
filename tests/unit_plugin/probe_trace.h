/* probe_trace.h: what the probe leaves for the test to compare. */
#ifndef UNIT_PLUGIN_PROBE_TRACE_H
#define UNIT_PLUGIN_PROBE_TRACE_H

#include <lethe/lethe.h>

enum { PROBE_IDS = 256 };

struct probe_trace {
    uint64_t calls; /* digits in order: 1 check, 2 prepare, 3 run, 4 dispose */
    lethe_ctx *kept;
    uint32_t scenario, n_forget_classes;
    int32_t forget_class;
    float uniform[7], normal[5];
    uint32_t below, order[10];
    uint64_t id[PROBE_IDS];
    uint32_t n_ids, batches;
};

#endif
