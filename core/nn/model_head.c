/* model_head.c: the last linear layer grows and shrinks by rows, which lie one after another. */
#include "model_head.h"

#include <math.h>
#include <string.h>

#include "rng.h"
#include "strbuf.h"

static int wider_arch(const struct arch *arch, uint32_t extra, struct arch **ret, struct error *err)
{
    struct strbuf text;
    struct arch_layer *last = &arch->layer[arch->n_layers - 1];
    if (last->kind != LAYER_LINEAR)
        return error_set(err, ERR_UNSUPPORTED,
                         "only a head that ends in a linear layer takes more classes, not one that "
                         "ends in %s",
                         layer_kind_name(last->kind));
    if (extra > UINT16_MAX)
        return error_set(err, ERR_INVALID, "%u more classes are too many", extra);
    strbuf_init(&text);
    arch_text(arch, &text);
    int rc = text.failed ? error_nomem(err) : arch_from_text(text.s, ret, err);
    strbuf_release(&text);
    TRY(rc);
    (*ret)->classes += extra;
    (*ret)->layer[(*ret)->n_layers - 1].out[0] += extra;
    return 0;
}

/* Every tensor of the narrower model is the beginning of that of the wider one. */
static void copy_common(struct model *dst, const struct model *src)
{
    for (size_t t = 0; t < dst->n_tensors; t++) {
        const struct tensor_info *to = &dst->tensor[t], *from = &src->tensor[t];
        bool statistic = to->flags & TENSOR_STATISTIC;
        size_t n = to->n < from->n ? to->n : from->n;
        memcpy((statistic ? dst->stat : dst->param) + to->offset,
               (statistic ? src->stat : src->param) + from->offset, n * sizeof(float));
    }
}

static void init_new_rows(struct model *wide, const struct model *m, uint64_t seed)
{
    struct rng r;
    rng_stream(&r, seed, "head", 0);
    float bound = (float)(1 / sqrt((double)m->arch->layer[m->arch->n_layers - 1].in[0]));
    for (size_t t = 0; t < wide->n_tensors; t++)
        for (size_t i = m->tensor[t].n; i < wide->tensor[t].n; i++)
            wide->param[wide->tensor[t].offset + i] = (2 * rng_uniform(&r) - 1) * bound;
}

int model_expand_head(const struct model *m, uint32_t extra, uint64_t seed, struct arch **ret_arch,
                      struct model **ret, struct error *err)
{
    struct arch *arch = NULL;
    struct model *wide = NULL;
    TRY(wider_arch(m->arch, extra, &arch, err));
    if (model_new(arch, &wide, err) < 0) {
        arch_free(arch);
        return err ? err->code : ERR_NOMEM;
    }
    copy_common(wide, m);
    init_new_rows(wide, m, seed);
    *ret_arch = arch;
    *ret = wide;
    return 0;
}

int model_prune_head(struct model *dst, const struct model *expanded, struct error *err)
{
    bool same = dst->n_tensors == expanded->n_tensors && dst->n_stat == expanded->n_stat &&
                dst->arch->classes <= expanded->arch->classes;
    uint32_t head = (uint32_t)dst->n_layers - 1;
    for (size_t t = 0; same && t < dst->n_tensors; t++) {
        const struct tensor_info *to = &dst->tensor[t], *from = &expanded->tensor[t];
        same = to->n == from->n || (to->layer == head && to->n < from->n);
    }
    if (!same)
        return error_set(err, ERR_INVALID, "prune: the models differ in more than their classes");
    copy_common(dst, expanded);
    return 0;
}
