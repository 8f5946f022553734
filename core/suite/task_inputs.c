/* What several kinds of task open: the plugin, a model, stored logits. */
#include <stdlib.h>

#include "fs.h"
#include "model_file.h"
#include "task.h"

/* identity.plugin with the file opened. */
int job_plugin(struct job *job, struct hosting *h, struct error *err)
{
    json_t *plugin = json_object_get(job->identity, "plugin");
    if (!job->plugin_path)
        return error_set(err, ERR_INVALID, "%s: plugin_path is missing", job->path);
    TRY(json_get_string(plugin, job->path, "id", &h->plugin_id, err));
    h->params = json_object_get(plugin, "params");
    h->par = job->par;
    h->events = job->events;
    return plugin_open(job->plugin_path, &h->file, err);
}

int job_model(struct job *job, struct arch **ret_arch, struct model **ret, struct error *err)
{
    char *dir = job_input(job, "model", err);
    char *path = dir ? fs_join(dir, "model.safetensors") : NULL;
    int rc = path ? model_load(path, ret_arch, ret, err) : err->code ? err->code : error_nomem(err);
    free(path);
    free(dir);
    return rc;
}

/* logits.npy of a predict task: (pool, classes). */
int job_logits(struct job *job, const char *id, const struct dataset *ds, struct npy *ret,
               struct error *err)
{
    char *dir = job_object(job, id, err);
    char *path = dir ? fs_join(dir, "logits.npy") : NULL;
    int rc = path ? npy_open(path, ret, err) : err->code ? err->code : error_nomem(err);
    if (rc == 0 &&
        (ret->n_dim != 2 || ret->type != NPY_F32 || ret->dim[0] != ds->n_train + ds->n_test)) {
        npy_release(ret);
        rc = error_set(err, ERR_INVALID, "%s: expected float32 logits of %u samples", path,
                       ds->n_train + ds->n_test);
    }
    free(path);
    free(dir);
    return rc;
}
