#include "exec_common.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "log.h"
#include "run_events.h"
#include "text.h"

#define SPARE_BYTES (256.0 * 1024 * 1024)

static void skip(struct task *t, const struct task *cause)
{
    const char *why = cause->reason ? cause->reason : "";
    t->state = TASK_SKIPPED;
    t->verdict = cause->verdict;
    t->signal = cause->signal;
    t->reason = cause->state == TASK_SKIPPED
                    ? text_dup(why)
                    : text_format("%s: %s%s%s", cause->title, verdict_name(cause->verdict),
                                  *why ? ": " : "", why);
}

void exec_skip_dependents(struct plan *p, struct progress *progress, struct exec_result *result)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct task *t = &p->task[i];
        for (unsigned k = 0; k < t->n_deps && t->state == TASK_WAITING; k++) {
            const struct task *dep = &p->task[t->dep[k]];
            if (dep->state != TASK_FAILED && dep->state != TASK_SKIPPED)
                continue;
            skip(t, dep);
            result->n_skipped++;
            progress->n_done++;
            progress->weight_done += t->weight;
            run_events_ended(progress->events, t, progress);
        }
    }
}

bool exec_discard_corrupt(struct plan *p, struct store *store, struct progress *progress,
                          const char *reason)
{
    static const char prefix[] = "corrupt input ";
    const char *id = reason ? strstr(reason, prefix) : NULL;
    for (unsigned i = 0; id && i < p->n; i++) {
        struct task *input = &p->task[i];
        if (strncmp(input->id, id + sizeof(prefix) - 1, HASH_HEX_SIZE - 1) != 0)
            continue;
        log_warning("%s; it is made again", reason);
        if (input->state == TASK_DONE && store_discard(store, input->id, NULL) == 0) {
            input->state = TASK_WAITING;
            input->cached = false;
            progress->n_done--;
            progress->weight_total += input->weight;
        }
        return true;
    }
    return false;
}

int exec_check_store(const struct store *store, const char *reason, struct error *err)
{
    static const int full[] = {ENOSPC, EDQUOT, EROFS};
    struct statvfs fs;
    TRY(store_probe(store, err));
    /* With room to spare, those are a plugin's words about something else. */
    if (statvfs(store->dir, &fs) == 0 && (double)fs.f_bavail * (double)fs.f_frsize > SPARE_BYTES)
        return 0;
    for (size_t i = 0; reason && i < sizeof(full) / sizeof(full[0]); i++)
        if (strstr(reason, strerror(full[i])))
            return error_set(err, ERR_ENVIRONMENT,
                             "the store cannot be written: %s. What is finished is kept; make "
                             "room, and the same command goes on from there",
                             reason);
    return 0;
}
