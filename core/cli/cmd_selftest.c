/* lethe selftest: does this installation find what is there, and nothing where there is nothing? */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "file_command.h"
#include "log.h"

enum { OPT_JSON = 256, OPT_SEED };

struct selftest_options {
    struct file_options file;
    const char *what;
};

static const struct argp_option options[] = {
    {"json", OPT_JSON, 0, 0, "Print one JSON value on standard output", 0},
    {"set", OPT_SEED, "seed=N", 0, "Another draw of data and models", 0},
    {"quiet", 'q', 0, 0, "No progress", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct selftest_options *o = state->input;
    static const char *setting[1];
    switch (key) {
    case OPT_JSON:
        o->file.json = true;
        break;
    case OPT_SEED:
        setting[0] = arg;
        o->file.setting = setting;
        o->file.n_settings = 1;
        break;
    case 'q':
        o->file.quiet = true;
        break;
    case ARGP_KEY_ARG:
        if (o->what || strcmp(arg, "attacks") != 0)
            argp_error(state, "what is \"%s\"? There is one self-test: attacks", arg);
        o->what = arg;
        break;
    case ARGP_KEY_END:
        if (!o->what)
            argp_error(state, "test what? `lethe selftest attacks`");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    options,
    parse,
    "attacks",
    "Trains a model that has memorised noise, 16 shadow models, and a model that never saw the\n"
    "candidates, and runs every membership attack on both. An attack passes when its best score\n"
    "has an AUC above 0.9 on the first (entropy-logistic, a weak one: 0.55) and all its scores\n"
    "stay at 0.5 within noise on the second.\v"
    "Exit codes: 0 all attacks pass; 1 some do not; 2 usage; 3 something is missing here.",
    NULL,
    NULL,
    NULL,
};

static int add_attack(json_t *list, const struct plugin_desc *p, struct error *err)
{
    json_t *params = NULL;
    TRY(desc_params(p, NULL, &params, err));
    bool fit = json_is_true(json_object_get(p->json, "wants_fit")) ||
               json_is_true(json_object_get(p->json, "takes_population"));
    json_t *one = json_pack("{s:s,s:s,s:o,s:b}", "id", p->id, "path", p->path, "params", params,
                            "fit", (int)fit);
    return one && json_array_append_new(list, one) == 0 ? 0 : error_nomem(err);
}

static int make_job(const struct selftest_options *o, json_t **ret, struct error *err)
{
    struct plugin_set set;
    struct yaml_node *map = NULL;
    int64_t seed = 1;
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    TRY(file_settings(&o->file, &map, err));
    int rc = file_take_int(map, "seed", 0, INT64_MAX, &seed, err);
    yaml_free(map);
    if (rc < 0)
        return rc;
    TRY(plugins_discover(NULL, NULL, &set, err));
    json_t *job = json_pack("{s:i,s:s,s:I,s:i,s:[]}", "lethe_files", 1, "kind", "selftest-attacks",
                            "seed", (json_int_t)seed, "threads",
                            cores > 0 && cores < 256 ? (int)cores : 1, "plugins");
    rc = job ? 0 : error_nomem(err);
    for (unsigned i = 0; rc == 0 && i < set.n; i++)
        if (set.plugin[i].kind == PLUGIN_MEMBERSHIP_ATTACK && !set.plugin[i].shadowed_by)
            rc = add_attack(json_object_get(job, "plugins"), &set.plugin[i], err);
    plugins_release(&set);
    if (rc < 0)
        json_decref(job);
    else
        *ret = job;
    return rc;
}

static double number(const json_t *row, const char *key)
{
    return json_number_or_nan(json_object_get(row, key));
}

/* What the best score of an attack must reach on the overfit model. The entropy alone does not
 * know the label: a model that is sure of something wrong looks like one that remembers. */
static double least_of(const char *id)
{
    return strcmp(id, "entropy-logistic") == 0 ? 0.55 : 0.9;
}

/* Best score of the row's attack on the overfit model. */
static double best_of(const json_t *rows, const char *id)
{
    double best = 0;
    size_t i;
    json_t *row;
    json_array_foreach(rows, i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "attack")), id) == 0)
            best = fmax(best, number(row, "overfit"));
    }
    return best;
}

/* Prints the table and counts rows that do not pass. bound: four standard deviations of the AUC of
 * scores that say nothing. */
static unsigned show(const struct selftest_options *o, json_t *result, double bound)
{
    const json_t *rows = json_object_get(result, "rows");
    unsigned failed = 0;
    size_t i;
    json_t *row;
    if (!o->file.json)
        printf("%-18s %-16s %10s %10s %9s\n", "attack", "score", "overfit", "unseen", "seconds");
    json_array_foreach(rows, i, row)
    {
        const char *id = json_string_value(json_object_get(row, "attack"));
        bool pass = best_of(rows, id) > least_of(id) && fabs(number(row, "unseen") - 0.5) <= bound;
        failed += !pass;
        json_object_set_new(row, "pass", json_boolean(pass));
        if (!o->file.json)
            printf("%-18s %-16s %10.3f %10.3f %9.2f%s\n", id,
                   json_string_value(json_object_get(row, "score")), number(row, "overfit"),
                   number(row, "unseen"), number(row, "seconds"), pass ? "" : "  FAILED");
    }
    if (!o->file.json)
        printf("AUC of members against non-members; by chance 0.500 +- %.3f (4 sd). %s\n", bound,
               failed ? "Some attacks fail." : "All attacks pass.");
    return failed;
}

static int selftest(const struct selftest_options *o)
{
    struct error err = ERROR_INIT;
    json_t *job = NULL, *result = NULL;
    int signal = 0, rc = make_job(o, &job, &err);
    if (rc == 0)
        rc = file_run(&o->file, "selftest", job, &result, &signal, &err);
    if (rc < 0)
        return cli_fail(&err);
    if (signal)
        return 128 + signal;
    double n = number(result, "members");
    unsigned failed = show(o, result, 4 * sqrt((2 * n + 1) / (12 * n * n)));
    if (o->file.json)
        file_print_json(result);
    bool any = json_array_size(json_object_get(result, "rows")) > 0;
    json_decref(result);
    if (!any) {
        log_error("no membership attacks found; set LETHE_PLUGIN_PATH or install them");
        return EXIT_ENVIRONMENT;
    }
    return failed ? EXIT_SOME_FAILED : EXIT_OK;
}

int cmd_selftest(int argc, char **argv)
{
    struct selftest_options o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    return code < 0 ? selftest(&o) : code;
}
