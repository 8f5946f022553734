/* Flags and notes of an entry: what a reader must know before trusting its gap. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "board_work.h"

/* Says what is wrong with row i; adds nothing when nothing is. */
typedef void describe_fn(const struct board_work *w, size_t i, struct strbuf *out);

static void describe_failure(const struct board_work *w, size_t i, struct strbuf *out)
{
    const struct result_row *r = &w->r->row[i];
    if (r->status == VERDICT_OK)
        return;
    strbuf_adds(out, verdict_name(r->status));
    if (r->reason && *r->reason)
        strbuf_addf(out, ": %s", r->reason);
    else if (r->signal)
        strbuf_addf(out, " (signal %d)", r->signal);
}

static void describe_parts(const struct board_work *w, size_t i, struct strbuf *out)
{
    const struct result_row *r = &w->r->row[i];
    if (r->status == VERDICT_OK && r->failed_parts && *r->failed_parts)
        strbuf_addf(out, "lost %s", r->failed_parts);
}

static void describe_terms(const struct board_work *w, size_t i, struct strbuf *out)
{
    const struct result_row *r = &w->r->row[i];
    for (size_t t = 0; r->status == VERDICT_OK && t < w->r->n_gap; t++) {
        int c = w->term[t];
        if (c >= 0 && !isnan(r->value[c]))
            continue;
        strbuf_addf(out, "%s %s", out->len ? " and" : "without", w->r->gap[t]);
        if (c >= 0 && r->note && r->note[c])
            strbuf_addf(out, " (%s)", r->note[c]);
    }
}

static bool has_all_terms(const struct board_work *w, size_t i)
{
    for (size_t t = 0; t < w->r->n_gap; t++)
        if (w->term[t] < 0 || isnan(w->r->row[i].value[w->term[t]]))
            return false;
    return w->r->row[i].status == VERDICT_OK;
}

static void describe_reference(const struct board_work *w, size_t i, struct strbuf *out)
{
    if (w->r->n_gap == 0 || !has_all_terms(w, i) || !isnan(w->gap[i]))
        return;
    bool lone = w->r->row[i].row_class == ROW_ORACLE;
    strbuf_adds(out, lone ? "without another oracle for a leave-one-out gap"
                          : "without an oracle to compare with");
}

static size_t count_equal(const struct board_work *w, const size_t *row, size_t n,
                          describe_fn *describe, const char *text)
{
    struct strbuf other;
    size_t count = 0;
    strbuf_init(&other);
    for (size_t k = 0; k < n; k++) {
        strbuf_reset(&other);
        describe(w, row[k], &other);
        count += strcmp(other.s, text) == 0;
    }
    strbuf_release(&other);
    return count;
}

/* "2 of 6 runs crashed (signal 11): ..."; equal texts are told once, in order of appearance. */
static void add_groups(const struct board_work *w, const size_t *row, size_t n,
                       describe_fn *describe, struct strbuf *out)
{
    struct strbuf text;
    strbuf_init(&text);
    for (size_t k = 0; k < n; k++) {
        strbuf_reset(&text);
        describe(w, row[k], &text);
        if (text.len == 0 || count_equal(w, row, k, describe, text.s) > 0)
            continue;
        size_t count = count_equal(w, row, n, describe, text.s);
        strbuf_addf(out, "%s%zu of %zu run%s %s", out->len ? "; " : "", count, n, n == 1 ? "" : "s",
                    text.s);
    }
    out->failed |= text.failed;
    strbuf_release(&text);
}

/* Three or more oracles without any spread leave gap_z undefined. */
static void add_equal_oracles(const struct board_work *w, const size_t *row, size_t n,
                              const struct board_entry *e, struct strbuf *out)
{
    for (size_t t = 0; n && t < w->r->n_gap; t++) {
        if (w->term[t] < 0 || isnan(e->cell[w->term[t]].gap) || !isnan(e->cell[w->term[t]].gap_z))
            continue;
        size_t at = row[0] * w->r->n_columns + (size_t)w->term[t];
        if (w->ref.n_sd[at] >= 3)
            strbuf_addf(out, "%sno gap_z: the oracles do not differ in %s", out->len ? "; " : "",
                        w->r->gap[t]);
    }
}

int board_fill_notes(const struct board_work *w, const size_t *row, size_t n, struct board_entry *e,
                     struct error *err)
{
    static describe_fn *const all[] = {describe_failure, describe_parts, describe_terms,
                                       describe_reference};
    struct strbuf out;
    strbuf_init(&out);
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        add_groups(w, row, n, all[i], &out);
    add_equal_oracles(w, row, n, e, &out);
    e->notes = strbuf_detach(&out);
    return e->notes ? 0 : error_nomem(err);
}
