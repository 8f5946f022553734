/* Budgets: what the meters may come to. Work is refused before it is done. */
#include <inttypes.h>

#include "host_internal.h"

struct account {
    const char *name, *unit;
    uint64_t limit, spent;
};

static int afford(const struct account *a, const char *what, uint64_t n, struct error *err)
{
    uint64_t left = a->limit > a->spent ? a->limit - a->spent : 0;
    if (n <= left)
        return 0;
    return error_set(err, ERR_BUDGET,
                     "budget of %" PRIu64 " %s (budget: {%s: %" PRIu64 "}): %s would take %" PRIu64
                     " more, %" PRIu64 " are left",
                     a->limit, a->unit, a->name, a->limit, what, n, left);
}

int host_afford_samples(struct host *host, const char *what, uint64_t n, struct error *err)
{
    const struct budget *b = host->h->budget;
    if (host->payer)
        return host_afford_queries(host->payer, what,
                                   host->meters.forward + host->meters.backward + n, err);
    if (!b)
        return 0;
    struct account a = {"samples", "samples through the network", b->samples,
                        host->meters.forward + host->meters.backward + host->before.forward +
                            host->before.backward};
    return afford(&a, what, n, err);
}

int host_afford_steps(struct host *host, const char *what, uint64_t n, struct error *err)
{
    const struct budget *b = host->h->budget;
    if (!b || host->payer)
        return 0;
    struct account a = {"steps", "optimiser steps", b->steps,
                        host->meters.optimizer_steps + host->before.optimizer_steps};
    return afford(&a, what, n, err);
}

int host_afford_queries(struct host *host, const char *what, uint64_t n, struct error *err)
{
    const struct budget *b = host->h->budget;
    if (!b)
        return 0;
    struct account a = {"queries", "queries of example attacks", b->queries,
                        host->meters.attack_forward + host->meters.attack_backward +
                            host->before.attack_forward + host->before.attack_backward};
    return afford(&a, what, n, err);
}
