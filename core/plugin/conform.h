/* conform.h: the conformance suite: what a plugin must do beyond loading. The list of tests is the
 * interface's rules in executable form. Each test is a process of its own (lethe-worker check
 * JOB.json), so that a crash, a hang or an exit inside the plugin is that test's outcome and no
 * other's. */
#ifndef PLUGIN_CONFORM_H
#define PLUGIN_CONFORM_H

#include <stdbool.h>
#include <stdint.h>

#include "desc.h"
#include "error.h"
#include "json.h"

enum conform_outcome {
    CONFORM_PASS = 0,
    CONFORM_WARN, /* allowed, but a user will be sorry */
    CONFORM_SKIP, /* does not apply; the text says why */
    CONFORM_FAIL,
    CONFORM_CRASH, /* a signal, or the process ended in mid-test */
    CONFORM_TIMEOUT,
    CONFORM_OUTCOMES
};
const char *conform_outcome_name(enum conform_outcome outcome); /* "pass", "warn", ... */

/* Kinds that a test is for, a bit each: 1 << PLUGIN_UNLEARNER and so on; the file as a whole. */
enum {
    CONFORM_FILE = 1,
    CONFORM_U = 1 << PLUGIN_UNLEARNER,
    CONFORM_E = 1 << PLUGIN_EXAMPLE_ATTACK,
    CONFORM_M = 1 << PLUGIN_MEMBERSHIP_ATTACK,
    CONFORM_A = 1 << PLUGIN_AUDIT | 1 << PLUGIN_METRIC,
    CONFORM_ALL = CONFORM_U | CONFORM_E | CONFORM_M | CONFORM_A
};

struct conform_test {
    const char *name, *doc; /* doc: what must hold, one sentence */
    unsigned kinds;         /* CONFORM_* */
};
extern const struct conform_test conform_list[]; /* ends with name NULL */

/* One test of one plugin. */
struct conform_result {
    const char *test;
    char id[128];     /* "" for tests of the file */
    const char *kind; /* plugin_kind_name, or "" */
    enum conform_outcome outcome;
    char text[1000];  /* what was expected and what was found */
    char repeat[200]; /* fuzz: options that repeat the case alone; else "" */
};

struct conform_options {
    const char *worker;             /* path of lethe-worker */
    const char *path;               /* of the shared object, absolute */
    const char *const *only;        /* names of tests, NULL-ended; NULL: all */
    uint64_t seed;                  /* of every random choice */
    uint32_t fuzz;                  /* cases of the test `fuzz` */
    uint32_t jobs;                  /* processes at a time */
    double wall_limit_s;            /* of each test */
    const struct plugin_set *known; /* where example attacks that it uses are found; may be NULL */
};

struct conform_report {
    struct conform_result *result; /* in the order of the list, plugin by plugin */
    unsigned n, count[CONFORM_OUTCOMES];
};
/* Every test that applies, in processes of their own, in a temporary folder that is removed. A
 * file that cannot be loaded has one result. */
int conform_run(const struct conform_options *o, struct conform_report *ret, struct error *err);
void conform_report_release(struct conform_report *r);
bool conform_failed(const struct conform_report *r); /* something failed, crashed or hung */

/* In the worker: runs the test that the job names and writes its result file. */
int conform_work(const char *job_path, struct error *err);

#endif
