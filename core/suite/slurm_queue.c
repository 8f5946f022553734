#include "slurm_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "slurm_call.h"
#include "text.h"

void slurm_job_name(const char *tag, long batch, char ret[64])
{
    if (batch < 0)
        snprintf(ret, 64, "lethe-%s-", tag);
    else
        snprintf(ret, 64, "lethe-%s-%ld", tag, batch);
}

/* Slurm puts a job back and holds it when its node could not start it; nothing but an
 * administrator's hand would set it free. A hold by the user is left alone. */
static enum slurm_state state_of(const char *word, const char *reason)
{
    static const char *const stuck[] = {"launch failed requeued held", "DependencyNeverSatisfied",
                                        "JobHeldAdmin", NULL};
    static const char *const waiting[] = {"PENDING", "REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT",
                                          NULL};
    if (strcmp(word, "REQUEUE_HOLD") == 0 || strcmp(word, "SPECIAL_EXIT") == 0)
        return SLURM_STUCK;
    for (size_t i = 0; stuck[i]; i++)
        if (strcmp(reason, stuck[i]) == 0)
            return SLURM_STUCK;
    for (size_t i = 0; waiting[i]; i++)
        if (strcmp(word, waiting[i]) == 0)
            return SLURM_PENDING;
    return SLURM_RUNNING;
}

/* "lethe-<tag>-<batch>|<index>|<array>|<id>|<state>|<reason>"; false: not one of ours. */
static bool parse_line(char *line, const char *prefix, struct slurm_element *ret)
{
    char *field[6] = {line}, *p = line;
    int64_t batch, index;
    if (!text_starts(line, prefix))
        return false;
    for (int i = 1; i < 6; i++) {
        if (!(p = strchr(p, '|')))
            return false;
        *p++ = '\0';
        field[i] = p;
    }
    if (!text_to_int(field[0] + strlen(prefix), &batch) || batch < 0 || batch > UINT32_MAX)
        return false;
    if (!text_to_int(field[1], &index)) /* "N/A": no array */
        index = 0;
    struct slurm_element e = {.batch = (unsigned)batch, .index = (unsigned)index};
    snprintf(e.array, sizeof(e.array), "%s", field[2]);
    snprintf(e.id, sizeof(e.id), "%s", field[3]);
    snprintf(e.reason, sizeof(e.reason), "%s", field[5]);
    e.state = state_of(field[4], field[5]);
    *ret = e;
    return true;
}

int slurm_list_parse(const char *tag, char *text, struct slurm_listing *ret, struct error *err)
{
    struct slurm_listing l = {NULL, 0};
    char prefix[64], *save = NULL;
    size_t cap = 0;
    slurm_job_name(tag, -1, prefix);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        if (l.n == cap) {
            cap = cap ? 2 * cap : 64;
            struct slurm_element *grown = realloc(l.element, cap * sizeof(*grown));
            if (!grown) {
                slurm_listing_release(&l);
                return error_nomem(err);
            }
            l.element = grown;
        }
        l.n += parse_line(line, prefix, &l.element[l.n]);
    }
    *ret = l;
    return 0;
}

int slurm_list(const char *tag, int cancel_fd, struct slurm_listing *ret, struct error *err)
{
    static const char *const argv[] = {"squeue",
                                       "--noheader",
                                       "--array",
                                       "--me",
                                       "--states=PD,CF,R,CG,S,ST,SI,SO,RQ,RH,SE,RD",
                                       "--format=%j|%K|%F|%i|%T|%r",
                                       NULL};
    char *text = NULL;
    TRY(slurm_call(argv, cancel_fd, &text, err));
    int rc = slurm_list_parse(tag, text, ret, err);
    free(text);
    return rc;
}

void slurm_listing_release(struct slurm_listing *l)
{
    free(l->element);
    *l = (struct slurm_listing){NULL, 0};
}

int slurm_max_array(int cancel_fd, unsigned *ret, struct error *err)
{
    static const char *const argv[] = {"scontrol", "show", "config", NULL};
    char *text = NULL;
    TRY(slurm_call(argv, cancel_fd, &text, err));
    const char *p = strstr(text, "MaxArraySize");
    long n = 1001; /* Slurm's default */
    if (p && (p = strchr(p, '=')))
        n = strtol(p + 1, NULL, 10);
    free(text);
    /* Indices go up to MaxArraySize - 1, and ours start at 0. */
    *ret = n < 0 ? 0 : n > 100000 ? 100000 : (unsigned)n;
    return 0;
}

static int by_batch(const void *a, const void *b)
{
    const struct slurm_element *x = a, *y = b;
    return (x->batch > y->batch) - (x->batch < y->batch);
}

int slurm_cancel_all(const char *tag, int cancel_fd, unsigned *ret_n, struct error *err)
{
    struct slurm_listing l;
    TRY(slurm_list(tag, cancel_fd, &l, err));
    if (l.n)
        qsort(l.element, l.n, sizeof(*l.element), by_batch);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < l.n; i++) {
        char name[64], *text = NULL;
        if (i > 0 && l.element[i].batch == l.element[i - 1].batch)
            continue;
        slurm_job_name(tag, l.element[i].batch, name);
        const char *const argv[] = {"scancel", "--me", "--name", name, NULL};
        rc = slurm_call(argv, cancel_fd, &text, err);
        free(text);
    }
    if (rc == 0)
        *ret_n = (unsigned)l.n;
    slurm_listing_release(&l);
    return rc;
}

int slurm_cancel_element(const struct slurm_element *e, int cancel_fd, struct error *err)
{
    const char *const argv[] = {"scancel", e->id, NULL};
    char *text = NULL;
    TRY(slurm_call(argv, cancel_fd, &text, err));
    free(text);
    return 0;
}
