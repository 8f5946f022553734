/* `budget:` of a suite or of one of its methods: what a run may spend, by the host's meters. */
#include <inttypes.h>
#include <string.h>

#include "suite_budget.h"
#include "suite_internal.h"

static const char *const budget_keys[] = {
#define BUDGET_X(name) #name,
    BUDGET_MAP(BUDGET_X)
#undef BUDGET_X
        NULL};

static uint64_t *limit_of(struct budget *b, const char *key)
{
#define BUDGET_X(name)                                                                             \
    if (strcmp(key, #name) == 0)                                                                   \
        return &b->name;
    BUDGET_MAP(BUDGET_X)
#undef BUDGET_X
    return NULL;
}

int suite_parse_budget(const struct yaml_node *node, struct budget *io, struct error *err)
{
    struct budget b = *io;
    if (!node)
        return 0;
    if (node->kind != YAML_MAP || node->n == 0)
        return yaml_error(node, err,
                          "budget: expected limits such as {samples: 100000, steps: 500}");
    TRY(yaml_known_keys(node, "budget", budget_keys, err));
    for (size_t i = 0; i < node->n; i++) {
        const struct yaml_pair *p = &node->child[i];
        int64_t v;
        TRY(yaml_int(p->value, p->key, &v, err));
        if (v < 0)
            return yaml_error(p->value, err, "budget.%s: expected a number from 0, found %" PRId64,
                              p->key, v);
        *limit_of(&b, p->key) = (uint64_t)v;
    }
    *io = b;
    return 0;
}

json_t *budget_json(const struct budget *b)
{
    json_t *o = json_object();
#define BUDGET_X(name)                                                                             \
    if (b->name != UINT64_MAX)                                                                     \
        json_object_set_new(o, #name, json_integer((json_int_t)b->name));
    BUDGET_MAP(BUDGET_X)
#undef BUDGET_X
    return o;
}

void budget_from_json(const json_t *o, struct budget *ret)
{
#define BUDGET_X(name)                                                                             \
    ret->name = json_is_integer(json_object_get(o, #name))                                         \
                    ? (uint64_t)json_integer_value(json_object_get(o, #name))                      \
                    : UINT64_MAX;
    BUDGET_MAP(BUDGET_X)
#undef BUDGET_X
}
