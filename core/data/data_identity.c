/* data_identity.c: a data set as a part of what a task's result depends on. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data_source.h"
#include "hash.h"
#include "text.h"

/* Of the decoded store folder (dataset.c); a new layout or a new generator makes new identities. */
enum { STORE_FORMAT = 1 };

static const double max_noise = 10;

/* {"train-images-idx3-ubyte": sha256, ...}: of the files as they lie there. */
static int add_files(const struct data_source *s, const struct data_spec *spec, json_t *files,
                     struct error *err)
{
    const char *key;
    for (unsigned f = 0; (key = data_source_key(s, spec, f)); f++) {
        char hex[HASH_HEX_SIZE];
        char *path = data_source_file(s, spec, f, err);
        if (!path)
            return err && err->code ? err->code : ERR_ENVIRONMENT;
        int rc = hash_file(path, hex, err);
        free(path);
        TRY(rc);
        if (json_object_set_new(files, key, json_string(hex)) != 0)
            return error_nomem(err);
    }
    return 0;
}

static int add_extras(const struct data_source *s, const struct data_spec *spec, json_t *o,
                      struct error *err)
{
    if (s->seeded && (json_object_set_new(o, "seed", json_integer((json_int_t)spec->seed)) != 0 ||
                      json_object_set_new(o, "noise", json_real(spec->noise)) != 0))
        return error_nomem(err);
    if (spec->classes && json_object_set_new(o, "classes", json_integer(spec->classes)) != 0)
        return error_nomem(err);
    if (s->seeded)
        return 0;
    json_t *files = json_object();
    int rc = files ? add_files(s, spec, files, err) : error_nomem(err);
    if (rc == 0 && json_object_set(o, "files", files) != 0)
        rc = error_nomem(err);
    json_decref(files);
    return rc;
}

int data_spec_identity(const struct data_spec *spec, json_t **ret, struct error *err)
{
    const struct data_source *s;
    uint32_t train, test;
    TRY(data_source_of(spec, &s, err));
    TRY(data_spec_counts(spec, &train, &test, err));
    json_t *o = json_pack("{s:s,s:i,s:i,s:i}", "name", s->name, "train", (int)train, "test",
                          (int)test, "format", STORE_FORMAT);
    int rc = o ? add_extras(s, spec, o, err) : error_nomem(err);
    if (rc == 0 && spec->validation && /* absent by default: older identities stay what they are */
        json_object_set_new(o, "validation", json_integer(spec->validation)) != 0)
        rc = error_nomem(err);
    if (rc < 0)
        json_decref(o);
    else
        *ret = o;
    return rc;
}

json_t *data_spec_paths(const struct data_spec *spec)
{
    if (spec->dir)
        return json_pack("{s:s}", "dir", spec->dir);
    if (spec->file[0])
        return json_pack("{s:[s,s,s,s]}", "files", spec->file[0], spec->file[1], spec->file[2],
                         spec->file[3]);
    return json_object();
}

static int not_ours(struct error *err)
{
    return error_set(err, ERR_INVALID, "data identity: not one that this version writes");
}

static int read_paths(const json_t *paths, struct data_spec *spec, struct error *err)
{
    const char *dir = json_string_value(json_object_get(paths, "dir"));
    const json_t *files = json_object_get(paths, "files");
    if (dir && !(spec->dir = text_dup(dir)))
        return error_nomem(err);
    if (dir || !files)
        return dir ? 0 : not_ours(err);
    for (size_t i = 0; i < 4; i++) {
        const char *file = json_string_value(json_array_get(files, i));
        if (!file)
            return not_ours(err);
        if (!(spec->file[i] = text_dup(file)))
            return error_nomem(err);
    }
    return 0;
}

static int read_extras(const struct data_source *s, const json_t *identity, struct data_spec *spec,
                       struct error *err)
{
    static const char what[] = "data identity";
    json_int_t seed = 0, classes = 0, validation = 0;
    if (s->seeded) {
        TRY(json_get_int(identity, what, "seed", &seed, err));
        TRY(json_get_real(identity, what, "noise", &spec->noise, err));
        if (seed < 0 || !(spec->noise >= 0 && spec->noise <= max_noise))
            return not_ours(err);
    }
    if (json_object_get(identity, "classes")) {
        TRY(json_get_int(identity, what, "classes", &classes, err));
        if (classes < 2 || classes > 65536)
            return not_ours(err);
    }
    if (json_object_get(identity, "validation"))
        TRY(json_get_int(identity, what, "validation", &validation, err));
    if (validation < 0 || validation > INT32_MAX)
        return not_ours(err);
    spec->validation = (uint32_t)validation;
    spec->seed = (uint64_t)seed;
    spec->classes = (uint32_t)classes;
    return 0;
}

int data_spec_from_identity(const json_t *identity, const json_t *paths, struct data_spec *ret,
                            struct error *err)
{
    static const char what[] = "data identity";
    struct data_spec spec = {0};
    const char *name;
    json_int_t train, test, format;
    TRY(json_get_string(identity, what, "name", &name, err));
    TRY(json_get_int(identity, what, "train", &train, err));
    TRY(json_get_int(identity, what, "test", &test, err));
    TRY(json_get_int(identity, what, "format", &format, err));
    const struct data_source *s = data_source_find(name);
    if (!s || format != STORE_FORMAT || train < 1 || train > INT32_MAX || test < 1 ||
        test > INT32_MAX || (s->fixed && (train > s->fixed->n_train || test > s->fixed->n_test)))
        return not_ours(err);
    snprintf(spec.name, sizeof spec.name, "%s", name);
    spec.train = (uint32_t)train;
    spec.test = (uint32_t)test;
    int rc = read_extras(s, identity, &spec, err);
    if (rc == 0 && s->by_path)
        rc = read_paths(paths, &spec, err);
    if (rc < 0)
        data_spec_release(&spec);
    else
        *ret = spec;
    return rc;
}
