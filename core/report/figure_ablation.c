/* Sweeps: entries of one plugin that differ in one number alone, with three values of it or more,
 * are a line of the gap along that parameter. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figure_lines.h"
#include "figure_parts.h"

enum { MOST_PANELS = 9, MOST_ENTRIES = 512 };

struct sweep {
    struct lines l;
    const struct board *b;
    const struct board_work *w;
    const char *scenario;
    const json_t *entries;
    size_t n;
    bool done[MOST_ENTRIES]; /* in the current parameter */
};

static const char *word(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s ? s : "";
}

static const json_t *entry(const struct sweep *s, size_t i)
{
    return json_array_get(s->entries, i);
}

static const json_t *value_of(const struct sweep *s, size_t i, const char *parameter)
{
    return json_object_get(json_object_get(entry(s, i), "params"), parameter);
}

/* Same plugin, and the same parameters but for that one. */
static bool only_differs(const struct sweep *s, size_t a, size_t b, const char *parameter)
{
    if (strcmp(word(entry(s, a), "id"), word(entry(s, b), "id")) != 0)
        return false;
    json_t *x = json_copy(json_object_get(entry(s, a), "params"));
    json_t *y = json_copy(json_object_get(entry(s, b), "params"));
    json_object_del(x, parameter);
    json_object_del(y, parameter);
    bool same = x && y && json_equal(x, y);
    json_decref(x);
    json_decref(y);
    return same;
}

struct group {
    size_t member[MOST_ENTRIES];
    size_t n, n_values;
    double low, high;
};

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (x[0] > y[0]) - (x[0] < y[0]);
}

/* The entries that differ from `first` in the parameter alone, by its value. */
static void collect(struct sweep *s, size_t first, const char *parameter, struct group *ret)
{
    double value[MOST_ENTRIES][2];
    ret->n = ret->n_values = 0;
    for (size_t i = first; i < s->n; i++) {
        const json_t *v = value_of(s, i, parameter);
        if (s->done[i] || !json_is_number(v) || !only_differs(s, first, i, parameter))
            continue;
        value[ret->n][0] = json_number_value(v);
        value[ret->n++][1] = (double)i;
        s->done[i] = true;
    }
    qsort(value, ret->n, sizeof(value[0]), by_value);
    for (size_t k = 0; k < ret->n; k++) {
        ret->member[k] = (size_t)value[k][1];
        ret->n_values += k == 0 || value[k][0] > value[k - 1][0];
    }
    ret->low = ret->n ? value[0][0] : 0;
    ret->high = ret->n ? value[ret->n - 1][0] : 0;
}

/* "amun retain=false": the id, and what sets this line apart from other entries of the plugin. */
static void add_label(const struct sweep *s, const struct group *g, const char *parameter,
                      struct strbuf *out)
{
    const json_t *mine = entry(s, g->member[0]);
    const char *key;
    json_t *value;
    strbuf_adds(out, word(mine, "id"));
    json_object_foreach(json_object_get((json_t *)mine, "params"), key, value)
    {
        bool varies = false;
        for (size_t i = 0; i < s->n; i++)
            varies |= strcmp(word(entry(s, i), "id"), word(mine, "id")) == 0 &&
                      !json_equal(value_of(s, i, key), value);
        if (!varies || strcmp(key, parameter) == 0)
            continue;
        char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
        strbuf_addf(out, " %s=%s", key, text ? text : "?");
        free(text);
    }
}

static int add_group(struct sweep *s, const struct group *g, const char *parameter, size_t panel,
                     struct error *err)
{
    struct strbuf label;
    strbuf_init(&label);
    add_label(s, g, parameter, &label);
    size_t line = lines_line(&s->l, label.s, FIGURE_NO_METHOD + (int)s->l.n_lines + 1);
    strbuf_release(&label);
    for (size_t k = 0; k < g->n; k++) {
        struct figure_runs runs = {s->scenario, word(entry(s, g->member[k]), "label"), -1};
        struct figure_spread spread;
        TRY(figure_spread(s->w, &runs, -1, &spread, err));
        lines_point(&s->l, panel, line, json_number_value(value_of(s, g->member[k], parameter)),
                    spread.mean, spread.low, spread.high);
    }
    return 0;
}

static void add_floor(struct sweep *s, size_t panel)
{
    const struct board_entry *e = board_find(s->b, s->scenario, "retrain");
    if (e)
        lines_floor(&s->l, panel, fmax(0, e->gap - e->gap_sd), e->gap, e->gap + e->gap_sd);
}

/* A panel for a parameter if anything sweeps it. */
static int add_parameter(struct sweep *s, const char *parameter, struct error *err)
{
    size_t panel = 0;
    struct group *g = malloc(sizeof(*g));
    int rc = g ? 0 : error_nomem(err);
    memset(s->done, 0, sizeof(s->done));
    for (size_t i = 0; rc == 0 && i < s->n; i++) {
        if (s->done[i] || !json_is_number(value_of(s, i, parameter)))
            continue;
        collect(s, i, parameter, g);
        if (g->n_values < 3)
            continue;
        if (panel == 0) {
            panel = lines_panel(&s->l, "", parameter, g->low > 0 && g->high / g->low >= 5);
            add_floor(s, panel);
        }
        rc = add_group(s, g, parameter, panel, err);
    }
    free(g);
    return rc;
}

/* Every parameter of every entry, each name once. */
static int add_parameters(struct sweep *s, struct error *err)
{
    json_t *seen = json_object();
    int rc = seen ? 0 : error_nomem(err);
    for (size_t i = 0; rc == 0 && i < s->n; i++) {
        const char *key;
        json_t *value;
        json_object_foreach(json_object_get((json_t *)entry(s, i), "params"), key, value)
        {
            if (rc < 0 || json_object_get(seen, key) || s->l.n_panels == MOST_PANELS)
                continue;
            json_object_set_new(seen, key, json_true());
            rc = add_parameter(s, key, err);
        }
    }
    json_decref(seen);
    return rc;
}

static int draw(struct sweep *s, struct figure_place *place, struct error *err)
{
    lines_init(&s->l, "ablation", s->scenario);
    s->l.points = true;
    s->l.y_label = "gap, percentage points";
    int rc = add_parameters(s, err);
    strbuf_addf(&s->l.f.caption,
                "Gap to the retrained models along every swept parameter, all others equal (%s), "
                "with 95 %% interval, or one standard deviation where there are too few runs; the "
                "band is the noise floor.",
                s->scenario);
    if (rc == 0)
        rc = s->l.n_panels
                 ? lines_write(&s->l, place, err)
                 : figure_list_skip(&place->list,
                                    "no parameter has three values with all others equal");
    lines_release(&s->l);
    return rc;
}

int figure_ablation(const struct board *b, const char *scenario, struct figure_place *place,
                    struct error *err)
{
    struct board_work w;
    struct sweep *s = calloc(1, sizeof(*s));
    if (!s)
        return error_nomem(err);
    int rc = board_work_make(b->results, &w, err);
    if (rc == 0) {
        s->b = b;
        s->w = &w;
        s->scenario = scenario;
        s->entries = json_object_get(b->results->setup, "unlearn_methods");
        s->n = json_array_size(s->entries);
        s->n = s->n < MOST_ENTRIES ? s->n : MOST_ENTRIES;
        rc = draw(s, place, err);
        board_work_release(&w);
    }
    free(s);
    return rc;
}
