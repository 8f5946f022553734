#include "member_set.h"

#include <stdlib.h>
#include <string.h>

/* size bytes a row; NULL when out of memory. */
static void *taken(const void *from, const uint32_t *rows, uint32_t n, size_t size)
{
    char *to = malloc(n * size + 1);
    for (uint32_t k = 0; to && k < n; k++)
        memcpy(to + k * size, (const char *)from + rows[k] * size, size);
    return to;
}

int member_set_take(const struct member_input *from, const uint32_t *rows, uint32_t n,
                    struct member_set *ret, struct error *err)
{
    const struct outputs *o = &from->candidates;
    size_t row = (size_t)o->n_views * o->n_classes * sizeof(float);
    ret->logits = taken(o->logits, rows, n, row);
    ret->y = taken(o->y, rows, n, sizeof(*ret->y));
    ret->reference = calloc(from->n_models + 1u, sizeof(*ret->reference));
    ret->inclusion = calloc(from->n_models + 1u, sizeof(*ret->inclusion));
    if (!ret->logits || !ret->y || !ret->reference || !ret->inclusion)
        return error_nomem(err);
    ret->n_models = from->n_models;
    for (uint32_t m = 0; m < from->n_models; m++) {
        ret->reference[m] = taken(from->reference_logits[m], rows, n, row);
        ret->inclusion[m] = taken(from->inclusion[m], rows, n, 1);
        if (!ret->reference[m] || !ret->inclusion[m])
            return error_nomem(err);
    }
    ret->o = (struct outputs){n, o->n_views, o->n_classes, ret->logits, ret->y};
    return 0;
}

void member_set_release(struct member_set *s)
{
    for (uint32_t m = 0; m < s->n_models; m++) {
        free(s->reference[m]);
        free(s->inclusion[m]);
    }
    free(s->reference);
    free(s->inclusion);
    free(s->logits);
    free(s->y);
    *s = (struct member_set){0};
}

void member_set_known(const struct member_set *s, int side, struct member_input *in)
{
    if (side == 0)
        in->known_members = &s->o;
    else
        in->known_nonmembers = &s->o;
    in->known_reference_logits[side] = (const float *const *)s->reference;
    in->known_inclusion[side] = (const uint8_t *const *)s->inclusion;
}
