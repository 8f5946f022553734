/* How an element of an array ended without a result, as a file beside the jobs. */
#include <stdlib.h>
#include <unistd.h>

#include "fs.h"
#include "slurm_jobs.h"
#include "text.h"

static char *verdict_path(const char *jobs_dir, const char *id)
{
    return text_format("%s/verdict/%s.json", jobs_dir, id);
}

int slurm_verdict_write(const char *jobs_dir, const char *id, const struct slurm_verdict *v,
                        struct error *err)
{
    char *path = verdict_path(jobs_dir, id);
    json_t *o = json_pack("{s:s,s:i,s:s,s:s,s:b,s:f}", "verdict", verdict_name(v->verdict),
                          "signal", v->signal, "reason", v->reason, "node", v->node, "refused",
                          v->refused, "wall_s", v->wall_s);
    int rc = path && o ? json_write_file(path, o, err) : error_nomem(err);
    json_decref(o);
    free(path);
    return rc;
}

static bool from_json(const json_t *o, struct slurm_verdict *ret)
{
    const char *word = json_string_value(json_object_get(o, "verdict"));
    const char *reason = json_string_value(json_object_get(o, "reason"));
    const char *node = json_string_value(json_object_get(o, "node"));
    enum verdict verdict = word ? verdict_from_name(word) : VERDICT_COUNT;
    if (verdict == VERDICT_COUNT || verdict == VERDICT_OK)
        return false;
    *ret = (struct slurm_verdict){
        .verdict = verdict,
        .signal = (int)json_integer_value(json_object_get(o, "signal")),
        .reason = text_dup(reason ? reason : ""),
        .node = text_dup(node ? node : ""),
        .refused = json_is_true(json_object_get(o, "refused")),
        .wall_s = json_number_value(json_object_get(o, "wall_s")),
    };
    return true;
}

int slurm_verdict_read(const char *jobs_dir, const char *id, struct slurm_verdict *ret,
                       bool *ret_there, struct error *err)
{
    char *path = verdict_path(jobs_dir, id);
    json_t *o = NULL;
    struct slurm_verdict v = {0};
    if (!path)
        return error_nomem(err);
    bool there = fs_exists(path) && json_read_file(path, &o, NULL) == 0 && from_json(o, &v);
    json_decref(o);
    free(path);
    if (there && (!v.reason || !v.node)) {
        slurm_verdict_release(&v);
        return error_nomem(err);
    }
    if (there)
        *ret = v;
    *ret_there = there;
    return 0;
}

void slurm_verdict_remove(const char *jobs_dir, const char *id)
{
    char *path = verdict_path(jobs_dir, id);
    if (path)
        (void)!unlink(path);
    free(path);
}

void slurm_verdict_release(struct slurm_verdict *v)
{
    free(v->reason);
    free(v->node);
    v->reason = v->node = NULL;
}
