/* cli.h: what the commands of `lethe` share. One file a command. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <argp.h>
#include <stdbool.h>

#include "child.h"
#include "desc.h"
#include "error.h"
#include "plan.h"
#include "results.h"
#include "store.h"
#include "suite_file.h"
#include "tune.h"

/* Exit codes; 128 + n after signal n. */
enum { EXIT_OK = 0, EXIT_SOME_FAILED = 1, EXIT_USAGE = 2, EXIT_ENVIRONMENT = 3 };

struct command {
    const char *name, *summary;
    int (*run)(int argc, char **argv); /* argv[0] is "lethe NAME" */
};
extern const struct command commands[]; /* ends with name NULL */

int cmd_run(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_store(int argc, char **argv);
int cmd_plugins(int argc, char **argv);
int cmd_plugin(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_attack(int argc, char **argv);
int cmd_selftest(int argc, char **argv);
int cmd_metric(int argc, char **argv);
int cmd_unlearn(int argc, char **argv);
int cmd_data(int argc, char **argv);
int cmd_model(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_version(int argc, char **argv);
int cmd_debug(int argc, char **argv);
int cmd_worker(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_cancel(int argc, char **argv);

/* Prints err and gives the exit code that fits it. */
int cli_fail(const struct error *err);
/* argp with exit code 2 for usage errors; an exit code >= 0 when the program should end now
 * (--help and errors), negative to go on. */
int cli_parse(const struct argp *argp, int argc, char **argv, void *input);

/* Options that `run` and `plan` share. */
struct session_options {
    const char *suite, *store, *out;
    const char **setting; /* --set */
    unsigned n_settings;
    const char **plugin; /* --plugin, NULL-ended */
    unsigned n_plugins;
    const char **only; /* --only, NULL-ended; NULL: all */
    unsigned n_only;
    const char *scenario;
    bool json;
    bool untouched; /* the store is not looked at, so that nothing corrupt is discarded */
};
extern const struct argp session_argp; /* child parser; its input is a session_options */
void session_options_release(struct session_options *o);

/* `lethe plan` with options that `lethe run --dry-run` has parsed. */
int cmd_plan_session(const struct session_options *o);

/* A suite with its plugins, store and plan. */
struct session {
    struct suite suite;
    struct plugin_set plugins;
    struct store store;
    struct plan plan;
    char *worker;
    json_t *machine;
    /* `tune:`: while trials are to be run, `plan` is they and what does not wait for them, `trials`
     * has their rows, and `later` is what the suite's plan will be, with other parameters. */
    struct tuning tuning;
    struct plan trials, later;
    bool has_suite, has_plugins, has_store, has_plan, has_tuning, has_trials;
};
int session_open(const struct session_options *o, struct session *ret, struct error *err);
void session_close(struct session *s);
/* Makes the plan; of a suite with `tune:` that of its first stage (session.has_trials), or of the
 * whole suite when the store knows what was chosen. */
int session_plan(struct session *s, const struct session_options *o, struct error *err);
/* After the first stage has run: chooses, and plans the suite with what was chosen. */
struct session_stage {
    unsigned n_left;       /* tasks of the first stage that are none of the second */
    unsigned n_new_cached; /* tasks of the second alone that the store holds */
};
int session_choose(struct session *s, const struct session_options *o, struct session_stage *ret,
                   struct error *err);
/* Is task i of s->later none of s->plan? And how many are. */
bool session_is_later(const struct session *s, unsigned i);
unsigned session_later(const struct session *s);
/* gather_results, with the ledgers of `tune:`. */
int session_gather(const struct session *s, struct results *ret, struct error *err);
/* What a subcommand of lethe-worker prints, as JSON. args: NULL-ended. */
int cli_worker_json(const char *worker, const char *const *args, json_t **ret, struct error *err);
/* `lethe-worker info`: {"numerics", "version", ...}. */
int cli_worker_info(const char *worker, json_t **ret, struct error *err);

#endif
