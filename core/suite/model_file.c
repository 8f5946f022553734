#include "model_file.h"

#include <stdlib.h>
#include <string.h>

#include "safetensors.h"
#include "strbuf.h"
#include "text.h"

int model_save(const struct model *m, const char *path, struct error *err)
{
    struct st_tensor *t = calloc(m->n_tensors, sizeof(*t));
    struct strbuf arch;
    strbuf_init(&arch);
    arch_text(m->arch, &arch);
    int rc = t && !arch.failed ? 0 : error_nomem(err);
    for (size_t i = 0; rc == 0 && i < m->n_tensors; i++) {
        const struct tensor_info *info = &m->tensor[i];
        const float *block = info->flags & TENSOR_STATISTIC ? m->stat : m->param;
        t[i] = (struct st_tensor){.name = info->name,
                                  .dtype = "F32",
                                  .n_dim = info->n_dim,
                                  .n = info->n,
                                  .bytes = block + info->offset,
                                  .n_bytes = info->n * sizeof(float)};
        memcpy(t[i].dim, info->dim, sizeof(info->dim));
    }
    const char *const keys[] = {"format", MODEL_ARCH_KEY};
    const char *const values[] = {"pt", arch.s};
    if (rc == 0)
        rc = safetensors_write(path, t, m->n_tensors, keys, values, 2, err);
    free(t);
    strbuf_release(&arch);
    return rc;
}

static int shape_error(const char *path, const struct tensor_info *info, const struct st_tensor *t,
                       struct error *err)
{
    struct strbuf want, found;
    strbuf_init(&want);
    strbuf_init(&found);
    for (uint32_t d = 0; d < info->n_dim; d++)
        strbuf_addf(&want, "%s%zu", d ? "x" : "", info->dim[d]);
    for (uint32_t d = 0; d < t->n_dim; d++)
        strbuf_addf(&found, "%s%zu", d ? "x" : "", t->dim[d]);
    int rc = error_set(err, ERR_INVALID, "%s: tensor %s has shape %s, the architecture has %s",
                       path, info->name, found.s, want.s);
    strbuf_release(&want);
    strbuf_release(&found);
    return rc;
}

static int load_tensor(const char *path, const struct safetensors *st, struct model *m, size_t i,
                       struct error *err)
{
    const struct tensor_info *info = &m->tensor[i];
    const struct st_tensor *t = safetensors_find(st, info->name);
    if (!t)
        return error_set(err, ERR_INVALID, "%s: tensor %s is missing", path, info->name);
    bool same = t->n_dim == info->n_dim;
    for (uint32_t d = 0; same && d < info->n_dim; d++)
        same = t->dim[d] == info->dim[d];
    if (!same)
        return shape_error(path, info, t, err);
    float *block = info->flags & TENSOR_STATISTIC ? m->stat : m->param;
    return st_to_f32(t, block + info->offset, err);
}

/* PyTorch counts batches in a tensor of its own, which nothing here needs. */
static int check_no_others(const char *path, const struct safetensors *st, const struct model *m,
                           struct error *err)
{
    for (size_t i = 0; i < st->n; i++) {
        bool known = text_ends(st->tensor[i].name, "num_batches_tracked");
        for (size_t j = 0; !known && j < m->n_tensors; j++)
            known = strcmp(m->tensor[j].name, st->tensor[i].name) == 0;
        if (!known)
            return error_set(err, ERR_INVALID, "%s: tensor %s is not in the architecture", path,
                             st->tensor[i].name);
    }
    return 0;
}

static int load_tensors(const char *path, const struct safetensors *st, struct model *m,
                        struct error *err)
{
    for (size_t i = 0; i < m->n_tensors; i++)
        TRY(load_tensor(path, st, m, i, err));
    return check_no_others(path, st, m, err);
}

int model_load_into(struct model *m, const char *path, struct error *err)
{
    struct safetensors st;
    TRY(safetensors_open(path, &st, err));
    int rc = load_tensors(path, &st, m, err);
    safetensors_release(&st);
    return rc;
}

int model_load(const char *path, struct arch **ret_arch, struct model **ret, struct error *err)
{
    struct safetensors st;
    struct arch *arch = NULL;
    struct model *m = NULL;
    TRY(safetensors_open(path, &st, err));
    const char *text = safetensors_meta(&st, MODEL_ARCH_KEY);
    int rc = text ? arch_from_text(text, &arch, err)
                  : error_set(err, ERR_INVALID, "%s: the metadata has no %s", path, MODEL_ARCH_KEY);
    if (rc == 0)
        rc = model_new(arch, &m, err);
    if (rc == 0)
        rc = load_tensors(path, &st, m, err);
    safetensors_release(&st);
    if (rc < 0) {
        model_free(m);
        arch_free(arch);
        return rc;
    }
    *ret_arch = arch;
    *ret = m;
    return 0;
}
