/* What `run` and `plan` share: options, and a suite with plugins, store and plan. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fs.h"
#include "log.h"
#include "text.h"

int cli_fail(const struct error *err)
{
    log_error("%s", err->text);
    if (err->code == ERR_ENVIRONMENT || err->code == ERR_IO)
        return EXIT_ENVIRONMENT;
    return err->code == ERR_INVALID ? EXIT_USAGE : EXIT_SOME_FAILED;
}

int cli_parse(const struct argp *argp, int argc, char **argv, void *input)
{
    argp_err_exit_status = EXIT_USAGE;
    error_t rc = argp_parse(argp, argc, argv, 0, NULL, input);
    return rc ? EXIT_USAGE : -1;
}

enum { OPT_STORE = 256, OPT_OUT, OPT_SET, OPT_PLUGIN, OPT_ONLY, OPT_SCENARIO, OPT_JSON };

static const struct argp_option options[] = {
    {"store", OPT_STORE, "DIR", 0,
     "Where trained models and results are kept (default: $LETHE_STORE, else "
     "$XDG_CACHE_HOME/lethe/store)",
     0},
    {"set", OPT_SET, "KEY=VALUE", 0,
     "Change a value of the suite: --set train.epochs=5, --set unlearn.0.amun.lr=0.03; may be "
     "repeated",
     0},
    {"plugin", OPT_PLUGIN, "FILE", 0, "Load plugins from this file too; may be repeated", 0},
    {"only", OPT_ONLY, "LABEL[,LABEL]", 0,
     "Run only these methods (originals and oracles follow by need)", 0},
    {"scenario", OPT_SCENARIO, "NAME", 0, "Run only this scenario, e.g. random-0.1", 0},
    {"json", OPT_JSON, 0, 0,
     "Print JSON on standard output: one value; of `run`, one event a line (docs/OUTPUTS.md)", 0},
    {0},
};

/* Appends to a NULL-ended array of borrowed strings. */
static int push(const char ***list, unsigned *n, const char *s)
{
    const char **grown = realloc(*list, (*n + 2) * sizeof(*grown));
    if (!grown)
        return -1;
    *list = grown;
    grown[(*n)++] = s;
    grown[*n] = NULL;
    return 0;
}

/* The argument's memory is argv's, which lives as long as the program. */
static int push_labels(struct session_options *o, char *arg)
{
    char *save = NULL;
    for (char *s = strtok_r(arg, ",", &save); s; s = strtok_r(NULL, ",", &save))
        if (push(&o->only, &o->n_only, s) < 0)
            return -1;
    return 0;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct session_options *o = state->input;
    int rc = 0;
    switch (key) {
    case OPT_STORE:
        o->store = arg;
        break;
    case OPT_SET:
        rc = push(&o->setting, &o->n_settings, arg);
        break;
    case OPT_PLUGIN:
        rc = push(&o->plugin, &o->n_plugins, arg);
        break;
    case OPT_ONLY:
        rc = push_labels(o, arg);
        break;
    case OPT_SCENARIO:
        o->scenario = arg;
        break;
    case OPT_JSON:
        o->json = true;
        break;
    case ARGP_KEY_ARG:
        if (o->suite)
            argp_error(state, "one suite at a time: found both %s and %s", o->suite, arg);
        o->suite = arg;
        break;
    case ARGP_KEY_END:
        if (!o->suite)
            argp_error(state, "which suite? Name a file such as "
                              "benchmarks/fashion-mnist-quick.yaml");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return rc < 0 ? ENOMEM : 0;
}

const struct argp session_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};

void session_options_release(struct session_options *o)
{
    free(o->setting);
    free(o->plugin);
    free(o->only);
}

int cli_worker_json(const char *worker, const char *const *args, json_t **ret, struct error *err)
{
    struct child_options o = {.program = worker, .args = args, .wall_limit_s = 60};
    struct child_result result;
    char *text = NULL;
    TRY(child_capture(&o, 65536, &text, &result, err));
    int rc = result.verdict == VERDICT_OK
                 ? json_parse_text("lethe-worker", text, strlen(text), ret, err)
                 : error_set(err, ERR_ENVIRONMENT, "%s %s: %s %s", worker, args[0],
                             verdict_name(result.verdict), result.reason);
    free(text);
    return rc;
}

