#include "why.h"

#include <stdlib.h>
#include <string.h>

#include "store_walk.h"

struct why {
    json_t **identity;
    size_t n, cap;
};

static int keep(void *arg, const char *id, const json_t *meta, const char *why, struct error *err)
{
    struct why *w = arg;
    json_t *identity = json_object_get(meta, "identity");
    (void)id;
    (void)why;
    if (!identity)
        return 0;
    if (w->n == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 256;
        json_t **grown = realloc(w->identity, cap * sizeof(*grown));
        if (!grown)
            return error_nomem(err);
        w->identity = grown;
        w->cap = cap;
    }
    w->identity[w->n++] = json_incref(identity);
    return 0;
}

int why_open(const struct store *s, struct why **ret, struct error *err)
{
    struct why *w = calloc(1, sizeof(*w));
    if (!w)
        return error_nomem(err);
    int rc = store_walk(s, keep, w, err);
    if (rc < 0) {
        why_free(w);
        return rc;
    }
    *ret = w;
    return 0;
}

void why_free(struct why *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->n; i++)
        json_decref(w->identity[i]);
    free(w->identity);
    free(w);
}

/* ---- comparing identities leaf by leaf ---- */

/* Strings that hold JSON (recipe, arch) are compared inside. New reference. */
static json_t *opened(json_t *v)
{
    const char *s = json_string_value(v);
    json_t *inner = s && *s == '{' ? json_loads(s, 0, NULL) : NULL;
    return inner ? inner : json_incref(v);
}

struct comparison {
    size_t equal, different;
    struct strbuf *out; /* differences, a line each; NULL: only counts */
};

static void say(struct comparison *c, const char *path, const json_t *mine, const json_t *theirs)
{
    char *a = mine ? json_canonical(mine) : NULL;
    char *b = theirs ? json_canonical(theirs) : NULL;
    strbuf_addf(c->out, "  %s: %.200s; the nearest finished task has %.200s\n", path,
                a ? a : "absent", b ? b : "none");
    free(a);
    free(b);
}

static void compare(struct comparison *c, const char *path, json_t *mine, json_t *theirs);

static void compare_objects(struct comparison *c, const char *path, json_t *mine, json_t *theirs)
{
    const char *key;
    json_t *v;
    char below[512];
    json_object_foreach(mine, key, v)
    {
        snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", key);
        compare(c, below, v, json_object_get(theirs, key));
    }
    json_object_foreach(theirs, key, v)
    {
        snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", key);
        if (!json_object_get(mine, key))
            compare(c, below, NULL, v);
    }
}

static void compare(struct comparison *c, const char *path, json_t *mine, json_t *theirs)
{
    json_t *a = mine ? opened(mine) : NULL, *b = theirs ? opened(theirs) : NULL;
    if (json_is_object(a) && json_is_object(b)) {
        compare_objects(c, path, a, b);
    } else if (a && b && json_equal(a, b)) {
        c->equal++;
    } else {
        c->different++;
        if (c->out)
            say(c, path, a, b);
    }
    json_decref(a);
    json_decref(b);
}

/* The finished task of the same kind that shares most. */
static json_t *nearest(const struct why *w, json_t *identity)
{
    const char *kind = json_string_value(json_object_get(identity, "kind"));
    json_t *best = NULL;
    size_t least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < w->n; i++) {
        const char *other = json_string_value(json_object_get(w->identity[i], "kind"));
        struct comparison c = {0, 0, NULL};
        if (!kind || !other || strcmp(kind, other) != 0)
            continue;
        compare(&c, "", identity, w->identity[i]);
        if (c.different < least || (c.different == least && c.equal > most)) {
            best = w->identity[i];
            least = c.different;
            most = c.equal;
        }
    }
    return best;
}

int why_explain(const struct why *w, const struct plan *p, unsigned task, struct strbuf *out,
                struct error *err)
{
    const struct task *t = &p->task[task];
    unsigned waiting = 0;
    strbuf_addf(out, "%.12s %s\n", t->id, t->title);
    if (t->cached) {
        strbuf_adds(out, "  is finished\n");
        return out->failed ? error_nomem(err) : 0;
    }
    for (unsigned i = 0; i < t->n_deps; i++)
        if (!p->task[t->dep[i]].cached) {
            strbuf_addf(out, "  needs %.12s %s, which must run\n", p->task[t->dep[i]].id,
                        p->task[t->dep[i]].title);
            waiting++;
        }
    json_t *near = waiting ? NULL : nearest(w, t->identity);
    struct comparison c = {0, 0, out};
    if (near)
        compare(&c, "", t->identity, near);
    else if (!waiting)
        strbuf_addf(out, "  no task of kind %s has finished in this store\n",
                    task_kind_name(t->kind));
    return out->failed ? error_nomem(err) : 0;
}
