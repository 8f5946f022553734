#include "results_merge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

struct merge_scenario { /* a scenario of a suite, and the block that it is part of */
    size_t part, scenario, block;
};
struct merge_row {
    size_t part, block, method; /* method: in the united list */
    size_t order;               /* as it came */
    struct result_row *row;
};

struct merge {
    struct results *const *part;
    size_t n_parts;
    struct results *to;
    struct merge_scenario *scenario;
    size_t n_scenarios;
    struct merge_row *row;
    size_t n_rows;
};

static size_t find(char *const *list, size_t n, const char *s)
{
    size_t i = 0;
    while (i < n && strcmp(list[i], s) != 0)
        i++;
    return i;
}

/* Takes over s (NULL: out of memory). */
static int append(char ***list, size_t *n, char *s, struct error *err)
{
    char **grown = s ? realloc(*list, (*n + 2) * sizeof(*grown)) : NULL;
    if (!grown) {
        free(s);
        return error_nomem(err);
    }
    *list = grown;
    grown[(*n)++] = s;
    grown[*n] = NULL;
    return 0;
}

static int unite(char ***list, size_t *n, char *const *more, size_t n_more, struct error *err)
{
    for (size_t i = 0; i < n_more; i++)
        if (find(*list, *n, more[i]) == *n)
            TRY(append(list, n, text_dup(more[i]), err));
    return 0;
}

/* ---- blocks ---- */

static bool is_reference(const struct result_row *row, const char *scenario)
{
    return row->row_class != ROW_METHOD && *row->model_id && strcmp(row->scenario, scenario) == 0;
}

/* Every reference of a is one of b; false when there is none. */
static bool references_within(const struct results *a, const struct results *b,
                              const char *scenario)
{
    bool any = false;
    for (size_t i = 0; i < a->n_rows; i++) {
        bool found = !is_reference(&a->row[i], scenario);
        any |= !found;
        for (size_t k = 0; !found && k < b->n_rows; k++)
            found = is_reference(&b->row[k], scenario) &&
                    strcmp(a->row[i].model_id, b->row[k].model_id) == 0;
        if (!found)
            return false;
    }
    return any;
}

static bool same_block(const struct merge *m, const struct merge_scenario *a,
                       const struct merge_scenario *b)
{
    const struct results *x = m->part[a->part], *y = m->part[b->part];
    const char *name = x->scenario[a->scenario];
    return a->part != b->part && strcmp(name, y->scenario[b->scenario]) == 0 &&
           references_within(x, y, name) && references_within(y, x, name);
}

static const char *scenario_name(const struct merge *m, size_t i)
{
    return m->part[m->scenario[i].part]->scenario[m->scenario[i].scenario];
}

/* "random-0.1", or "suite/random-0.1" where other blocks are called so too. */
static int name_block(const struct merge *m, size_t first, struct error *err)
{
    struct results *to = m->to;
    const char *name = scenario_name(m, first);
    const char *suite = m->part[m->scenario[first].part]->suite;
    bool alone = true;
    for (size_t i = 0; i < m->n_scenarios; i++)
        alone &= m->scenario[i].block == m->scenario[first].block ||
                 strcmp(scenario_name(m, i), name) != 0;
    char *full = alone ? text_dup(name) : text_format("%s/%s", suite, name);
    for (unsigned n = 2; full && find(to->scenario, to->n_scenarios, full) < to->n_scenarios; n++) {
        free(full);
        full = text_format("%s-%u/%s", suite, n, name);
    }
    return append(&to->scenario, &to->n_scenarios, full, err);
}

static int make_blocks(struct merge *m, struct error *err)
{
    size_t total = 0, n_blocks = 0;
    for (size_t p = 0; p < m->n_parts; p++)
        total += m->part[p]->n_scenarios;
    m->scenario = calloc(total + 1, sizeof(*m->scenario));
    if (!m->scenario)
        return error_nomem(err);
    for (size_t p = 0; p < m->n_parts; p++)
        for (size_t s = 0; s < m->part[p]->n_scenarios; s++) {
            struct merge_scenario new = {p, s, n_blocks};
            for (size_t i = 0; i < m->n_scenarios && new.block == n_blocks; i++)
                if (same_block(m, &new, &m->scenario[i]))
                    new.block = m->scenario[i].block;
            n_blocks += new.block == n_blocks;
            m->scenario[m->n_scenarios++] = new;
        }
    for (size_t block = 0, i = 0; i < m->n_scenarios; i++)
        if (m->scenario[i].block == block) {
            TRY(name_block(m, i, err));
            block++;
        }
    return 0;
}

static size_t block_of(const struct merge *m, size_t part, const struct result_row *row)
{
    size_t i = 0;
    while (m->scenario[i].part != part || strcmp(scenario_name(m, i), row->scenario) != 0)
        i++;
    return m->scenario[i].block;
}

/* ---- rows ---- */

