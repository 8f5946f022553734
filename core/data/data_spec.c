/* data_spec.c: a suite's `data:` before anything is read. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_source.h"
#include "fs.h"
#include "strbuf.h"
#include "text.h"

static const double default_noise = 0.25, max_noise = 10;
static const int64_t max_classes = 65536;

static int unknown_name(const struct yaml_node *node, const char *name, struct error *err)
{
    const char *like = text_did_you_mean(name, data_source_names());
    if (like)
        return yaml_error(node, err, "unknown data set \"%s\"; did you mean \"%s\"?", name, like);
    struct strbuf known;
    strbuf_init(&known);
    for (const char *const *n = data_source_names(); *n; n++)
        strbuf_addf(&known, "%s%s", known.len ? ", " : "", *n);
    int rc = yaml_error(node, err, "unknown data set \"%s\"; known: %s", name, known.s);
    strbuf_release(&known);
    return rc;
}

/* A count of `train` or `test` images; absent means all. */
static int parse_count(const struct yaml_node *map, const char *key, const char *name,
                       uint32_t available, uint32_t *ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    int64_t v = 0;
    if (!node)
        return 0;
    TRY(yaml_int(node, key, &v, err));
    if (v < 0)
        return yaml_error(node, err, "%s: expected a number of images, found %" PRId64, key, v);
    if (v > available)
        return yaml_error(node, err, "%s: %" PRId64 " is more than the %" PRIu32 " %s images of %s",
                          key, v, available, strcmp(key, "test") == 0 ? "test" : "training", name);
    *ret = (uint32_t)v;
    return 0;
}

static int parse_seeded(const struct yaml_node *map, struct data_spec *spec, struct error *err)
{
    const struct yaml_node *seed = yaml_get(map, "seed"), *noise = yaml_get(map, "noise");
    int64_t v = 1;
    if (seed)
        TRY(yaml_int(seed, "seed", &v, err));
    if (v < 0)
        return yaml_error(seed, err, "seed: expected a whole number from 0, found %" PRId64, v);
    spec->seed = (uint64_t)v;
    spec->noise = default_noise;
    if (noise)
        TRY(yaml_real(noise, "noise", &spec->noise, err));
    if (!(spec->noise >= 0 && spec->noise <= max_noise))
        return yaml_error(noise, err, "noise: expected a standard deviation from 0 to %g, found %s",
                          max_noise, noise->text);
    return 0;
}

/* An absolute path in *ret when the map has the key. */
static int parse_path(const struct yaml_node *map, const char *key, const char *base_dir,
                      char **ret, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, key);
    const char *text = NULL;
    if (!node)
        return 0;
    TRY(yaml_string(node, key, &text, err));
    char *path = base_dir ? fs_join(base_dir, text) : text_dup(text);
    int rc = path ? fs_absolute(path, ret, err) : error_nomem(err);
    free(path);
    if (rc == 0 && !fs_exists(*ret))
        rc = yaml_error(node, err, "%s: there is no %s", key, *ret);
    return rc;
}

static int parse_files(const struct yaml_node *map, const char *base_dir, struct data_spec *spec,
                       struct error *err)
{
    static const char *const keys[] = {"images", "labels", "test_images", "test_labels"};
    int missing = -1, given = 0;
    for (int i = 0; i < 4; i++) {
        if (yaml_get(map, keys[i]))
            given++;
        else
            missing = i;
    }
    if (given > 0 && yaml_get(map, "path"))
        return yaml_error(map, err, "data: path and %s exclude each other",
                          yaml_get(map, "images") ? "images" : "single files");
    if (given > 0 && missing >= 0)
        return yaml_error(map, err, "data: the key %s is missing", keys[missing]);
    for (int i = 0; i < 4; i++)
        TRY(parse_path(map, keys[i], base_dir, &spec->file[i], err));
    return 0;
}

static int parse_classes(const struct yaml_node *map, struct data_spec *spec, struct error *err)
{
    const struct yaml_node *node = yaml_get(map, "classes");
    int64_t v = 0;
    if (!node)
        return 0;
    TRY(yaml_int(node, "classes", &v, err));
    if (v < 2 || v > max_classes)
        return yaml_error(node, err, "classes: expected 2 to %" PRId64 ", found %" PRId64,
                          max_classes, v);
    spec->classes = (uint32_t)v;
    return 0;
}

static int parse_places(const struct yaml_node *map, const char *base_dir, struct data_spec *spec,
                        struct error *err)
{
    TRY(parse_path(map, "path", base_dir, &spec->dir, err));
    TRY(parse_files(map, base_dir, spec, err));
    if (!spec->dir && !spec->file[0])
        return yaml_error(map, err, "data: %s needs the key path", spec->name);
    return parse_classes(map, spec, err);
}

