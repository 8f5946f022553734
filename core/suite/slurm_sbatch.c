/* One array: its folder, and the command that submits it. */
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "slurm_call.h"
#include "slurm_internal.h"
#include "strbuf.h"
#include "text.h"

/* ---- files ---- */

char *slurm_script_text(const struct cluster *c)
{
    struct strbuf b;
    strbuf_init(&b);
    strbuf_adds(&b, "#!/bin/sh\n# One element of an array: the job $SLURM_ARRAY_TASK_ID.json in "
                    "the folder $1.\nexec '");
    for (const char *p = c->slurm->program; *p; p++) {
        if (*p == '\'')
            strbuf_adds(&b, "'\\'");
        strbuf_addc(&b, *p);
    }
    strbuf_adds(&b, "' worker \"$1/${SLURM_ARRAY_TASK_ID:-0}.json\"\n");
    return strbuf_detach(&b);
}

static int write_script(const struct cluster *c, struct error *err)
{
    char *text = slurm_script_text(c), *path = fs_join(c->jobs.dir, "step.sh");
    int rc = text && path ? fs_write_atomic(path, text, strlen(text), err) : error_nomem(err);
    free(text);
    free(path);
    return rc;
}

static int write_job(const struct cluster *c, unsigned i, const char *path, struct error *err)
{
    const struct task *t = &c->plan->task[i];
    json_t *job = plan_job(c->plan, i, c->store, "", 1);
    json_t *inputs = json_array();
    int bad = !job || !inputs;
    for (unsigned k = 0; !bad && k < t->n_deps; k++)
        bad |= json_array_append_new(inputs, json_string(c->plan->task[t->dep[k]].id));
    bad = bad || json_object_set(job, "inputs", inputs) ||
          json_object_set_new(job, "jobs", json_string(c->jobs.dir)) ||
          json_object_set(job, "numerics", json_object_get(c->plan->machine, "numerics"));
    int rc = bad ? error_nomem(err) : json_write_file(path, job, err);
    json_decref(job);
    json_decref(inputs);
    return rc;
}

static int write_batch(const struct cluster *c, struct slurm_batch *b, struct error *err)
{
    struct strbuf ids;
    TRY(slurm_jobs_new_batch(&c->jobs, &b->number, &b->dir, err));
    TRY(write_script(c, err));
    strbuf_init(&ids);
    int rc = 0;
    for (unsigned k = 0; rc == 0 && k < b->n; k++) {
        char *path = text_format("%s/%u.json", b->dir, k);
        const char *id = c->plan->task[b->task[k]].id;
        rc = path ? write_job(c, b->task[k], path, err) : error_nomem(err);
        slurm_verdict_remove(c->jobs.dir, id); /* of an earlier attempt */
        strbuf_addf(&ids, "%s\n", id);
        free(path);
    }
    char *path = fs_join(b->dir, "ids");
    if (rc == 0)
        rc = path && !ids.failed ? fs_write_atomic(path, ids.s, ids.len, err) : error_nomem(err);
    free(path);
    strbuf_release(&ids);
    return rc;
}

/* ---- sbatch ---- */

/* Slurm's limits are a second fence behind the worker's own, which give the verdicts `timeout` and
 * `oom` with the same words as a local run. */
static void add_limits(const struct cluster *c, struct words *w)
{
    const struct suite *s = c->plan->suite;
    if (s->wall_limit_s > 0)
        words_add(w, "--time=%.0f", s->wall_limit_s / 60 + 3);
    if (s->memory_limit > 0)
        words_add(w, "--mem=%lluM", (unsigned long long)(s->memory_limit >> 20) + 256);
}

static void add_exclude(const struct cluster *c, struct words *w)
{
    struct strbuf nodes;
    strbuf_init(&nodes);
    for (unsigned i = 0; i < c->exclude.n; i++)
        strbuf_addf(&nodes, "%s%s", i ? "," : "", c->exclude.w[i]);
    if (c->exclude.n)
        words_add(w, "--exclude=%s", nodes.s);
    w->failed |= nodes.failed;
    strbuf_release(&nodes);
}

static int make_command(const struct cluster *c, const struct slurm_batch *b, struct words *w,
                        struct error *err)
{
    char name[64], limit[16] = "";
    slurm_job_name(c->jobs.tag, b->number, name);
    if (c->options->jobs)
        snprintf(limit, sizeof(limit), "%%%u", c->options->jobs);
    for (const char *const *p =
             (const char *const[]){"sbatch", "--parsable", "--requeue", "--open-mode=append", NULL};
         *p; p++)
        words_add(w, "%s", *p);
    words_add(w, "--job-name=%s", name);
    words_add(w, "--chdir=%s", c->jobs.dir);
    if (c->max_array)
        words_add(w, "--array=0-%u%s", b->n - 1, limit);
    words_add(w, "--output=%s/%s.out", b->dir, c->max_array ? "%a" : "0");
    if (*b->wait)
        words_add(w, "--dependency=afterany%s", b->wait);
    if (b->limited)
        add_limits(c, w);
    add_exclude(c, w);
    for (unsigned i = 0; i < c->args.n; i++)
        words_add(w, "%s", c->args.w[i]);
    words_add(w, "%s/step.sh", c->jobs.dir);
    words_add(w, "%s", b->dir);
    return w->failed ? error_nomem(err) : 0;
}

