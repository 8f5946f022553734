/* The two stages of a suite with `tune:`. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "gather.h"
#include "log.h"
#include "tune_score.h"

/* ---- planning ---- */

static int make_plan(struct session *s, const struct session_options *o, const char **only,
                     struct plan *ret, struct error *err)
{
    struct plan_options options = {only, o->scenario};
    return plan_make(&s->suite, &s->plugins, s->machine, &options, ret, err);
}

/* Labels of what --only leaves and no trial has to run for, NULL-ended; borrowed texts. */
static const char **settled_labels(const struct session *s)
{
    const struct tuning *t = &s->tuning;
    const char **only = calloc(t->n + 1, sizeof(*only));
    unsigned n = 0;
    for (unsigned i = 0; only && i < t->n; i++)
        if (!t->item[i].pending)
            only[n++] = s->suite.unlearn[t->item[i].entry].label;
    return only;
}

static const char **pending_trials(const struct session *s)
{
    const struct tuning *t = &s->tuning;
    const char **only = calloc(t->suite.n_unlearn + 1, sizeof(*only));
    unsigned n = 0;
    for (unsigned i = 0; only && i < t->n; i++)
        for (unsigned k = 0; t->item[i].pending && k < json_array_size(t->item[i].trials); k++)
            only[n++] = tuning_label(t, &t->item[i], k);
    return only;
}

static bool any_pending(const struct tuning *t)
{
    for (unsigned i = 0; i < t->n; i++)
        if (t->item[i].pending)
            return true;
    return false;
}

/* Trials and what does not wait for them, as one graph. */
static int plan_first_stage(struct session *s, const struct session_options *o, struct error *err)
{
    const char **settled = settled_labels(s), **trials = pending_trials(s);
    struct plan_options pending = {trials, NULL};
    int rc = settled && trials ? 0 : error_nomem(err);
    if (rc == 0)
        rc = make_plan(s, o, settled, &s->plan, err);
    s->has_plan = rc == 0;
    if (rc == 0)
        rc = plan_make(&s->tuning.suite, &s->plugins, s->machine, &pending, &s->trials, err);
    if (rc == 0) {
        rc = make_plan(s, o, o->only, &s->later, err);
        s->has_trials = rc == 0;
        if (rc < 0)
            plan_release(&s->trials);
    }
    if (rc == 0)
        rc = plan_absorb(&s->plan, &s->trials, err);
    free(settled);
    free(trials);
    return rc;
}

/* Which trials there are, and what the store knows of them. */
static int open_tuning(struct session *s, const struct session_options *o, struct error *err)
{
    struct plan all;
    TRY(tuning_make(&s->suite, o->only, &s->tuning, err));
    s->has_tuning = true;
    TRY(plan_make(&s->tuning.suite, &s->plugins, s->machine, NULL, &all, err));
    int rc = tuning_identify(&s->tuning, &all, err);
    plan_release(&all);
    if (rc == 0)
        rc = tuning_recall(&s->tuning, &s->store, o->untouched, err);
    return rc < 0 ? rc : tuning_apply(&s->tuning, &s->suite, err);
}

int session_plan(struct session *s, const struct session_options *o, struct error *err)
{
    int rc = s->suite.tune.on ? open_tuning(s, o, err) : 0;
    if (rc == 0 && any_pending(&s->tuning)) {
        rc = plan_first_stage(s, o, err);
    } else if (rc == 0) {
        rc = make_plan(s, o, o->only, &s->plan, err);
        s->has_plan = rc == 0;
    }
    return rc == 0 && !o->untouched ? plan_look(&s->plan, &s->store, err) : rc;
}

bool session_is_later(const struct session *s, unsigned i)
{
    return !plan_has(&s->plan, s->later.task[i].id);
}

unsigned session_later(const struct session *s)
{
    unsigned n = 0;
    for (unsigned i = 0; s->has_trials && i < s->later.n; i++)
        n += session_is_later(s, i);
    return n;
}

/* ---- choosing ---- */

static int score_item(struct session *s, const struct results *r, struct tune_item *item,
                      struct error *err)
{
    size_t n = json_array_size(item->trials);
    const char **labels = calloc(n + 1, sizeof(*labels));
    int rc = labels ? 0 : error_nomem(err);
    for (unsigned k = 0; rc == 0 && k < n; k++)
        labels[k] = tuning_label(&s->tuning, item, k);
    json_decref(item->ledger);
    item->ledger = NULL;
    if (rc == 0)
        rc = tune_score(r, s->suite.tune.select, labels, n, item->trials, &item->ledger, err);
    if (rc == 0 && json_is_null(json_object_get(item->ledger, "chosen")))
        log_warning("tune: no trial of %s can be chosen; it runs as the suite gives it",
                    s->suite.unlearn[item->entry].label);
    free(labels);
    return rc < 0 ? rc : tuning_keep(item, &s->store, err);
}

static int score_all(struct session *s, struct error *err)
{
    struct plan view = plan_view(&s->plan, &s->trials);
    struct results r;
    TRY(gather_results(&view, &s->store, &r, err));
    int rc = 0;
    for (unsigned i = 0; rc == 0 && i < s->tuning.n; i++)
        if (s->tuning.item[i].pending)
            rc = score_item(s, &r, &s->tuning.item[i], err);
    results_release(&r);
    return rc;
}

static struct session_stage compare_stages(const struct plan *first, const struct plan *second)
{
    struct session_stage r = {0};
    for (unsigned i = 0; i < first->n; i++)
        r.n_left += !plan_has(second, first->task[i].id);
    for (unsigned i = 0; i < second->n; i++)
        r.n_new_cached += second->task[i].cached && !plan_has(first, second->task[i].id);
    return r;
}

int session_choose(struct session *s, const struct session_options *o, struct session_stage *ret,
                   struct error *err)
{
    struct plan whole;
    TRY(score_all(s, err));
    TRY(tuning_apply(&s->tuning, &s->suite, err));
    TRY(make_plan(s, o, o->only, &whole, err));
    int rc = plan_look(&whole, &s->store, err);
    *ret = compare_stages(&s->plan, &whole);
    plan_release(&s->plan);
    plan_release(&s->trials);
    plan_release(&s->later);
    s->has_trials = false;
    s->plan = whole;
    return rc;
}

int session_gather(const struct session *s, struct results *ret, struct error *err)
{
    TRY(gather_results(&s->plan, &s->store, ret, err));
    if (!s->has_tuning)
        return 0;
    ret->ledger = tuning_ledgers(&s->tuning, &s->suite);
    if (ret->ledger)
        return 0;
    results_release(ret);
    return error_nomem(err);
}