/* Without a name, a map of files is npy. */
static int parse_name(const struct yaml_node *node, struct data_spec *spec,
                      const struct data_source **ret, struct error *err)
{
    const bool map = node && node->kind == YAML_MAP;
    const struct yaml_node *at = map ? yaml_get(node, "name") : node;
    const char *name = "npy";
    if (map && !at && !yaml_get(node, "images"))
        return yaml_error(node, err, "data: the key name is missing");
    if (!map || at)
        TRY(yaml_string(at, "data", &name, err));
    const struct data_source *s = data_source_find(name);
    if (!s)
        return unknown_name(at, name, err);
    if (!map && s->by_path)
        return yaml_error(node, err, "data: %s needs the key path", name);
    snprintf(spec->name, sizeof spec->name, "%s", name);
    *ret = s;
    return map ? yaml_known_keys(node, "data", s->keys, err) : 0;
}

/* Held-out images: the training images that follow those of `train`. With all of them in use, or
 * without the key train, they are taken from its end. */
static int parse_validation(const struct yaml_node *map, const char *name,
                            const struct data_layout *layout, struct data_spec *spec,
                            struct error *err)
{
    const struct yaml_node *node = yaml_get(map, "validation");
    TRY(parse_count(map, "validation", name, layout->n_train, &spec->validation, err));
    uint32_t left = layout->n_train - spec->train; /* with train: 0, all */
    if (spec->validation < left || (spec->train && spec->validation == left))
        return 0;
    return yaml_error(node, err,
                      "validation: %" PRIu32 " images are wanted, %s has %" PRIu32
                      " training images and train takes %" PRIu32,
                      spec->validation, name, layout->n_train, spec->train);
}

/* What the source can give is known: counts are checked against it. */
static int parse_counts(const struct yaml_node *node, const struct data_source *s,
                        struct data_spec *spec, struct error *err)
{
    struct data_layout layout;
    if (s->by_path) {
        TRY(data_source_of(spec, &s, err));
        if (data_source_layout(s, spec, &layout, err) < 0)
            return node->line > 0
                       ? error_prefix(err, "%s:%d:%d: data", node->origin, node->line, node->column)
                       : error_prefix(err, "%s: data", node->origin);
    } else {
        layout = *s->fixed;
    }
    TRY(parse_count(node, "train", s->name, layout.n_train, &spec->train, err));
    TRY(parse_count(node, "test", s->name, layout.n_test, &spec->test, err));
    return parse_validation(node, s->name, &layout, spec, err);
}

int data_spec_parse(const struct yaml_node *node, const char *base_dir, struct data_spec *ret,
                    struct error *err)
{
    struct data_spec spec = {0};
    const struct data_source *s = NULL;
    int rc = parse_name(node, &spec, &s, err);
    if (rc == 0 && s->by_path)
        rc = parse_places(node, base_dir, &spec, err);
    if (rc == 0)
        rc = parse_counts(node, s, &spec, err);
    if (rc == 0 && s->seeded)
        rc = parse_seeded(node, &spec, err);
    if (rc < 0)
        data_spec_release(&spec);
    else
        *ret = spec;
    return rc;
}

void data_spec_release(struct data_spec *spec)
{
    free(spec->dir);
    spec->dir = NULL;
    for (int i = 0; i < 4; i++) {
        free(spec->file[i]);
        spec->file[i] = NULL;
    }
}

static int layout_of(const struct data_spec *spec, struct data_layout *ret, struct error *err)
{
    const struct data_source *s;
    TRY(data_source_of(spec, &s, err));
    return data_source_layout(s, spec, ret, err);
}

int data_spec_counts(const struct data_spec *spec, uint32_t *ret_train, uint32_t *ret_test,
                     struct error *err)
{
    struct data_layout l;
    TRY(layout_of(spec, &l, err));
    if (spec->train > l.n_train || spec->test > l.n_test ||
        spec->validation > l.n_train - spec->train)
        return error_set(err, ERR_INVALID,
                         "%s: %" PRIu32 " training and %" PRIu32 " test images are wanted, %" PRIu32
                         " and %" PRIu32 " are available",
                         spec->name, spec->train, spec->test, l.n_train, l.n_test);
    /* A generated set has more where these come from; a file is cut. */
    uint32_t rest = l.n_train - spec->validation;
    uint32_t all = l.default_train < rest ? l.default_train : rest;
    *ret_train = spec->train ? spec->train : all;
    *ret_test = spec->test ? spec->test : l.default_test;
    return 0;
}

int data_spec_shape(const struct data_spec *spec, uint32_t ret_shape[3], uint32_t *ret_classes,
                    struct error *err)
{
    struct data_layout l;
    TRY(layout_of(spec, &l, err));
    memcpy(ret_shape, l.shape, sizeof l.shape);
    *ret_classes = l.n_classes;
    return 0;
}
