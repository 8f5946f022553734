/* data_spec.c: a suite's `data:` before anything is read, and its identity. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_source.h"
#include "hash.h"
#include "text.h"

/* Of the decoded store folder (dataset.c); a new layout or a new generator makes new identities. */
enum { STORE_FORMAT = 1 };

static const double default_noise = 0.25, max_noise = 10;

static int unknown_name(const struct yaml_node *node, const char *name, struct error *err)
{
    const char *like = text_did_you_mean(name, data_source_names());
    if (like)
        return yaml_error(node, err, "unknown data set \"%s\"; did you mean \"%s\"?", name, like);
    return yaml_error(node, err, "unknown data set \"%s\"; known: fashion-mnist, synthetic", name);
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

int data_spec_parse(const struct yaml_node *node, struct data_spec *ret, struct error *err)
{
    static const char *const keys[] = {"name", "train", "test", NULL};
    static const char *const seeded_keys[] = {"name", "train", "test", "seed", "noise", NULL};
    struct data_spec spec = {0};
    const char *name = NULL;
    const struct yaml_node *at = node && node->kind == YAML_MAP ? yaml_get(node, "name") : node;
    if (node && node->kind == YAML_MAP && !at)
        return yaml_error(node, err, "data: the key name is missing");
    TRY(yaml_string(at, "data", &name, err));
    const struct data_source *s = data_source_find(name);
    if (!s)
        return unknown_name(at, name, err);
    snprintf(spec.name, sizeof spec.name, "%s", name);
    if (at != node)
        TRY(yaml_known_keys(node, "data", s->seeded ? seeded_keys : keys, err));
    TRY(parse_count(node, "train", name, s->n_train, &spec.train, err));
    TRY(parse_count(node, "test", name, s->n_test, &spec.test, err));
    if (s->seeded)
        TRY(parse_seeded(node, &spec, err));
    *ret = spec;
    return 0;
}

static int require_source(const struct data_spec *spec, const struct data_source **ret,
                          struct error *err)
{
    *ret = data_source_find(spec->name);
    return *ret ? 0 : error_set(err, ERR_INVALID, "unknown data set \"%s\"", spec->name);
}

int data_spec_counts(const struct data_spec *spec, uint32_t *ret_train, uint32_t *ret_test,
                     struct error *err)
{
    const struct data_source *s;
    TRY(require_source(spec, &s, err));
    if (spec->train > s->n_train || spec->test > s->n_test)
        return error_set(err, ERR_INVALID,
                         "%s: %" PRIu32 " training and %" PRIu32 " test images are wanted, %" PRIu32
                         " and %" PRIu32 " are available",
                         spec->name, spec->train, spec->test, s->n_train, s->n_test);
    *ret_train = spec->train ? spec->train : s->default_train;
    *ret_test = spec->test ? spec->test : s->default_test;
    return 0;
}

int data_spec_shape(const struct data_spec *spec, uint32_t ret_shape[3], uint32_t *ret_classes,
                    struct error *err)
{
    const struct data_source *s;
    TRY(require_source(spec, &s, err));
    memcpy(ret_shape, s->shape, sizeof s->shape);
    *ret_classes = s->n_classes;
    return 0;
}

/* {"train-images-idx3-ubyte": sha256, ...}: of the files as they lie there. */
static int add_files(const struct data_source *s, json_t *files, struct error *err)
{
    for (int f = 0; f < N_DATA_FILES; f++) {
        char hex[HASH_HEX_SIZE];
        char *path = data_source_file(s, (enum data_file)f, err);
        if (!path)
            return err && err->code ? err->code : ERR_ENVIRONMENT;
        int rc = hash_file(path, hex, err);
        free(path);
        TRY(rc);
        if (json_object_set_new(files, s->files[f], json_string(hex)) != 0)
            return error_nomem(err);
    }
    return 0;
}

int data_spec_identity(const struct data_spec *spec, json_t **ret, struct error *err)
{
    const struct data_source *s;
    uint32_t train, test;
    TRY(require_source(spec, &s, err));
    TRY(data_spec_counts(spec, &train, &test, err));
    json_t *o = json_pack("{s:s,s:i,s:i,s:i}", "name", s->name, "train", (int)train, "test",
                          (int)test, "format", STORE_FORMAT);
    json_t *files = json_object();
    int rc = o && files ? 0 : error_nomem(err);
    if (rc == 0 && s->seeded &&
        (json_object_set_new(o, "seed", json_integer((json_int_t)spec->seed)) != 0 ||
         json_object_set_new(o, "noise", json_real(spec->noise)) != 0))
        rc = error_nomem(err);
    if (rc == 0 && !s->seeded) {
        rc = add_files(s, files, err);
        if (rc == 0 && json_object_set(o, "files", files) != 0)
            rc = error_nomem(err);
    }
    json_decref(files);
    if (rc < 0)
        json_decref(o);
    else
        *ret = o;
    return rc;
}

int data_spec_from_identity(const json_t *identity, struct data_spec *ret, struct error *err)
{
    static const char what[] = "data identity";
    struct data_spec spec = {0};
    const char *name;
    json_int_t train, test, format, seed = 0;
    TRY(json_get_string(identity, what, "name", &name, err));
    TRY(json_get_int(identity, what, "train", &train, err));
    TRY(json_get_int(identity, what, "test", &test, err));
    TRY(json_get_int(identity, what, "format", &format, err));
    const struct data_source *s = data_source_find(name);
    if (!s || format != STORE_FORMAT || train < 1 || train > s->n_train || test < 1 ||
        test > s->n_test)
        return error_set(err, ERR_INVALID, "%s: not one that this version writes", what);
    if (s->seeded) {
        TRY(json_get_int(identity, what, "seed", &seed, err));
        TRY(json_get_real(identity, what, "noise", &spec.noise, err));
        if (seed < 0 || !(spec.noise >= 0 && spec.noise <= max_noise))
            return error_set(err, ERR_INVALID, "%s: not one that this version writes", what);
    }
    snprintf(spec.name, sizeof spec.name, "%s", name);
    spec.train = (uint32_t)train;
    spec.test = (uint32_t)test;
    spec.seed = (uint64_t)seed;
    *ret = spec;
    return 0;
}
