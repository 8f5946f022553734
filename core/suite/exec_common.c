#include "exec_common.h"

#include <string.h>

#include "log.h"
#include "text.h"

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
