/* lethe-worker: the process that computes and loads plugins, one task a process.
 *   lethe-worker info            what this machine computes with, as JSON
 *   lethe-worker describe FILE   what the plugins in FILE declare, as JSON
 *   lethe-worker task JOB.json   one task of a plan (started by `lethe run`)
 *   lethe-worker files JOB.json  one step on files (started by `lethe train` and its kin)
 *   lethe-worker check JOB.json  one conformance test (started by `lethe plugin check`) */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "calibrate.h"
#include "conform.h"
#include "error.h"
#include "files_job.h"
#include "fs.h"
#include "hosting.h"
#include "model.h"
#include "task.h"
#include "version.h"

/* OpenBLAS and OpenMP read these before main: one thread each, ours do the rest. */
static void want_one_thread(char **argv)
{
    const char *blas = getenv("OPENBLAS_NUM_THREADS"), *omp = getenv("OMP_NUM_THREADS");
    if (blas && omp && strcmp(blas, "1") == 0 && strcmp(omp, "1") == 0)
        return;
    setenv("OPENBLAS_NUM_THREADS", "1", 1);
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
}

static void set_limit(int what, rlim_t value)
{
    struct rlimit limit = {value, value};
    setrlimit(what, &limit);
}

/* Signals as a fresh program has them, no core files, death with the parent. */
static void settle_in(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    set_limit(RLIMIT_CORE, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SHADOW_MEMORY 1 /* sanitizers reserve terabytes of address space */
#else
#define SHADOW_MEMORY 0
#endif

static void limit_plugin(const struct job *job)
{
    if (job->memory_limit && !SHADOW_MEMORY)
        set_limit(RLIMIT_AS, job->memory_limit);
    if (job->file_limit)
        set_limit(RLIMIT_FSIZE, job->file_limit);
    if (job->wall_limit_s > 0)
        set_limit(RLIMIT_CPU, (rlim_t)(job->wall_limit_s * job->threads) + 10);
}

/* What plugins put into temporary folders ends with this task: the parent removes its workspace. */
static void keep_temporaries(const char *workspace)
{
    if (*workspace == '/')
        setenv("TMPDIR", workspace, 1);
}

static int run_task(const char *path)
{
    struct events events = {EVENTS_FD, 0};
    struct error err = ERROR_INIT;
    struct job job;
    if (fcntl(EVENTS_FD, F_GETFD) < 0)
        events.fd = -1; /* started by hand */
    else
        fcntl(EVENTS_FD, F_SETFD, FD_CLOEXEC);
    int rc = job_open(path, &events, &job, &err);
    if (rc == 0) {
        keep_temporaries(job.workspace);
        if (job.plugin_path)
            limit_plugin(&job);
        rc = task_run(&job, &err);
        job_close(&job);
    }
    if (rc < 0)
        fprintf(stderr, "lethe-worker: %s\n", err.text);
    events_done(&events, rc < 0 ? verdict_from_code(rc) : VERDICT_OK, rc < 0 ? err.text : "");
    return rc < 0 ? 1 : 0;
}

static int run_files(const char *path)
{
    struct events events = {fcntl(EVENTS_FD, F_GETFD) < 0 ? -1 : EVENTS_FD, 0};
    struct error err = ERROR_INIT;
    char *workspace = fs_dirname(path);
    if (workspace)
        keep_temporaries(workspace);
    free(workspace);
    int rc = files_run(path, &events, &err);
    if (rc < 0)
        fprintf(stderr, "lethe-worker: %s\n", err.text);
    events_done(&events, rc < 0 ? verdict_from_code(rc) : VERDICT_OK, rc < 0 ? err.text : "");
    return rc < 0 ? 1 : 0;
}

/* A JSON value on stdout, and the event without which the parent takes no result. */
static int answer(json_t *value, int rc, const struct error *err)
{
    struct events events = {fcntl(EVENTS_FD, F_GETFD) < 0 ? -1 : EVENTS_FD, 0};
    if (rc < 0) {
        fprintf(stderr, "lethe-worker: %s\n", err->text);
        events_done(&events, verdict_from_code(rc), err->text);
        return 1;
    }
    json_dumpf(value, stdout, JSON_SORT_KEYS | JSON_COMPACT);
    putchar('\n');
    json_decref(value);
    fflush(stdout);
    events_done(&events, VERDICT_OK, "");
    return 0;
}

static int describe(const char *path)
{
    struct error err = ERROR_INIT;
    struct plugin_file *file = NULL;
    json_t *all = NULL;
    int rc = plugin_open(path, &file, &err);
    if (rc == 0)
        rc = plugin_describe(file, path, &all, &err);
    return answer(all, rc, &err);
}

static int info(void)
{
    struct error err = ERROR_INIT;
    json_t *o = json_pack("{s:s,s:s,s:s}", "version", LETHE_VERSION, "numerics", nn_numerics(),
                          "abi", hosting_abi());
    return answer(o, o ? 0 : error_nomem(&err), &err);
}

/* The plugin may want any amount of memory; other processes shall not pay for it. */
#define CHECK_MEMORY (4ull << 30)

/* lethe-worker check JOB.json, for `lethe plugin check`. */
static int run_check(const char *path)
{
    struct events events = {fcntl(EVENTS_FD, F_GETFD) < 0 ? -1 : EVENTS_FD, 0};
    struct error err = ERROR_INIT;
    if (events.fd >= 0)
        fcntl(EVENTS_FD, F_SETFD, FD_CLOEXEC);
    if (!SHADOW_MEMORY)
        set_limit(RLIMIT_AS, CHECK_MEMORY);
    int rc = conform_work(path, &err);
    if (rc < 0)
        fprintf(stderr, "lethe-worker: %s\n", err.text);
    events_done(&events, rc < 0 ? verdict_from_code(rc) : VERDICT_OK, rc < 0 ? err.text : "");
    return rc < 0 ? 1 : 0;
}

/* lethe-worker calibrate ARCH_TEXT BATCH, for `lethe plan`. */
static int run_calibrate(const char *arch, const char *batch)
{
    struct error err = ERROR_INIT;
    json_t *o = NULL;
    long n = strtol(batch, NULL, 10);
    int rc = n > 0 && n < 1000000 ? calibrate(arch, (unsigned)n, &o, &err)
                                  : error_set(&err, ERR_INVALID, "batch %s", batch);
    return answer(o, rc, &err);
}

int main(int argc, char **argv)
{
    want_one_thread(argv);
    settle_in();
    if (argc == 2 && strcmp(argv[1], "info") == 0)
        return info();
    if (argc == 3 && strcmp(argv[1], "describe") == 0)
        return describe(argv[2]);
    if (argc == 3 && strcmp(argv[1], "task") == 0)
        return run_task(argv[2]);
    if (argc == 3 && strcmp(argv[1], "files") == 0)
        return run_files(argv[2]);
    if (argc == 3 && strcmp(argv[1], "check") == 0)
        return run_check(argv[2]);
    if (argc == 4 && strcmp(argv[1], "calibrate") == 0)
        return run_calibrate(argv[2], argv[3]);
    fputs("Usage: lethe-worker info | describe FILE.so | task JOB.json | files JOB.json | check "
          "JOB.json\n"
          "Part of lethe, which starts it; see `lethe --help`.\n",
          stderr);
    return 2;
}
