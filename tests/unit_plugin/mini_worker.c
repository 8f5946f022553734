/* mini_worker.c: a worker for tests of the plugin room alone, without suite and store:
 *   mini_worker describe FILE
 *   mini_worker unlearn FILE ID WHAT [MEMORY_MIB]   WHAT: the probe's parameter, or "" */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "bench_model.h"
#include "hosting.h"

static int finish(struct events *e, int rc, const struct error *err)
{
    if (rc < 0)
        fprintf(stderr, "mini_worker: %s\n", err->text);
    events_done(e, verdict_from_code(rc), rc < 0 ? err->text : "");
    return rc < 0 ? 1 : 0;
}

static int describe(const char *path, struct error *err)
{
    struct plugin_file *file = NULL;
    json_t *all = NULL;
    TRY(plugin_open(path, &file, err));
    TRY(plugin_describe(file, path, &all, err));
    json_dumpf(all, stdout, JSON_COMPACT);
    json_decref(all);
    return fflush(stdout) == 0 ? 0 : error_set(err, ERR_IO, "stdout is gone");
}

static int unlearn(char **arg, struct events *events, struct error *err)
{
    struct bench bench;
    struct model *answer = NULL;
    struct unlearn_result result;
    TRY(bench_init(&bench, 1, err));
    bench.h.events = events;
    int rc = plugin_open(arg[0], &bench.h.file, err);
    if (rc == 0)
        rc = model_clone(bench.original, &answer, err);
    bench.h.plugin_id = arg[1];
    json_t *params = json_pack("{s:i,s:s,s:i,s:s}", "max_mib", 1024, "what", arg[2], "number", 1,
                               "text", "none");
    bench.h.params = params;
    if (rc == 0)
        rc = hosting_unlearn(&bench.h, bench.original, answer, NULL, 0, &result, err);
    json_decref(params);
    model_free(answer);
    bench_release(&bench);
    return rc;
}

static void limit_memory(const char *mib)
{
    struct rlimit limit = {strtoull(mib, NULL, 10) << 20, strtoull(mib, NULL, 10) << 20};
    setrlimit(RLIMIT_AS, &limit);
}

int main(int argc, char **argv)
{
    struct events events = {fcntl(EVENTS_FD, F_GETFD) < 0 ? -1 : EVENTS_FD, 0};
    struct error err = ERROR_INIT;
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (argc == 3 && strcmp(argv[1], "describe") == 0)
        return finish(&events, describe(argv[2], &err), &err);
    if (argc == 6)
        limit_memory(argv[5]);
    if (argc >= 5 && strcmp(argv[1], "unlearn") == 0) {
        sigset_t term;
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        if (strcmp(argv[4], "cancelled") == 0)
            sigprocmask(SIG_BLOCK, &term, NULL);
        return finish(&events, unlearn(argv + 2, &events, &err), &err);
    }
    return 2;
}
