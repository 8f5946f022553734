/* Tests in which the host says no: at each of a spread of moments, in a run of its own. */
#include <inttypes.h>
#include <string.h>

#include "conform_tests.h"

enum { MAX_POINTS = 24, MAX_AFTER = 64 };

/* How a run without any no goes. */
struct baseline {
    struct conform_usual u;
    struct trial count;
    char hash[HASH_HEX_SIZE];
};

/* 0; 1 when the usual case does not work (the outcome is set, nothing is open). */
static int baseline_open(struct conform *t, struct baseline *b, struct error *err)
{
    struct conform_answer a;
    b->count = (struct trial){.kind = TRIAL_COUNT};
    TRY(conform_usual_open(t, &b->u, err));
    b->u.c.trial = &b->count;
    int rc = conform_usual_call(t, &b->u, &a, err);
    if (rc != 0) {
        conform_usual_close(&b->u);
        return rc;
    }
    memcpy(b->hash, a.hash, sizeof(b->hash));
    conform_answer_release(&a);
    return 0;
}

struct kind_of_no {
    enum trial_kind kind;
    int code;         /* what it should answer; 0: any failure */
    const char *word; /* of what happens */
    /* Judges the answer to one no. */
    void (*judge)(struct conform *t, const struct baseline *b, const struct kind_of_no *how,
                  const struct trial *trial, const struct conform_answer *a);
};

static void judge_stop(struct conform *t, const struct baseline *b, const struct kind_of_no *how,
                       const struct trial *trial, const struct conform_answer *a)
{
    uint64_t after = trial->calls - trial->at_fire;
    char what[200];
    snprintf(what, sizeof(what), "%s at %s (call %" PRIu64 " of %" PRIu64 ")", how->word,
             trial->where, trial->at_fire, b->count.calls);
    /* finished all the same */
    if (a->rc == 0 && (after > 0 || trial->at_fire < b->count.calls))
        conform_say(t, CONFORM_FAIL, "%s: expected that status back, found success", what);
    else if (after > MAX_AFTER)
        conform_say(t, CONFORM_FAIL,
                    "%s: expected an end within %d calls, found %" PRIu64 " more calls", what,
                    MAX_AFTER, after);
    else if (conform_clean(t, a, what) && a->rc != 0 && how->code && a->rc != how->code)
        conform_say(t, CONFORM_WARN, "%s: expected %s back, found %s", what, error_name(how->code),
                    error_name(a->rc));
}

/* A plugin may do without what failed, if that changes nothing. */
static void judge_failure(struct conform *t, const struct baseline *b, const struct kind_of_no *how,
                          const struct trial *trial, const struct conform_answer *a)
{
    char what[200];
    uint64_t of = how->kind == TRIAL_NOMEM ? b->count.allocs : b->count.calls;
    snprintf(what, sizeof(what), "%s at %s (%" PRIu64 " of %" PRIu64 ")", how->word, trial->where,
             trial->at, of);
    if (a->rc == 0 && strcmp(a->hash, b->hash) != 0)
        conform_say(t, CONFORM_FAIL,
                    "%s: expected a failure, found success with another answer than usual", what);
    else if (a->rc == ERR_OUTPUT)
        conform_clean(t, a, what);
}

static int say_no_at(struct conform *t, struct baseline *b, const struct kind_of_no *how,
                     uint64_t at, struct error *err)
{
    struct trial trial = {.kind = how->kind, .at = at, .max_calls = 4 * b->count.calls + 1000};
    struct conform_answer a;
    TRY(conform_doing(t, err, "%s at call %" PRIu64 " of %" PRIu64, how->word, at, b->count.calls));
    b->u.c.trial = &trial;
    TRY(conform_call(t, &b->u.c, &a, err));
    if (trial.fired)
        how->judge(t, b, how, &trial, &a);
    conform_answer_release(&a);
    return 0;
}

static int walk(struct conform *t, struct baseline *b, const struct kind_of_no *how, uint64_t last,
                struct error *err)
{
    uint64_t points = last < MAX_POINTS ? last : MAX_POINTS;
    for (uint64_t k = 0; k < points && t->outcome < CONFORM_FAIL; k++)
        TRY(say_no_at(t, b, how, points > 1 ? 1 + k * (last - 1) / (points - 1) : 1, err));
    return 0;
}

static int run(struct conform *t, const struct kind_of_no *how, struct error *err)
{
    struct baseline b;
    int rc = baseline_open(t, &b, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    uint64_t last = how->kind == TRIAL_NOMEM ? b.count.allocs : b.count.calls;
    if (last == 0)
        conform_say(t, CONFORM_SKIP,
                    how->kind == TRIAL_NOMEM ? "it allocates nothing from the host"
                                             : "it makes no call that can fail");
    rc = walk(t, &b, how, last, err);
    conform_usual_close(&b.u);
    return rc;
}

int conform_test_interrupted(struct conform *t, struct error *err)
{
    static const struct kind_of_no how = {TRIAL_CANCEL, ERR_CANCELLED, "E_CANCELLED", judge_stop};
    return run(t, &how, err);
}

int conform_test_budget(struct conform *t, struct error *err)
{
    static const struct kind_of_no how = {TRIAL_BUDGET, ERR_BUDGET, "E_BUDGET", judge_stop};
    return run(t, &how, err);
}

int conform_test_memory(struct conform *t, struct error *err)
{
    static const struct kind_of_no how = {TRIAL_NOMEM, 0, "no memory", judge_failure};
    return run(t, &how, err);
}

int conform_test_calls(struct conform *t, struct error *err)
{
    static const struct kind_of_no how = {TRIAL_ONCE, 0, "a failing call", judge_failure};
    return run(t, &how, err);
}

/* ---- told to stop, by progress alone ---- */

enum { LONG_RUN = 100, LONG_DEAF = 400 };

int conform_test_cancel(struct conform *t, struct error *err)
{
    static const struct kind_of_no how = {TRIAL_ASKED, ERR_CANCELLED, "told to stop", judge_stop};
    struct baseline b;
    int rc = baseline_open(t, &b, err);
    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (b.count.asked == 0 && b.count.calls < LONG_RUN)
        conform_say(t, CONFORM_SKIP, "it is done after %" PRIu64 " calls, without asking",
                    b.count.calls);
    else if (b.count.asked == 0)
        conform_say(t, CONFORM_FAIL,
                    "%" PRIu64 " calls of the host without asking progress or cancelled once: it "
                    "cannot be stopped",
                    b.count.calls);
    else if (b.count.longest > LONG_DEAF)
        conform_say(t, CONFORM_WARN,
                    "%" PRIu64 " calls of the host in a row without asking progress or cancelled",
                    b.count.longest);
    if (b.count.asked > 0)
        rc = walk(t, &b, &how, b.count.calls, err);
    conform_usual_close(&b.u);
    return rc;
}
