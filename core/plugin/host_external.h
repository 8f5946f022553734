/* host_external.h: one run of an external plugin's command; host_external*.c only. Its folder has
 * job.json, in/ with what it was given, and out/ for what it makes. */
#ifndef PLUGIN_HOST_EXTERNAL_H
#define PLUGIN_HOST_EXTERNAL_H

#include "external.h"
#include "host_internal.h"
#include "json.h"
#include "npy.h"

struct external_call {
    struct host_ctx *c;
    const struct external *x;
    char *dir;   /* absolute */
    json_t *job; /* job.json, as far as it is filled in */
};

/* Makes the folder and the members of job.json that all kinds share. index: part of its seed. */
int external_begin(struct external_call *e, lethe_ctx *ctx, uint64_t index, struct error *err);
/* Removes the folder and turns a failure into the status of the call, its text without folders. */
lethe_status external_end(struct external_call *e, int rc, struct error *err);
char *external_path(const struct external_call *e, const char *name); /* malloc'd */
/* Takes value; a failure shows when job.json is written. */
void external_put(struct external_call *e, const char *key, json_t *value);
/* Writes job.json, runs the command to its end. A command that a signal ended takes this process
 * along by the same signal, so that the verdict is what a library would have got. */
int external_run(struct external_call *e, struct error *err);
/* An array as in/<name>.npy; job[key] names it. */
int external_array(struct external_call *e, json_t *job, const char *key, const char *name,
                   enum npy_type type, uint32_t n_dim, const size_t *dim, const void *bytes,
                   struct error *err);
/* ERR_OUTPUT unless the file is there. */
int external_expect(const struct external_call *e, const char *name, char **ret_path,
                    struct error *err);

/* host_external_run.c: the process. words, environment: NULL-ended. */
int external_spawn(const struct external_call *e, struct error *err);

/* host_external_sets.c */
/* in/model.safetensors and job.model. */
int external_write_model(struct external_call *e, const struct model *m, struct error *err);
/* Samples of a view, and the model's outputs on them where they are granted and asked for, as
 * in/<name>_*.npy and job.sets.<name>; nothing where v is NULL. */
int external_write_set(struct external_call *e, const char *name, const struct lethe_view *v,
                       const struct model *m, struct error *err);

#endif