static void print_command(const struct slurm_batch *b, const struct words *w)
{
    printf("JOB%u=$(", b->number);
    for (unsigned i = 0; i < w->n; i++) {
        if (i)
            fputs(" \\\n    ", stdout);
        if (text_starts(w->w[i], "--dependency=")) /* its variables are for the shell */
            fputs(w->w[i], stdout);
        else
            words_print_quoted(stdout, w->w[i]);
    }
    printf(")  # %u task%s\n", b->n, b->n == 1 ? "" : "s");
}

/* From now on these tasks count as queued. */
static void mark_sent(struct cluster *c, const struct slurm_batch *b, const char *array)
{
    for (unsigned k = 0; k < b->n; k++) {
        struct slurm_task *s = &c->task[b->task[k]];
        const struct task *t = &c->plan->task[b->task[k]];
        bool complete = true; /* an element without its inputs proves nothing about the task */
        for (unsigned d = 0; d < t->n_deps; d++)
            complete &= c->plan->task[t->dep[d]].state == TASK_DONE;
        s->attempts += complete;
        s->counted = complete;
        s->state = SLURM_PENDING;
        s->gone = 0;
        s->batch = b->number;
        snprintf(s->array, sizeof(s->array), "%s", array);
    }
    c->n_queued += b->n;
}

static int call_sbatch(const struct cluster *c, const struct words *w, char ret_array[24],
                       struct error *err)
{
    char *text = NULL;
    TRY(slurm_call((const char *const *)(uintptr_t)w->w, c->signal_fd, &text, err));
    size_t n = strspn(text, "0123456789"); /* "id" or "id;cluster" */
    bool good = n > 0 && n < 24;
    if (good)
        snprintf(ret_array, 24, "%.*s", (int)n, text);
    int rc = good ? 0 : error_set(err, ERR_IO, "sbatch printed \"%s\", not a job id", text);
    free(text);
    return rc;
}

int slurm_send(struct cluster *c, struct slurm_batch *b, bool print, struct error *err)
{
    struct words w = {NULL, 0, 0, false};
    char array[24];
    if (print) {
        b->number = c->n_batches++; /* no folders are made, so none are counted */
        b->dir = text_format("%s/%u", c->jobs.dir, b->number);
        snprintf(array, sizeof(array), "$JOB%u", b->number);
    }
    int rc = print ? (b->dir ? 0 : error_nomem(err)) : write_batch(c, b, err);
    if (rc == 0)
        rc = make_command(c, b, &w, err);
    if (rc == 0 && print)
        print_command(b, &w);
    else if (rc == 0)
        rc = call_sbatch(c, &w, array, err);
    if (rc == 0)
        mark_sent(c, b, array);
    words_release(&w);
    return rc;
}

/* ---- the user's options ---- */

int slurm_check_args(const struct words *args, struct error *err)
{
    static const struct {
        const char *word, *why;
    } ours[] = {
        {"--array", "arrays are made from the plan; --jobs N limits how many elements run"},
        {"-a", "arrays are made from the plan; --jobs N limits how many elements run"},
        {"--job-name", "the names of jobs tell which tasks they run"},
        {"-J", "the names of jobs tell which tasks they run"},
        {"--dependency", "dependencies come from the plan"},
        {"-d", "dependencies come from the plan"},
        {"--output", "what elements print is kept with the store's jobs"},
        {"-o", "what elements print is kept with the store's jobs"},
        {"--wrap", "the script is Lethe's own"},
        {"--wait", "lethe run waits itself, unless --detach"},
        {"-W", "lethe run waits itself, unless --detach"},
        {"--test-only", "use lethe run --dry-run"},
    };
    for (unsigned i = 0; i < args->n; i++)
        for (size_t k = 0; k < sizeof(ours) / sizeof(ours[0]); k++) {
            const char *a = args->w[i], *word = ours[k].word;
            size_t n = strlen(word);
            bool is_long = word[1] == '-';
            if (strncmp(a, word, n) == 0 && (!is_long || a[n] == '\0' || a[n] == '='))
                return error_set(err, ERR_INVALID, "--slurm-args: %s is not yours to set: %s", a,
                                 ours[k].why);
        }
    return 0;
}
