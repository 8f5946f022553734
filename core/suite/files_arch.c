#include "files_arch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "model_file.h"
#include "safetensors.h"
#include "text.h"
#include "yaml.h"

/* A model file: its own architecture is NULL when something other than Lethe wrote it. */
struct source {
    struct safetensors st;
    struct arch *arch;
    bool open;
};

static int source_open(const char *path, struct source *s, struct error *err)
{
    if (!path)
        return 0;
    TRY(safetensors_open(path, &s->st, err));
    s->open = true;
    const char *text = safetensors_meta(&s->st, MODEL_ARCH_KEY);
    if (text && arch_from_text(text, &s->arch, err) < 0)
        return error_prefix(err, "%s: metadata %s", path, MODEL_ARCH_KEY);
    return 0;
}

static void source_release(struct source *s)
{
    arch_free(s->arch);
    if (s->open)
        safetensors_release(&s->st);
}

static bool is_arch_name(const char *s)
{
    for (const char *const *name = arch_names(); *name; name++)
        if (strcmp(*name, s) == 0)
            return true;
    return false;
}

/* A list of layers says itself how many classes it ends in. */
static bool is_sequential(const struct yaml_node *node)
{
    const struct yaml_node *kind = yaml_get(node, "arch");
    return kind && kind->kind == YAML_SCALAR && strcmp(kind->text, "sequential") == 0;
}

static int parse_name(const char *name, const uint32_t shape[3], uint32_t classes,
                      struct arch **ret, struct error *err)
{
    const struct yaml_node node = {.kind = YAML_SCALAR, .origin = "--arch", .text = (char *)name};
    return arch_parse(&node, shape, classes, ret, err);
}

/* The error for a word that is neither: says which names there are. */
static int neither(const char *option, struct error *err)
{
    static const uint32_t any[3] = {1, 1, 1};
    struct arch *arch = NULL;
    int rc = parse_name(option, any, 2, &arch, err);
    size_t n = strlen(err->text);
    arch_free(arch);
    snprintf(err->text + n, sizeof(err->text) - n, " (and there is no file %s)", option);
    return rc;
}

static int parse(const char *option, const uint32_t shape[3], uint32_t classes, struct arch **ret,
                 struct error *err)
{
    struct yaml_node *node = NULL;
    if (is_arch_name(option))
        return parse_name(option, shape, classes, ret, err);
    if (!fs_exists(option))
        return neither(option, err);
    TRY(yaml_load(option, &node, err));
    int rc = arch_parse(node, shape, is_sequential(node) ? 0 : classes, ret, err);
    yaml_free(node);
    return rc;
}

/* The last layer with weights, in forward order. */
static const struct arch_layer *last_with_weights(const struct arch_layer *layer, uint32_t n)
{
    for (uint32_t i = n; i-- > 0;) {
        const struct arch_layer *l = &layer[i];
        if (l->kind == LAYER_LINEAR || l->kind == LAYER_CONV)
            return l;
        const struct arch_layer *inside = last_with_weights(l->body, l->n_body);
        if (inside)
            return inside;
    }
    return NULL;
}

/* Outputs of the last layer, read off the tensor of that name in a file that says nothing else;
 * 0 when it is not there. */
static uint32_t classes_of_tensors(const struct safetensors *st, const struct arch *any)
{
    const struct arch_layer *last = last_with_weights(any->layer, any->n_layers);
    char *name = last ? text_format("%s.weight", last->name) : NULL;
    const struct st_tensor *t = name ? model_file_tensor(st, name) : NULL;
    free(name);
    return t && t->n_dim > 1 && t->dim[0] <= INT32_MAX ? (uint32_t)t->dim[0] : 0;
}

/* 0 x 0 x 0 without images: the architecture must say what it reads. */
static const uint32_t *shape_of(const struct arch_request *r)
{
    static const uint32_t unknown[3] = {0, 0, 0};
    return r->images ? r->images->shape : unknown;
}

static int parse_for(const struct arch_request *r, const struct source *s, struct arch **ret,
                     struct error *err)
{
    uint32_t classes = s->arch ? s->arch->classes : r->classes_seen;
    struct arch *arch = NULL;
    TRY(parse(r->arch, shape_of(r), classes ? classes : 2, &arch, err));
    uint32_t in_file = s->open && !s->arch ? classes_of_tensors(&s->st, arch) : 0;
    if (in_file && in_file != arch->classes) {
        arch_free(arch);
        return parse(r->arch, shape_of(r), in_file, ret, err);
    }
    *ret = arch;
    return 0;
}

static int check_images(const struct arch_request *r, const struct arch *a, struct error *err)
{
    const uint32_t *want = a->input, *found = shape_of(r);
    if (!r->images || memcmp(want, found, sizeof(a->input)) == 0)
        return 0;
    return error_set(err, ERR_INVALID,
                     "%s: images of %" PRIu32 "x%" PRIu32 "x%" PRIu32
                     " (channels, height, width), the architecture of %s reads %" PRIu32 "x%" PRIu32
                     "x%" PRIu32,
                     r->images->path, found[0], found[1], found[2], r->arch ? r->arch : r->model,
                     want[0], want[1], want[2]);
}

static int no_arch(const struct arch_request *r, struct error *err)
{
    if (!r->model)
        return error_set(err, ERR_INVALID,
                         "which architecture? Give --arch NAME or --arch arch.yaml");
    return error_set(err, ERR_INVALID,
                     "%s %s: its metadata has no %s (a file from PyTorch?), so --arch NAME or "
                     "--arch arch.yaml must say which architecture it is",
                     r->model_option, r->model, MODEL_ARCH_KEY);
}

int files_arch(const struct arch_request *r, struct arch **ret, struct error *err)
{
    struct source s = {0};
    struct arch *arch = NULL;
    int rc = source_open(r->model, &s, err);
    if (rc == 0 && r->arch) {
        rc = parse_for(r, &s, &arch, err);
    } else if (rc == 0 && s.arch) {
        arch = s.arch;
        s.arch = NULL;
    } else if (rc == 0) {
        rc = no_arch(r, err);
    }
    if (rc == 0)
        rc = check_images(r, arch, err);
    source_release(&s);
    if (rc < 0) {
        arch_free(arch);
        return rc;
    }
    *ret = arch;
    return 0;
}
