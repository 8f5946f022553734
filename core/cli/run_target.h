/* run_target.h: which run `lethe status` and `lethe cancel` are asked about. */
#ifndef CLI_RUN_TARGET_H
#define CLI_RUN_TARGET_H

#include "cli.h"
#include "json.h"

struct run_target {
    json_t *record;                 /* of the newest run; NULL: none is known */
    char *key;                      /* run_key of it; NULL without record */
    struct session_options session; /* to open the plan of that run */
};

/* o->suite is a suite, or the folder that a run reports into. The command line of the newest run of
 * it is taken from its record, unless o changes something itself. */
int run_target_find(const struct session_options *o, struct run_target *ret, struct error *err);
void run_target_release(struct run_target *t);

#endif