static bool same_run(const struct result_row *a, const struct result_row *b)
{
    return a->row_class == b->row_class && a->seed_model == b->seed_model &&
           a->seed_forget == b->seed_forget && a->seed_unlearn == b->seed_unlearn &&
           a->request == b->request && a->status == b->status &&
           strcmp(a->method, b->method) == 0 && strcmp(a->plugin, b->plugin) == 0 &&
           strcmp(a->model_id, b->model_id) == 0;
}

/* An earlier suite's rows of a's label in its block: is one of them the same run? *ret_any: whether
 * there are any. */
static bool is_repeated(const struct merge *m, size_t part, const struct result_row *a,
                        bool *ret_any)
{
    size_t block = block_of(m, part, a);
    *ret_any = false;
    for (size_t q = 0; q < part; q++)
        for (size_t i = 0; i < m->part[q]->n_rows; i++) {
            const struct result_row *b = &m->part[q]->row[i];
            if (strcmp(a->method, b->method) != 0 || block_of(m, q, b) != block)
                continue;
            *ret_any = true;
            if (same_run(a, b))
                return true;
        }
    return false;
}

/* Runs under one label that are not those of an earlier suite are another method. */
static bool is_another(const struct merge *m, size_t part, const char *method)
{
    const struct results *r = m->part[part];
    bool any;
    for (size_t i = 0; i < r->n_rows; i++)
        if (r->row[i].row_class == ROW_METHOD && strcmp(r->row[i].method, method) == 0 &&
            !is_repeated(m, part, &r->row[i], &any) && any)
            return true;
    return false;
}

static int name_method(const struct merge *m, size_t part, const char *method, size_t *ret,
                       struct error *err)
{
    struct results *to = m->to;
    char *label = is_another(m, part, method) ? text_format("%s (%s)", method, m->part[part]->suite)
                                              : text_dup(method);
    *ret = label ? find(to->method, to->n_methods, label) : 0;
    if (label && *ret < to->n_methods) {
        free(label);
        return 0;
    }
    return append(&to->method, &to->n_methods, label, err);
}

