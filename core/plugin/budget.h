/* budget.h: limits on what a plugin's run may cost, in numbers that no machine changes. */
#ifndef PLUGIN_BUDGET_H
#define PLUGIN_BUDGET_H

#include <stdint.h>

/* The most that a run may spend; the host refuses what would exceed it with ERR_BUDGET. */
#define BUDGET_MAP(X)                                                                              \
    X(samples) /* forward and backward passes together, in samples */                              \
    X(steps)   /* optimiser steps */                                                               \
    X(queries) /* samples through a network in example attacks, forward and backward together */
struct budget {
#define BUDGET_X(name) uint64_t name;
    BUDGET_MAP(BUDGET_X) /* UINT64_MAX: no limit */
#undef BUDGET_X
};

/* No limit on anything. */
#define BUDGET_NONE                                                                                \
    {                                                                                              \
        UINT64_MAX, UINT64_MAX, UINT64_MAX                                                         \
    }

#endif
