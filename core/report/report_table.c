/* The leaderboard on a terminal: one table a scenario, as wide as the terminal allows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "board.h"
#include "cells.h"
#include "labels.h"
#include "report.h"

enum { DEFAULT_WIDTH = 100, LEAST_METHOD_WIDTH = 8, GUTTER = 2 };

struct table_row {
    const char *rank, *method, *gap, *runs, *flags;
    const char **term; /* (n_gap) */
};

/* What is shown: less where the terminal is narrow. */
struct table_style {
    bool spread; /* "97.50±0.20" in the terms, not the mean alone */
    bool flags;  /* in the table, not only below it */
    size_t n_terms;
};

struct table {
    const struct board *board;
    const char *scenario;
    unsigned width; /* of the terminal */
    struct arena *arena;
    struct strbuf out;
    struct table_row head;
    struct table_row *row;
    size_t n;
    struct table_style style;
    bool failed; /* out of memory */
};

/* ---- cells ---- */

static const char *keep(struct table *t, const char *s)
{
    t->failed |= !s;
    return s ? s : "";
}

static const char *number(struct table *t, double mean, double sd, int digits)
{
    if (isnan(mean))
        return "-";
    if (isnan(sd))
        return keep(t, arena_printf(t->arena, "%.*f", digits, mean));
    return keep(t, arena_printf(t->arena, "%.*f±%.*f", digits, mean, digits, sd));
}

static const char *term_cell(struct table *t, const struct board_entry *e, size_t term)
{
    const struct results *r = t->board->results;
    int c = results_column(r, r->gap[term]);
    if (c < 0)
        return "-";
    int digits = board_points(&r->column[c]) > 1 ? 3 : 2;
    return number(t, e->cell[c].mean, t->style.spread ? e->cell[c].sd : NAN, digits);
}

static const char *gap_cell(struct table *t, const struct board_entry *e)
{
    if (isnan(e->gap))
        return e->n_used ? "-" : "failed";
    return number(t, e->gap, e->gap_sd, 2);
}

static void fill_row(struct table *t, const struct board_entry *e, struct table_row *row)
{
    size_t n_gap = t->board->results->n_gap;
    row->rank = e->rank ? keep(t, arena_printf(t->arena, "%u", (unsigned)e->rank)) : "";
    row->method = e->method;
    row->gap = gap_cell(t, e);
    row->runs =
        keep(t, arena_printf(t->arena, "%u/%u", (unsigned)e->n_used, (unsigned)e->n_planned));
    row->flags = e->flags;
    row->term = arena_alloc(t->arena, (n_gap + 1) * sizeof(*row->term));
    t->failed |= !row->term;
    for (size_t k = 0; row->term && k < n_gap; k++)
        row->term[k] = term_cell(t, e, k);
}

static void fill_head(struct table *t)
{
    const struct results *r = t->board->results;
    const char **term = arena_alloc(t->arena, (r->n_gap + 1) * sizeof(*term));
    struct strbuf heading;
    strbuf_init(&heading);
    for (size_t k = 0; term && k < r->n_gap; k++) {
        strbuf_reset(&heading);
        label_heading(&heading, r->gap[k]);
        term[k] = keep(t, arena_strdup(t->arena, heading.s));
    }
    t->failed |= !term || heading.failed;
    t->head = (struct table_row){"#", "Method", "Gap (pp)", "Runs", "Flags", term};
    strbuf_release(&heading);
}

static void fill(struct table *t, struct table_style style)
{
    t->style = style;
    t->n = 0;
    fill_head(t);
    for (size_t i = 0; i < t->board->n; i++)
        if (strcmp(t->board->entry[i].scenario, t->scenario) == 0)
            fill_row(t, &t->board->entry[i], &t->row[t->n++]);
}

/* ---- widths ---- */

/* The columns in order: rank, method, gap, terms, runs, flags. */
static size_t n_cells(const struct table *t)
{
    return 4 + t->style.n_terms + t->style.flags;
}

static const char *cell(const struct table *t, const struct table_row *row, size_t i)
{
    const char *const front[] = {row->rank, row->method, row->gap};
    if (i < 3)
        return front[i];
    if (i < 3 + t->style.n_terms)
        return row->term[i - 3];
    return i == 3 + t->style.n_terms ? row->runs : row->flags;
}

static unsigned column_width(const struct table *t, size_t i)
{
    unsigned width = cells_width(cell(t, &t->head, i));
    for (size_t k = 0; k < t->n; k++) {
        unsigned w = cells_width(cell(t, &t->row[k], i));
        width = w > width ? w : width;
    }
    return width;
}

static unsigned table_width(const struct table *t)
{
    unsigned width = GUTTER * (unsigned)(n_cells(t) - 1);
    for (size_t i = 0; i < n_cells(t); i++)
        width += column_width(t, i);
    return width;
}

/* The richest style that fits; the poorest if none does (the method is cut then). */
static void choose_style(struct table *t)
{
    size_t n_gap = t->board->results->n_gap;
    const struct table_style rich[] = {
        {true, true, n_gap}, {true, false, n_gap}, {false, true, n_gap}, {false, false, n_gap}};
    for (size_t i = 0; i < sizeof(rich) / sizeof(rich[0]); i++) {
        fill(t, rich[i]);
        if (t->failed || table_width(t) <= t->width)
            return;
    }
    while (t->style.n_terms > 0 && table_width(t) > t->width)
        t->style.n_terms--;
}

