#include "unlearned_shadow.h"

#include <stdlib.h>
#include <string.h>

#include "rng.h"

static int mark_drawn(const uint32_t *from, uint32_t n_of, uint32_t n, uint64_t index,
                      uint8_t *judged, struct error *err)
{
    struct rng rng;
    uint32_t *pick = malloc((n + 1u) * sizeof(*pick));
    if (!pick)
        return error_nomem(err);
    rng_stream(&rng, task_seed("judged", 1), "test", index);
    rng_choose(&rng, n_of, n, pick);
    for (uint32_t i = 0; i < n; i++)
        judged[from[pick[i]]] = 1;
    free(pick);
    return 0;
}

static int mark(const struct split *split, uint64_t seed, uint8_t *judged, struct error *err)
{
    memset(judged, 0, split->n);
    for (uint32_t i = 0; i < split->n_forget; i++)
        judged[split->forget[i]] = 1;
    for (uint32_t i = 0; i < split->n_test_forgotten; i++)
        judged[split->test_forgotten[i]] = 1;
    if (split->n_test_forgotten > 0)
        return 0;
    uint32_t n = split->n_forget < split->n_test ? split->n_forget : split->n_test;
    return mark_drawn(split->test, split->n_test, n, seed, judged, err);
}

int shadow_judged(const struct dataset *ds, const json_t *forget, uint8_t *judged,
                  struct error *err)
{
    struct forget_spec spec;
    struct split split = {0};
    uint64_t seed;
    TRY(forget_from_json(forget, &spec, &seed, err));
    int rc = split_make(ds, &spec, seed, &split, err);
    if (rc == 0)
        rc = mark(&split, seed, judged, err);
    split_release(&split);
    forget_release(&spec);
    return rc;
}

int shadow_split(const struct dataset *ds, const json_t *spec, struct split *ret, struct error *err)
{
    json_int_t k, bank;
    TRY(json_get_int(spec, "forget", "shadow", &k, err));
    TRY(json_get_int(spec, "forget", "bank", &bank, err));
    uint32_t n = ds->n_train + ds->n_test;
    uint8_t *judged = malloc(n + 1u), *role = malloc(n + 1u);
    int rc = judged && role ? shadow_judged(ds, json_object_get(spec, "of"), judged, err)
                            : error_nomem(err);
    if (rc == 0) {
        split_shadow(n, task_seed("shadow-bank", bank), (uint32_t)k, role);
        for (uint32_t i = 0; i < n; i++)
            role[i] = !role[i] ? ROW_TEST : judged[i] ? ROW_FORGET : ROW_RETAIN;
        rc = split_from_roles(role, n, "the forget set of a shadow model", ret, err);
    }
    free(judged);
    free(role);
    return rc;
}