int cli_worker_info(const char *worker, json_t **ret, struct error *err)
{
    const char *const args[] = {"info", NULL};
    return cli_worker_json(worker, args, ret, err);
}

/* --plugin files and those of the suite, absolute. */
static int plugin_files(const struct session_options *o, const struct suite *s, char ***ret,
                        struct error *err)
{
    const char **named = suite_plugin_files(s);
    size_t n = 0;
    while (named && named[n])
        n++;
    char **files = calloc(o->n_plugins + n + 1, sizeof(*files));
    int rc = named && files ? 0 : error_nomem(err);
    size_t k = 0;
    for (unsigned i = 0; rc == 0 && i < o->n_plugins; i++)
        rc = fs_absolute(o->plugin[i], &files[k++], err);
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = (files[k++] = text_dup(named[i])) ? 0 : error_nomem(err);
    free(named);
    *ret = files;
    return rc;
}

static void files_free(char **files)
{
    for (size_t i = 0; files && files[i]; i++)
        free(files[i]);
    free(files);
}

/* Files that --plugin names must be good; files of a folder that are not are only warned of. */
static int check_failures(const struct session_options *o, const struct plugin_set *set,
                          struct error *err)
{
    for (unsigned i = 0; i < set->n_failures; i++) {
        const struct plugin_failure *f = &set->failure[i];
        char *path = NULL;
        for (unsigned k = 0; k < o->n_plugins; k++) {
            TRY(fs_absolute(o->plugin[k], &path, err));
            bool same = strcmp(path, f->path) == 0;
            free(path);
            if (same)
                return error_set(err, ERR_INVALID, "--plugin %s: %s", f->path, f->reason);
        }
        log_debug("plugin %s: %s: %s", f->path, verdict_name(f->verdict), f->reason);
    }
    return 0;
}

static int open_plugins(const struct session_options *o, struct session *s, struct error *err)
{
    char **files = NULL;
    char *cache = text_format("%s/plugins", s->store.dir);
    int rc = cache ? plugin_files(o, &s->suite, &files, err) : error_nomem(err);
    if (rc == 0)
        rc = plugins_discover((const char *const *)files, cache, &s->plugins, err);
    s->has_plugins = rc == 0;
    if (rc == 0)
        rc = check_failures(o, &s->plugins, err);
    files_free(files);
    free(cache);
    return rc;
}

int session_open(const struct session_options *o, struct session *ret, struct error *err)
{
    struct session *s = ret;
    memset(s, 0, sizeof(*s));
    int rc = suite_load(o->suite, o->setting, o->n_settings, &s->suite, err);
    s->has_suite = rc == 0;
    if (rc == 0)
        rc = (s->worker = child_worker_path(err)) ? 0 : err->code;
    if (rc == 0)
        rc = store_open(o->store, &s->store, err);
    s->has_store = rc == 0;
    if (rc == 0)
        rc = open_plugins(o, s, err);
    if (rc == 0)
        rc = suite_bind(&s->suite, &s->plugins, err);
    if (rc == 0)
        rc = cli_worker_info(s->worker, &s->machine, err);
    if (rc == 0)
        rc = session_plan(s, o, err);
    if (rc < 0)
        session_close(s);
    return rc;
}

void session_close(struct session *s)
{
    if (s->has_plan)
        plan_release(&s->plan);
    if (s->has_trials) {
        plan_release(&s->trials);
        plan_release(&s->later);
    }
    if (s->has_tuning)
        tuning_release(&s->tuning);
    if (s->has_suite)
        suite_release(&s->suite);
    if (s->has_plugins)
        plugins_release(&s->plugins);
    if (s->has_store)
        store_release(&s->store);
    json_decref(s->machine);
    free(s->worker);
    memset(s, 0, sizeof(*s));
}
