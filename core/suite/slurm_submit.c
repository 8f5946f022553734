/* What is missing, as arrays of jobs that wait for each other. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "slurm_internal.h"
#include "strbuf.h"

/* Levels of a submission: 1 when every input is stored or queued, else one more than the highest
 * of the inputs that are sent too. */
enum { LEVEL_UNKNOWN = 0, LEVEL_NOT_NOW = INT_MAX };

static bool may_send(const struct cluster *c, unsigned i)
{
    return c->plan->task[i].state == TASK_WAITING && c->task[i].state == SLURM_GONE &&
           c->task[i].gone >= SLURM_GONE_POLLS;
}

static bool queued(const struct cluster *c, unsigned i)
{
    return c->task[i].state == SLURM_PENDING || c->task[i].state == SLURM_RUNNING;
}

static unsigned find_level(struct cluster *c, unsigned i)
{
    struct slurm_task *s = &c->task[i];
    const struct task *t = &c->plan->task[i];
    if (s->level != LEVEL_UNKNOWN)
        return s->level;
    unsigned level = may_send(c, i) ? 1 : LEVEL_NOT_NOW;
    for (unsigned k = 0; k < t->n_deps && level != LEVEL_NOT_NOW; k++) {
        unsigned dep = t->dep[k];
        if (c->plan->task[dep].state == TASK_DONE || queued(c, dep))
            continue;
        unsigned below = find_level(c, dep);
        level = below == LEVEL_NOT_NOW ? below : below + 1 > level ? below + 1 : level;
    }
    return s->level = level;
}

/* The highest level that is in use; 0: nothing to send. */
static unsigned find_levels(struct cluster *c)
{
    unsigned top = 0;
    for (unsigned i = 0; i < c->plan->n; i++)
        c->task[i].level = LEVEL_UNKNOWN;
    for (unsigned i = 0; i < c->plan->n; i++) {
        unsigned level = find_level(c, i);
        top = level != LEVEL_NOT_NOW && level > top ? level : top;
    }
    return top;
}

/* ---- what an array waits for ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ":id:id" of the arrays that hold inputs of task i; malloc'd. */
static char *find_wait(const struct cluster *c, unsigned i)
{
    const struct task *t = &c->plan->task[i];
    struct strbuf b;
    const char **array = calloc(t->n_deps + 1, sizeof(*array));
    unsigned n = 0;
    strbuf_init(&b);
    for (unsigned k = 0; array && k < t->n_deps; k++)
        if (c->plan->task[t->dep[k]].state != TASK_DONE)
            array[n++] = c->task[t->dep[k]].array;
    if (n > 1)
        qsort(array, n, sizeof(*array), by_text);
    for (unsigned k = 0; k < n; k++)
        if (*array[k] && (k == 0 || strcmp(array[k], array[k - 1]) != 0))
            strbuf_addf(&b, ":%s", array[k]);
    b.failed |= !array;
    free(array);
    return strbuf_detach(&b);
}

static void batch_release(struct slurm_batch *b)
{
    free(b->task);
    free(b->wait);
    free(b->dir);
}

/* ---- from levels to arrays ---- */

/* The first task of the level that is not sent yet, and all that wait for the same arrays under the
 * same limits, up to the longest array. n 0: none is left. */
static int gather_batch(const struct cluster *c, unsigned level, struct slurm_batch *b,
                        struct error *err)
{
    b->cap = c->max_array ? c->max_array : 1;
    b->task = calloc(b->cap < c->plan->n ? b->cap : c->plan->n, sizeof(*b->task));
    if (!b->task)
        return error_nomem(err);
    for (unsigned i = 0; i < c->plan->n && b->n < b->cap; i++) {
        bool limited = c->plan->task[i].plugin_path != NULL;
        if (c->task[i].level != level || !may_send(c, i))
            continue;
        char *wait = find_wait(c, i);
        if (!wait)
            return error_nomem(err);
        bool fits = b->n == 0 || (limited == b->limited && strcmp(wait, b->wait) == 0);
        if (fits)
            b->task[b->n++] = i;
        if (fits && !b->wait) {
            b->wait = wait;
            b->limited = limited;
        } else {
            free(wait);
        }
    }
    return 0;
}

static int send_level(struct cluster *c, unsigned level, bool print, struct error *err)
{
    for (;;) {
        struct slurm_batch b = {0};
        int rc = gather_batch(c, level, &b, err);
        unsigned n = b.n;
        if (rc == 0 && n > 0)
            rc = slurm_send(c, &b, print, err);
        batch_release(&b);
        if (rc < 0 || n == 0)
            return rc;
    }
}

int slurm_submit(struct cluster *c, bool print, struct error *err)
{
    unsigned top = find_levels(c);
    for (unsigned level = 1; level <= top; level++)
        TRY(send_level(c, level, print, err));
    return 0;
}