static int add_rows(struct merge *m, size_t part, size_t method, size_t to, bool renamed)
{
    struct results *r = m->part[part];
    bool any;
    for (size_t i = 0; i < r->n_rows; i++) {
        struct result_row *row = &r->row[i];
        if (strcmp(row->method, r->method[method]) != 0 ||
            (!renamed && is_repeated(m, part, row, &any)))
            continue;
        m->row[m->n_rows] = (struct merge_row){part, block_of(m, part, row), to, m->n_rows, row};
        m->n_rows++;
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct merge_row *x = a, *y = b;
    if (x->block != y->block)
        return x->block < y->block ? -1 : 1;
    if (x->method != y->method)
        return x->method < y->method ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static int choose_rows(struct merge *m, struct error *err)
{
    size_t total = 0;
    for (size_t p = 0; p < m->n_parts; p++)
        total += m->part[p]->n_rows;
    m->row = calloc(total + 1, sizeof(*m->row));
    if (!m->row)
        return error_nomem(err);
    for (size_t p = 0; p < m->n_parts; p++)
        for (size_t k = 0; k < m->part[p]->n_methods; k++) {
            size_t to;
            const char *label = m->part[p]->method[k];
            TRY(name_method(m, p, label, &to, err));
            TRY(add_rows(m, p, k, to, strcmp(label, m->to->method[to]) != 0));
        }
    qsort(m->row, m->n_rows, sizeof(*m->row), by_place);
    return 0;
}

/* ---- columns ---- */

static int add_column(struct results *to, const struct result_column *c, struct error *err)
{
    struct result_column *grown = realloc(to->column, (to->n_columns + 1) * sizeof(*grown));
    if (!grown)
        return error_nomem(err);
    to->column = grown;
    struct result_column *new = &grown[to->n_columns++];
    *new = *c;
    new->name = text_dup(c->name);
    new->unit = text_dup(c->unit);
    new->doc = text_dup(c->doc);
    new->source = text_dup(c->source ? c->source : "");
    return new->name &&new->unit &&new->doc &&new->source ? 0 : error_nomem(err);
}

static int unite_columns(struct merge *m, struct error *err)
{
    struct results *to = m->to;
    for (size_t p = 0; p < m->n_parts; p++) {
        const struct results *r = m->part[p];
        TRY(unite(&to->count_name, &to->n_counts, r->count_name, r->n_counts, err));
        for (size_t c = 0; c < r->n_columns; c++) {
            int known = results_column(to, r->column[c].name);
            if (known < 0)
                TRY(add_column(to, &r->column[c], err));
            else if (strcmp(to->column[known].unit, r->column[c].unit) != 0)
                return error_set(
                    err, ERR_INVALID,
                    "column %s is in \"%s\" in suite %s and in \"%s\" before; give one "
                    "of the metrics another label",
                    r->column[c].name, r->column[c].unit, r->suite, to->column[known].unit);
        }
    }
    return 0;
}

/* The row's arrays under the united columns. */
static int widen(const struct results *from, const struct results *to, struct result_row *row,
                 struct error *err)
{
    double *value = malloc((to->n_columns + 1) * sizeof(*value));
    char **note = calloc(to->n_columns + 1, sizeof(*note));
    double *count = malloc((to->n_counts + 1) * sizeof(*count));
    if (!value || !note || !count) {
        free(value);
        free(note);
        free(count);
        return error_nomem(err);
    }
    for (size_t c = 0; c < to->n_columns; c++) {
        int old = results_column(from, to->column[c].name);
        value[c] = old < 0 ? NAN : row->value[old];
        note[c] = old < 0 || !row->note ? NULL : row->note[old];
    }
    for (size_t c = 0; c < to->n_counts; c++) {
        size_t old = find(from->count_name, from->n_counts, to->count_name[c]);
        count[c] = old == from->n_counts ? NAN : row->count[old];
    }
    free(row->value);
    free(row->note);
    free(row->count);
    row->value = value;
    row->note = note;
    row->count = count;
    return 0;
}

static int rename_to(char **member, const char *text, struct error *err)
{
    char *copy = text_dup(text);
    if (!copy)
        return error_nomem(err);
    free(*member);
    *member = copy;
    return 0;
}

static int move_rows(struct merge *m, struct merge_origin *origin, struct error *err)
{
    struct results *to = m->to;
    to->row = calloc(m->n_rows + 1, sizeof(*to->row));
    if (!to->row)
        return error_nomem(err);
    for (size_t i = 0; i < m->n_rows; i++) {
        const struct merge_row *from = &m->row[i];
        TRY(widen(m->part[from->part], to, from->row, err));
        origin[i] = (struct merge_origin){from->part, from->row->run};
        to->row[i] = *from->row;
        memset(from->row, 0, sizeof(*from->row));
        to->n_rows = i + 1;
        to->row[i].run = (uint32_t)i + 1;
        TRY(rename_to(&to->row[i].scenario, to->scenario[from->block], err));
        TRY(rename_to(&to->row[i].method, to->method[from->method], err));
    }
    return 0;
}

/* ---- the rest ---- */

static int check_gaps(const struct merge *m, struct error *err)
{
    const struct results *a = m->part[0];
    for (size_t p = 1; p < m->n_parts; p++) {
        const struct results *b = m->part[p];
        bool same = a->n_gap == b->n_gap;
        for (size_t i = 0; same && i < a->n_gap; i++)
            same = strcmp(a->gap[i], b->gap[i]) == 0;
        if (!same)
            return error_set(err, ERR_INVALID,
                             "suites %s and %s rank by different gap terms; give all the same with "
                             "--set report.gap=[forget_acc,test_acc]",
                             a->suite, b->suite);
    }
    return 0;
}

static int add_name(struct results *to, const struct result_name *n, struct error *err)
{
    for (size_t i = 0; i < to->n_names; i++)
        if (to->name[i].kind == n->kind && strcmp(to->name[i].key, n->key) == 0)
            return 0;
    struct result_name *grown = realloc(to->name, (to->n_names + 1) * sizeof(*grown));
    if (!grown)
        return error_nomem(err);
    to->name = grown;
    struct result_name *new = &grown[to->n_names++];
    *new = *n;
    new->key = text_dup(n->key);
    new->name = text_dup(n->name);
    new->colour = text_dup(n->colour);
    new->cite = text_dup(n->cite);
    new->bibtex = text_dup(n->bibtex);
    return new->key &&new->name &&new->colour &&new->cite &&new->bibtex ? 0 : error_nomem(err);
}

static int fill_frame(struct merge *m, struct error *err)
{
    struct results *to = m->to;
    for (size_t p = 0; p < m->n_parts; p++) {
        const struct results *r = m->part[p];
        char *suite = p ? text_format("%s + %s", to->suite, r->suite) : text_dup(r->suite);
        free(to->suite);
        to->suite = suite;
        if (!suite)
            return error_nomem(err);
        TRY(unite(&to->gap, &to->n_gap, r->gap, r->n_gap, err));
        TRY(unite(&to->baseline, &to->n_baselines, r->baseline, r->n_baselines, err));
        to->n_oracles = p && to->n_oracles < r->n_oracles ? to->n_oracles : r->n_oracles;
        for (size_t i = 0; i < r->n_names; i++)
            TRY(add_name(to, &r->name[i], err));
    }
    return 0;
}

int results_merge(struct results *const *part, size_t n, struct results *ret,
                  struct merge_origin **ret_origin, struct error *err)
{
    struct results to = {0};
    struct merge m = {.part = part, .n_parts = n, .to = &to};
    struct merge_origin *origin = NULL;
    int rc = check_gaps(&m, err);
    if (rc == 0)
        rc = fill_frame(&m, err);
    if (rc == 0)
        rc = unite_columns(&m, err);
    if (rc == 0)
        rc = make_blocks(&m, err);
    if (rc == 0)
        rc = choose_rows(&m, err);
    if (rc == 0)
        rc = (origin = calloc(m.n_rows + 1, sizeof(*origin))) ? 0 : error_nomem(err);
    if (rc == 0)
        rc = move_rows(&m, origin, err);
    free(m.scenario);
    free(m.row);
    if (rc < 0) {
        results_release(&to);
        free(origin);
        return rc;
    }
    *ret = to;
    *ret_origin = origin;
    return 0;
}
