/* lethe why: why a task of a suite would run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "fs.h"
#include "log.h"
#include "why.h"

struct why_options {
    struct session_options session;
    const char *task;
    bool all;
};

static const struct argp_option options[] = {
    {"task", 't', "ID|TEXT", 0, "Only tasks whose id begins with, or whose title contains, this",
     0},
    {"all", 'a', 0, 0, "Also tasks that only wait for others that must run", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct why_options *o = state->input;
    if (key == ARGP_KEY_INIT)
        state->child_inputs[0] = &o->session;
    else if (key == 't')
        o->task = arg;
    else if (key == 'a')
        o->all = true;
    else
        return ARGP_ERR_UNKNOWN;
    return 0;
}

static const struct argp_child children[] = {{&session_argp, 0, NULL, 0}, {0}};
static const struct argp argp = {
    options,
    parse,
    "SUITE.yaml",
    "Says why tasks of a suite would run: compares what identifies each with the\n"
    "nearest task that the store holds, and names every input that differs. Without\n"
    "-a, tasks that only wait for others are counted, not listed. With -t, also the\n"
    "log of what a plugin printed when such a task ran.",
    children,
    NULL,
    NULL,
};

static bool first_cause(const struct plan *p, const struct task *t)
{
    for (unsigned i = 0; i < t->n_deps; i++)
        if (!p->task[t->dep[i]].cached)
            return false;
    return true;
}

static bool asked_for(const struct why_options *o, const struct plan *p, const struct task *t)
{
    if (o->task)
        return strncmp(t->id, o->task, strlen(o->task)) == 0 || strstr(t->title, o->task);
    return !t->cached && (o->all || first_cause(p, t));
}

/* What its plugin printed when it ran last, if anything. */
static int point_to_log(const struct session *s, const struct task *t, struct strbuf *out,
                        struct error *err)
{
    char *log = store_log(&s->store, t->id);
    if (log && fs_exists(log))
        strbuf_addf(out, "  printed, when it ran: %s\n", log);
    int rc = log ? 0 : error_nomem(err);
    free(log);
    return rc;
}

static int explain(const struct why_options *o, const struct session *s, struct error *err)
{
    struct why *w = NULL;
    struct strbuf out;
    unsigned shown = 0, left = 0;
    strbuf_init(&out);
    int rc = why_open(&s->store, &w, err);
    for (unsigned i = 0; rc == 0 && i < s->plan.n; i++) {
        left += !s->plan.task[i].cached;
        if (!asked_for(o, &s->plan, &s->plan.task[i]))
            continue;
        rc = why_explain(w, &s->plan, i, &out, err);
        if (rc == 0)
            rc = point_to_log(s, &s->plan.task[i], &out, err);
        shown++;
    }
    if (rc == 0) {
        fputs(out.s, stdout);
        if (!o->task && left == 0)
            puts("nothing would run: every task is finished");
        else if (!o->task && left > shown)
            printf("%u more tasks wait for these\n", left - shown);
        if (!o->task && session_later(s))
            printf("%u tasks follow the choice of `tune:`\n", session_later(s));
        else if (o->task && shown == 0)
            rc = error_set(err, ERR_INVALID, "--task: no task of this suite matches \"%s\"",
                           o->task);
    }
    strbuf_release(&out);
    why_free(w);
    return rc;
}

int cmd_why(int argc, char **argv)
{
    struct why_options o = {0};
    struct error err = ERROR_INIT;
    struct session s;
    int code = cli_parse(&argp, argc, argv, &o);
    if (code < 0 && session_open(&o.session, &s, &err) < 0) {
        code = cli_fail(&err);
    } else if (code < 0) {
        code = explain(&o, &s, &err) < 0 ? cli_fail(&err) : EXIT_OK;
        session_close(&s);
    }
    session_options_release(&o.session);
    return code;
}