/* ---- printing ---- */

static void print_row(struct table *t, const struct table_row *row, const unsigned *width)
{
    size_t n = n_cells(t), last = n - 1;
    while (last > 0 && *cell(t, row, last) == '\0')
        last--; /* no blanks at the end of a line */
    for (size_t i = 0; i <= last; i++) {
        bool text = i == 1 || (t->style.flags && i == n - 1);
        if (i)
            strbuf_adds(&t->out, "  ");
        if (i == last && text)
            cells_cut(&t->out, cell(t, row, i), width[i]);
        else
            cells_pad(&t->out, cell(t, row, i), width[i], !text);
    }
    strbuf_addc(&t->out, '\n');
}

static void print_table(struct table *t)
{
    unsigned *width = arena_alloc(t->arena, n_cells(t) * sizeof(*width));
    unsigned total = table_width(t);
    t->failed |= !width;
    if (t->failed)
        return;
    for (size_t i = 0; i < n_cells(t); i++)
        width[i] = column_width(t, i);
    if (total > t->width) {
        unsigned excess = total - t->width;
        width[1] = width[1] > excess + LEAST_METHOD_WIDTH ? width[1] - excess : LEAST_METHOD_WIDTH;
        total = t->width;
    }
    print_row(t, &t->head, width);
    for (unsigned i = 0; i < total; i++)
        strbuf_adds(&t->out, "─");
    strbuf_addc(&t->out, '\n');
    for (size_t i = 0; i < t->n; i++)
        print_row(t, &t->row[i], width);
}

/* Failures with verdict and reason, and what else must be known; flags that found no room. */
static void print_notes(struct table *t)
{
    struct strbuf text;
    strbuf_init(&text);
    for (size_t i = 0; i < t->board->n; i++) {
        const struct board_entry *e = &t->board->entry[i];
        bool flags = !t->style.flags && *e->flags;
        if (strcmp(e->scenario, t->scenario) != 0 || (!*e->notes && !flags))
            continue;
        strbuf_reset(&text);
        strbuf_addf(&text, "%s: %s%s%s", e->method, flags ? e->flags : "",
                    flags && *e->notes ? "; " : "", e->notes);
        strbuf_adds(&t->out, "  ");
        cells_wrap(&t->out, text.s, 2, 4, t->width);
    }
    t->out.failed |= text.failed;
    strbuf_release(&text);
}

static void print_scenario(struct table *t)
{
    choose_style(t);
    if (t->failed || t->n == 0)
        return;
    cells_cut(&t->out, t->scenario, t->width);
    strbuf_addc(&t->out, '\n');
    print_table(t);
    print_notes(t);
    strbuf_addc(&t->out, '\n');
}

static void print_legend(struct table *t)
{
    const struct results *r = t->board->results;
    struct strbuf text;
    bool fractions = false;
    strbuf_init(&text);
    strbuf_adds(&text, "Gap: absolute difference to the mean of the retrained models, mean of");
    for (size_t k = 0; k < r->n_gap; k++) {
        int c = results_column(r, r->gap[k]);
        strbuf_adds(&text, k == 0 ? " " : k + 1 < r->n_gap ? ", " : " and ");
        label_heading(&text, r->gap[k]);
        fractions |= c >= 0 && board_points(&r->column[c]) > 1;
    }
    strbuf_addf(&text,
                " in percentage points%s, over runs; lower is better. The gap of retrain is the "
                "noise floor: each retrained model against the others. ±: one standard "
                "deviation over runs.",
                fractions ? " (fractions x 100)" : "");
    cells_wrap(&t->out, text.s, 0, 0, t->width);
    t->out.failed |= text.failed;
    strbuf_release(&text);
}

static int print_board(const struct board *b, FILE *out, unsigned columns, struct error *err)
{
    struct table t = {.board = b,
                      .width = columns ? columns : DEFAULT_WIDTH,
                      .arena = arena_new(),
                      .row = calloc(b->n + 1, sizeof(*t.row))};
    strbuf_init(&t.out);
    t.failed = !t.arena || !t.row;
    for (size_t s = 0; !t.failed && s < b->results->n_scenarios; s++) {
        t.scenario = b->results->scenario[s];
        print_scenario(&t);
    }
    if (!t.failed)
        print_legend(&t);
    int rc = t.failed || t.out.failed ? error_nomem(err) : 0;
    if (rc == 0 && (fwrite(t.out.s, 1, t.out.len, out) != t.out.len || fflush(out) != 0))
        rc = error_set(err, ERR_IO, "cannot print the leaderboard");
    strbuf_release(&t.out);
    arena_free(t.arena);
    free(t.row);
    return rc;
}

int report_print(const struct results *r, FILE *out, unsigned columns, struct error *err)
{
    struct board b;
    TRY(board_make(r, &b, err));
    int rc = print_board(&b, out, columns, err);
    board_release(&b);
    return rc;
}
