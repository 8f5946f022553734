/* exec_common.h: what every executor does with a task that ended. */
#ifndef SUITE_EXEC_COMMON_H
#define SUITE_EXEC_COMMON_H

#include "exec.h"
#include "progress.h"

/* Everything that needs a failed task is skipped, with the cause in its reason. */
void exec_skip_dependents(struct plan *p, struct progress *progress, struct exec_result *result);

/* A worker found an input whose bytes are not what was stored ("corrupt input <id>" in reason):
 * that input is discarded, and waits to be made again. False: reason says nothing of that kind. */
bool exec_discard_corrupt(struct plan *p, struct store *store, struct progress *progress,
                          const char *reason);

/* A task failed: is it the store that cannot be written, so that all others would fail too? Then
 * ERR_ENVIRONMENT (store_probe); also when `reason` speaks of a full disk, since a small file may
 * fit where a large one did not. */
int exec_check_store(const struct store *store, const char *reason, struct error *err);

#endif
