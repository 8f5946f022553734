/* lethe plugins: what is there, and what one plugin declares. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cmd_plugin.h"
#include "fs.h"
#include "log.h"
#include "strbuf.h"
#include "text.h"

struct plugins_options {
    const char *id, *store;
    const char **file; /* NULL-ended */
    unsigned n_files;
    bool json;
};

enum { OPT_JSON = 256, OPT_PLUGIN };

static const struct argp_option options[] = {
    {"json", OPT_JSON, 0, 0, "Print everything that the plugins declare, as a JSON array", 0},
    {"plugin", OPT_PLUGIN, "FILE", 0, "Describe this file too; may be repeated", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct plugins_options *o = state->input;
    switch (key) {
    case OPT_JSON:
        o->json = true;
        break;
    case OPT_PLUGIN: {
        const char **grown = realloc(o->file, (o->n_files + 2) * sizeof(*grown));
        if (!grown)
            return ENOMEM;
        o->file = grown;
        grown[o->n_files++] = arg;
        grown[o->n_files] = NULL;
        break;
    }
    case ARGP_KEY_ARG:
        if (o->id)
            argp_error(state, "one plugin at a time: found both %s and %s", o->id, arg);
        o->id = arg;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    options,
    parse,
    "[ID]",
    "Lists the plugins that suites can use, or prints what one of them declares:\n"
    "parameters with defaults and bounds, what it needs, what it computes, and what\n"
    "to cite.\v"
    "Plugins are looked for in --plugin FILE, the folders of $LETHE_PLUGIN_PATH\n"
    "(absolute), $XDG_DATA_HOME/lethe/plugins and lib/lethe-1/plugins beside the\n"
    "program; the first of two with the same id wins.",
    NULL,
    NULL,
    NULL,
};

static void print_list(const struct plugin_set *set)
{
    enum plugin_kind kind = 0;
    for (int k = PLUGIN_UNLEARNER; k <= PLUGIN_METRIC; k++)
        for (unsigned i = 0; i < set->n; i++) {
            const struct plugin_desc *p = &set->plugin[i];
            if ((int)p->kind != k)
                continue;
            if (p->kind != kind)
                printf("%s%s\n", kind ? "\n" : "", plugin_kind_name(p->kind));
            kind = p->kind;
            printf("  %-20s %-8s %s\n", p->id, p->version, p->summary);
            if (p->shadowed_by)
                printf("  %20s hidden by the one in %s\n", "", p->shadowed_by);
        }
    for (unsigned i = 0; i < set->n_failures; i++)
        log_warning("%s: %s: %s", set->failure[i].path, verdict_name(set->failure[i].verdict),
                    set->failure[i].reason);
}

static int unknown(const struct plugin_set *set, const char *id)
{
    const char **ids = calloc(set->n + 1, sizeof(*ids));
    for (unsigned i = 0; ids && i < set->n; i++)
        ids[i] = set->plugin[i].id;
    const char *near = ids ? text_did_you_mean(id, ids) : NULL;
    log_error("no plugin named \"%s\"%s%s%s", id, near ? "; did you mean \"" : "", near ? near : "",
              near ? "\"?" : "");
    free(ids);
    return EXIT_USAGE;
}

static void print_all_json(const struct plugin_set *set)
{
    json_t *all = json_array();
    for (unsigned i = 0; all && i < set->n; i++)
        if (!set->plugin[i].shadowed_by)
            json_array_append(all, set->plugin[i].json);
    if (all)
        json_dumpf(all, stdout, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    putchar('\n');
    json_decref(all);
}

static int show(const struct plugins_options *o)
{
    struct error err = ERROR_INIT;
    struct plugin_set set;
    int code = EXIT_OK;
    char **files = calloc(o->n_files + 1, sizeof(*files));
    int rc = files ? 0 : error_nomem(&err);
    for (unsigned i = 0; rc == 0 && i < o->n_files; i++)
        rc = fs_absolute(o->file[i], &files[i], &err);
    if (rc == 0)
        rc = plugins_discover((const char *const *)files, NULL, &set, &err);
    for (unsigned i = 0; files && i < o->n_files; i++)
        free(files[i]);
    free(files);
    if (rc < 0)
        return cli_fail(&err);
    const struct plugin_desc *p = o->id ? plugins_find(&set, 0, o->id) : NULL;
    if (o->id && !p)
        code = unknown(&set, o->id);
    else if (p && o->json)
        json_dumpf(p->json, stdout, JSON_INDENT(1) | JSON_SORT_KEYS | JSON_REAL_PRECISION(15));
    else if (p)
        plugin_print(p);
    else if (o->json)
        print_all_json(&set);
    else if (set.n == 0) {
        log_error("no plugins found; set LETHE_PLUGIN_PATH or install them beside the program");
        code = EXIT_ENVIRONMENT;
    } else
        print_list(&set);
    plugins_release(&set);
    return code;
}

int cmd_plugins(int argc, char **argv)
{
    struct plugins_options o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = show(&o);
    free(o.file);
    return code;
}
