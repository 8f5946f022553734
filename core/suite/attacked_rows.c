#include "attacked_rows.h"

#include <stdlib.h>
#include <string.h>

#include "rng.h"

static int draw(const uint32_t *from, uint32_t n_of, uint32_t n, uint32_t *ids, struct error *err)
{
    struct rng rng;
    uint32_t *pick = malloc((n + 1u) * sizeof(*pick));
    if (!pick)
        return error_nomem(err);
    rng_stream(&rng, task_seed("attacked-rows", 1), "test", 0);
    rng_choose(&rng, n_of, n, pick);
    for (uint32_t i = 0; i < n; i++)
        ids[i] = from[pick[i]];
    free(pick);
    return 0;
}

/* wanted: 0 or more than there are is all. */
static int choose(const uint32_t *from, uint32_t n_of, json_int_t wanted, uint32_t **ret_ids,
                  uint32_t *ret_n, struct error *err)
{
    bool all = wanted <= 0 || wanted >= (json_int_t)n_of;
    uint32_t n = all ? n_of : (uint32_t)wanted;
    uint32_t *ids = malloc((n + 1u) * sizeof(*ids));
    int rc = ids ? 0 : error_nomem(err);
    if (rc == 0 && all)
        memcpy(ids, from, n * sizeof(*ids));
    else if (rc == 0)
        rc = draw(from, n_of, n, ids, err);
    if (rc < 0) {
        free(ids);
        return rc;
    }
    *ret_ids = ids;
    *ret_n = n;
    return 0;
}

/* A scenario that forgets classes decides which test rows there are; else all of them are. */
static int choose_test(struct job *job, const struct dataset *ds, json_int_t wanted,
                       uint32_t **ret_ids, uint32_t *ret_n, struct error *err)
{
    struct split split = {0};
    if (json_object_get(job->identity, "without")) {
        TRY(job_split(job, "without", ds, &split, err));
        int rc = choose(split.test, split.n_test, wanted, ret_ids, ret_n, err);
        split_release(&split);
        return rc;
    }
    uint32_t *all = malloc((ds->n_test + 1u) * sizeof(*all));
    if (!all)
        return error_nomem(err);
    for (uint32_t i = 0; i < ds->n_test; i++)
        all[i] = ds->n_train + i;
    int rc = choose(all, ds->n_test, wanted, ret_ids, ret_n, err);
    free(all);
    return rc;
}

int attacked_rows(struct job *job, const struct dataset *ds, struct split *split,
                  uint32_t **ret_ids, uint32_t *ret_n, struct error *err)
{
    const json_t *test_rows = json_object_get(job->identity, "test_rows");
    if (test_rows)
        return choose_test(job, ds, json_integer_value(test_rows), ret_ids, ret_n, err);
    TRY(job_split(job, "forget", ds, split, err));
    return choose(split->forget, split->n_forget, 0, ret_ids, ret_n, err);
}
