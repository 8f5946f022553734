/* lethe version */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "version.h"

struct version_options {
    bool json;
};

static const struct argp_option options[] = {
    {"json", 256, 0, 0, "Print a JSON object", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct version_options *o = state->input;
    (void)arg;
    if (key == 256)
        o->json = true;
    else if (key == ARGP_KEY_ARG)
        argp_error(state, "version takes no argument");
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp argp = {
    options, parse, NULL, "Prints Lethe's version, the plugin ABI's, and the arithmetic in use.",
    NULL,    NULL,  NULL,
};

int cmd_version(int argc, char **argv)
{
    struct version_options o = {false};
    struct error err = ERROR_INIT;
    json_t *info = NULL;
    int code = cli_parse(&argp, argc, argv, &o);
    if (code >= 0)
        return code;
    char *worker = child_worker_path(&err);
    if (!worker || cli_worker_info(worker, &info, &err) < 0) {
        free(worker);
        return cli_fail(&err);
    }
    if (o.json) {
        json_dumpf(info, stdout, JSON_INDENT(1) | JSON_SORT_KEYS);
        putchar('\n');
    } else {
        printf("lethe %s\nplugin ABI %s\nnumerics %s\nworker %s\n", LETHE_VERSION,
               json_string_value(json_object_get(info, "abi")),
               json_string_value(json_object_get(info, "numerics")), worker);
    }
    json_decref(info);
    free(worker);
    return EXIT_OK;
}
