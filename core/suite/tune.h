/* tune.h: `tune:` in two stages. The trials are a suite of their own, made from the suite: its
 * methods with other parameters, on forget sets and original models that are never reported. What
 * came out (the ledger of a method) is an object in the store, identified by the tasks that it was
 * read from, so that a choice is made once and is stale as soon as one of them changes. */
#ifndef SUITE_TUNE_H
#define SUITE_TUNE_H

#include "plan.h"
#include "store.h"
#include "suite_file.h"

struct tune_item {    /* one method */
    unsigned entry;   /* index in the suite's unlearn list */
    unsigned first;   /* its first trial in tuning.suite's */
    json_t *trials;   /* resolved parameters; empty: nothing is tuned */
    char *why_not;    /* then the reason, else NULL */
    json_t *identity; /* of the ledger */
    char id[HASH_HEX_SIZE];
    json_t *ledger; /* {"chosen": k or null, "incomplete": bool, "trials": [{"params", "value",
                       "status", "reason", "n_planned", "n_used"}]}; NULL: not known yet */
    bool pending;   /* trials have to run before the method can be planned */
};

struct tuning {
    struct suite suite; /* of the trials; labels are "LABEL; trial K" (labels contain no ';') */
    struct tune_item *item;
    unsigned n;
    char (*task_id)[HASH_HEX_SIZE]; /* (n_task_ids) tasks of all trials */
    unsigned n_task_ids;
};

/* only: labels, NULL-ended; NULL: all. s is bound and outlives ret. */
int tuning_make(const struct suite *s, const char *const *only, struct tuning *ret,
                struct error *err);
void tuning_release(struct tuning *t);
/* Fills in identities, from a plan of t->suite. */
int tuning_identify(struct tuning *t, const struct plan *trials, struct error *err);
/* Reads ledgers that the store holds. One with a trial that crashed, vanished or ran out of time or
 * memory is incomplete: `settled` takes it all the same, else those methods are pending. */
int tuning_recall(struct tuning *t, const struct store *store, bool settled, struct error *err);
/* Puts an item's ledger into the store in the place of what was there. */
int tuning_keep(const struct tune_item *item, struct store *store, struct error *err);
/* Gives entries the parameters that were chosen. */
int tuning_apply(const struct tuning *t, struct suite *s, struct error *err);
/* Label of trial k (from 0) of an item. */
const char *tuning_label(const struct tuning *t, const struct tune_item *item, unsigned k);
/* For results.ledger: an array of {"method", "plugin", "why_not" or null, "tried": [names],
 * and the ledger's members}. New reference. */
json_t *tuning_ledgers(const struct tuning *t, const struct suite *s);

#endif
