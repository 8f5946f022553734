#include "model_file.h"

#include <stdlib.h>
#include <string.h>

#include "safetensors.h"
#include "strbuf.h"
#include "text.h"

/* ---- saving ---- */

/* PyTorch counts batches in a tensor of each batch-norm layer, and strict loading wants it. */
static const char counter_name[] = "num_batches_tracked";

/* "bn1.running_var" -> "bn1.num_batches_tracked", malloc'd; NULL for other tensors. */
static char *counter_of(const struct tensor_info *info)
{
    static const char last[] = "running_var";
    if (!text_ends(info->name, last))
        return NULL;
    return text_format("%.*s%s", (int)(strlen(info->name) - strlen(last)), info->name,
                       counter_name);
}

static struct st_tensor tensor_of(const struct model *m, const struct tensor_info *info)
{
    const float *block = info->flags & TENSOR_STATISTIC ? m->stat : m->param;
    struct st_tensor t = {.name = info->name,
                          .dtype = "F32",
                          .n_dim = info->n_dim,
                          .n = info->n,
                          .bytes = block + info->offset,
                          .n_bytes = info->n * sizeof(float)};
    memcpy(t.dim, info->dim, sizeof(info->dim));
    return t;
}

/* The counters come first, as readers that map the file want wide numbers aligned. They say 0: with
 * PyTorch's default momentum nothing depends on them. t has room for two entries a tensor. */
static int list_tensors(const struct model *m, struct st_tensor *t, size_t *ret_n,
                        size_t *ret_counters, struct error *err)
{
    static const int64_t zero = 0;
    size_t n = 0;
    for (size_t i = 0; i < m->n_tensors; i++) {
        if (!text_ends(m->tensor[i].name, "running_var"))
            continue;
        t[n] = (struct st_tensor){.name = counter_of(&m->tensor[i]),
                                  .dtype = "I64",
                                  .n = 1,
                                  .bytes = &zero,
                                  .n_bytes = sizeof(zero)};
        if (!t[n].name)
            return error_nomem(err);
        *ret_counters = ++n;
    }
    for (size_t i = 0; i < m->n_tensors; i++)
        t[n++] = tensor_of(m, &m->tensor[i]);
    *ret_n = n;
    return 0;
}

int model_save(const struct model *m, const char *path, struct error *err)
{
    struct st_tensor *t = calloc(2 * m->n_tensors, sizeof(*t));
    size_t n = 0, n_counters = 0;
    struct strbuf arch;
    strbuf_init(&arch);
    arch_text(m->arch, &arch);
    int rc = t && !arch.failed ? list_tensors(m, t, &n, &n_counters, err) : error_nomem(err);
    const char *const keys[] = {"format", MODEL_ARCH_KEY};
    const char *const values[] = {"pt", arch.s};
    if (rc == 0)
        rc = safetensors_write(path, t, n, keys, values, 2, err);
    for (size_t i = 0; i < n_counters; i++)
        free((char *)t[i].name);
    free(t);
    strbuf_release(&arch);
    return rc;
}

/* ---- loading ---- */

/* How the names of a file differ from ours. */
struct naming {
    const char *prefix;           /* of every name */
    const char *const (*word)[2]; /* ours, theirs; NULL-ended */
};

static const char *const no_words[][2] = {{NULL, NULL}};
static const char *const torchvision_words[][2] = {
    {"linear.", "fc."}, {".shortcut.", ".downsample."}, {NULL, NULL}};

static const char *const vgg_words[][2] = {{"classifier.", "classifier.0."}, {NULL, NULL}};

/* nn.DataParallel puts "module." in front; torchvision's ResNets have other words than the usual
 * CIFAR ones; the one linear layer behind a VGG's features may stand in an nn.Sequential, as
 * torchvision's classifier does. */
static const struct naming namings[] = {
    {"", no_words},          {"module.", no_words},
    {"", torchvision_words}, {"module.", torchvision_words},
    {"", vgg_words},         {"module.", vgg_words},
};

static char *their_name(const struct naming *n, const char *name)
{
    for (size_t i = 0; n->word[i][0]; i++) {
        const char *at = strstr(name, n->word[i][0]);
        if (at && (at == name || n->word[i][0][0] == '.'))
            return text_format("%s%.*s%s%s", n->prefix, (int)(at - name), name, n->word[i][1],
                               at + strlen(n->word[i][0]));
    }
    return text_format("%s%s", n->prefix, name);
}

/* Our tensors as they are called in the file. */
static void names_free(char **names, size_t n)
{
    for (size_t i = 0; names && i < n; i++)
        free(names[i]);
    free(names);
}

static char **names_make(const struct naming *naming, const struct model *m)
{
    char **names = calloc(m->n_tensors + 1, sizeof(*names));
    for (size_t i = 0; names && i < m->n_tensors; i++)
        if (!(names[i] = their_name(naming, m->tensor[i].name))) {
            names_free(names, i);
            return NULL;
        }
    return names;
}

const struct st_tensor *model_file_tensor(const struct safetensors *st, const char *name)
{
    const struct st_tensor *found = NULL;
    for (size_t k = 0; !found && k < sizeof(namings) / sizeof(namings[0]); k++) {
        char *theirs = their_name(&namings[k], name);
        found = theirs ? safetensors_find(st, theirs) : NULL;
        free(theirs);
    }
    return found;
}

/* The names under which all tensors are there; else our own, for the message. */
static int find_names(const struct safetensors *st, const struct model *m, char ***ret,
                      struct error *err)
{
    for (size_t k = 0; k <= sizeof(namings) / sizeof(namings[0]); k++) {
        bool last = k == sizeof(namings) / sizeof(namings[0]), all = true;
        char **names = names_make(&namings[last ? 0 : k], m);
        if (!names)
            return error_nomem(err);
        for (size_t i = 0; all && i < m->n_tensors; i++)
            all = safetensors_find(st, names[i]) != NULL;
        if (all || last) {
            *ret = names;
            return 0;
        }
        names_free(names, m->n_tensors);
    }
    return 0;
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
                       const char *name, struct error *err)
{
    const struct tensor_info *info = &m->tensor[i];
    const struct st_tensor *t = safetensors_find(st, name);
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

static int check_no_others(const char *path, const struct safetensors *st, const struct model *m,
                           char *const *names, struct error *err)
{
    for (size_t i = 0; i < st->n; i++) {
        bool known = text_ends(st->tensor[i].name, counter_name);
        for (size_t j = 0; !known && j < m->n_tensors; j++)
            known = strcmp(names[j], st->tensor[i].name) == 0;
        if (!known)
            return error_set(err, ERR_INVALID, "%s: tensor %s is not in the architecture", path,
                             st->tensor[i].name);
    }
    return 0;
}

static int load_tensors(const char *path, const struct safetensors *st, struct model *m,
                        struct error *err)
{
    char **names = NULL;
    TRY(find_names(st, m, &names, err));
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < m->n_tensors; i++)
        rc = load_tensor(path, st, m, i, names[i], err);
    if (rc == 0)
        rc = check_no_others(path, st, m, names, err);
    names_free(names, m->n_tensors);
    return rc;
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
