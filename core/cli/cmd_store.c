/* lethe store: what is kept, whether it is sound, and making room. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "log.h"
#include "store_walk.h"
#include "text.h"

struct store_options {
    const char *verb, *store;
    const char **suite;
    unsigned n_suites;
    bool dry_run, repair;
};

enum { OPT_STORE = 256, OPT_DRY_RUN, OPT_REPAIR };

static const struct argp_option options[] = {
    {"store", OPT_STORE, "DIR", 0, "The store (default as for lethe run)", 0},
    {"dry-run", OPT_DRY_RUN, 0, 0, "gc: only say what would go", 0},
    {"repair", OPT_REPAIR, 0, 0, "check: remove damaged objects, so that they are made again", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct store_options *o = state->input;
    switch (key) {
    case OPT_STORE:
        o->store = arg;
        break;
    case OPT_DRY_RUN:
        o->dry_run = true;
        break;
    case OPT_REPAIR:
        o->repair = true;
        break;
    case ARGP_KEY_ARG:
        if (!o->verb) {
            o->verb = arg;
            break;
        }
        const char **grown = realloc(o->suite, (o->n_suites + 1) * sizeof(*grown));
        if (!grown)
            return ENOMEM;
        o->suite = grown;
        grown[o->n_suites++] = arg;
        break;
    case ARGP_KEY_END:
        if (!o->verb)
            argp_error(state, "what? list, check or gc");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    options,
    parse,
    "list\ncheck\ngc SUITE.yaml...",
    "Looks after the store of trained models and results.\v"
    "list   objects and bytes by kind of task\n"
    "check  compares every checksum; exit code 1 when something is damaged\n"
    "gc     removes what none of the named suites needs",
    NULL,
    NULL,
    NULL,
};

struct census {
    const struct store *store;
    unsigned long long n[TASK_KIND_COUNT + 1], bytes[TASK_KIND_COUNT + 1];
    unsigned damaged;
    bool check, repair, dry_run;
    char (*wanted)[HASH_HEX_SIZE]; /* gc: sorted ids to keep */
    size_t n_wanted;
    unsigned long long removed, freed;
};

static int count(void *arg, const char *id, const json_t *meta, const char *why, struct error *err)
{
    struct census *c = arg;
    const char *word =
        json_string_value(json_object_get(json_object_get(meta, "identity"), "kind"));
    unsigned kind = word ? task_kind_from_name(word) : TASK_KIND_COUNT;
    struct error damage = ERROR_INIT;
    c->n[kind]++;
    c->bytes[kind] += store_meta_bytes(meta);
    if (!meta)
        error_set(&damage, ERR_IO, "%s", why);
    else if (c->check)
        store_check(c->store, id, &damage);
    if (!damage.code)
        return 0;
    c->damaged++;
    log_warning("%s", damage.text);
    return c->repair ? store_discard(c->store, id, err) : 0;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(a, b);
}

static int sweep(void *arg, const char *id, const json_t *meta, const char *why, struct error *err)
{
    struct census *c = arg;
    (void)why;
    if (bsearch(id, c->wanted, c->n_wanted, HASH_HEX_SIZE, by_id))
        return 0;
    c->removed++;
    c->freed += store_meta_bytes(meta);
    return c->dry_run ? 0 : store_discard(c->store, id, err);
}

static int list(struct census *c, struct error *err)
{
    unsigned long long n = 0, bytes = 0;
    TRY(store_walk(c->store, count, c, err));
    printf("store %s\n\n%-12s %8s %12s\n", c->store->dir, "task", "objects", "MiB");
    for (unsigned k = 0; k <= TASK_KIND_COUNT; k++) {
        if (c->n[k])
            printf("%-12s %8llu %12.1f\n", task_kind_name((enum task_kind)k), c->n[k],
                   (double)c->bytes[k] / 1048576);
        n += c->n[k];
        bytes += c->bytes[k];
    }
    printf("%-12s %8llu %12.1f\n", "all", n, (double)bytes / 1048576);
    if (c->check)
        printf("%u damaged%s\n", c->damaged, c->damaged && c->repair ? ", removed" : "");
    return 0;
}

/* Ids of one suite's tasks are added to what is kept. */
static int want(struct census *c, const struct store_options *o, const char *suite,
                struct error *err)
{
    struct session_options so = {.suite = suite, .store = o->store};
    struct session s;
    TRY(session_open(&so, &s, err));
    const struct tuning *t = &s.tuning;
    void *grown =
        realloc(c->wanted, (c->n_wanted + s.plan.n + t->n + t->n_task_ids) * sizeof(*c->wanted));
    int rc = grown ? 0 : error_nomem(err);
    if (grown)
        c->wanted = grown;
    for (unsigned i = 0; rc == 0 && i < s.plan.n; i++)
        memcpy(c->wanted[c->n_wanted++], s.plan.task[i].id, HASH_HEX_SIZE);
    for (unsigned i = 0; rc == 0 && i < t->n; i++)
        memcpy(c->wanted[c->n_wanted++], t->item[i].id, HASH_HEX_SIZE);
    for (unsigned i = 0; rc == 0 && i < t->n_task_ids; i++)
        memcpy(c->wanted[c->n_wanted++], t->task_id[i], HASH_HEX_SIZE);
    session_close(&s);
    return rc;
}

static int collect(struct census *c, const struct store_options *o, struct error *err)
{
    if (o->n_suites == 0)
        return error_set(err, ERR_INVALID,
                         "gc: name the suites whose results are kept; what none "
                         "of them needs is removed");
    for (unsigned i = 0; i < o->n_suites; i++)
        TRY(want(c, o, o->suite[i], err));
    qsort(c->wanted, c->n_wanted, HASH_HEX_SIZE, by_id);
    TRY(store_walk(c->store, sweep, c, err));
    printf("%llu objects, %.1f MiB %s\n", c->removed, (double)c->freed / 1048576,
           o->dry_run ? "would be removed" : "removed");
    return 0;
}

static int run(const struct store_options *o)
{
    struct error err = ERROR_INIT;
    struct store store;
    if (store_open(o->store, &store, &err) < 0)
        return cli_fail(&err);
    struct census c = {.store = &store, .repair = o->repair, .dry_run = o->dry_run};
    c.check = strcmp(o->verb, "check") == 0;
    int rc;
    if (c.check || strcmp(o->verb, "list") == 0)
        rc = list(&c, &err);
    else if (strcmp(o->verb, "gc") == 0)
        rc = collect(&c, o, &err);
    else
        rc = error_set(&err, ERR_INVALID, "store: expected list, check or gc, found \"%s\"",
                       o->verb);
    free(c.wanted);
    store_release(&store);
    return rc < 0 ? cli_fail(&err) : c.damaged ? EXIT_SOME_FAILED : EXIT_OK;
}

int cmd_store(int argc, char **argv)
{
    struct store_options o = {0};
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0)
        code = run(&o);
    free(o.suite);
    return code;
}
