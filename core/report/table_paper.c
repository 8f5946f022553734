/* The table of a paper: a method a row, each value with its gap to the oracles in parentheses and
 * its interval below, the best in bold and the second underlined, in blocks by what a method
 * reads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "labels.h"
#include "report_names.h"
#include "table.h"
#include "tex.h"
#include "text.h"

enum { MOST_COLUMNS = 24 };

struct paper {
    const struct board *b;
    const char *scenario;
    const struct report_choice *choice;
    struct tex_table t;
    int column[MOST_COLUMNS]; /* in the results */
    size_t n;
    const char *missing; /* a column that was asked for and is not there */
};

static const struct {
    const char *division; /* NULL: any other */
    const char *title;
} blocks[] = {{"reference", NULL},
              {"with-retain", "With access to the retain set"},
              {"forget-only", "Forget set alone"},
              {"imported", "Made elsewhere"},
              {"", "Failed in every run"}};
enum { N_BLOCKS = sizeof(blocks) / sizeof(blocks[0]) };

static bool in_block(const struct paper *p, const struct board_entry *e, size_t block)
{
    return strcmp(e->scenario, p->scenario) == 0 &&
           strcmp(e->division, blocks[block].division) == 0;
}

static void choose_columns(struct paper *p)
{
    const struct results *r = p->b->results;
    bool own = p->choice && p->choice->n_columns > 0;
    size_t n = own ? p->choice->n_columns : r->n_gap;
    char *const *name = own ? p->choice->columns : r->gap;
    for (size_t i = 0; i < n && p->n < MOST_COLUMNS; i++) {
        int c = results_column(r, name[i]);
        if (c >= 0)
            p->column[p->n++] = c;
        else
            p->missing = name[i];
    }
}

static int digits_of(const struct paper *p, size_t k)
{
    bool percent = board_points(&p->b->results->column[p->column[k]]) <= 1;
    int own = !p->choice ? -1
              : percent  ? p->choice->decimals_percent
                         : p->choice->decimals_fraction;
    return own >= 0 ? own : percent ? 2 : 3;
}

static int gap_digits(const struct paper *p)
{
    return p->choice && p->choice->decimals_percent >= 0 ? p->choice->decimals_percent : 2;
}

/* ---- marks ---- */

/* What is compared: the gap of a column (k < n), or the gap itself. */
static double merit(const struct paper *p, const struct board_entry *e, size_t k)
{
    return k < p->n ? e->cell[p->column[k]].gap : e->gap;
}

/* 1 for the smallest of the block, 2 for the next; equal ones share a mark, as far as they are
 * equal when printed. 0 else, among references, and in blocks of one. */
static int mark_of(const struct paper *p, const struct board_entry *e, size_t k, size_t block)
{
    double mine = merit(p, e, k), less[2] = {NAN, NAN};
    size_t n = 0, better = 0;
    for (size_t i = 0; i < p->b->n; i++) {
        const struct board_entry *other = &p->b->entry[i];
        double v = merit(p, other, k);
        if (!in_block(p, other, block) || isnan(v))
            continue;
        n++;
        if (v < mine && v != less[0]) {
            better++;
            less[0] = v;
        }
    }
    return block == 0 || isnan(mine) || n < 2 || better > 1 ? 0 : (int)better + 1;
}

/* ---- cells ---- */

static void spread_text(const struct paper *p, double sd, double low, double high, int digits,
                        struct strbuf *out)
{
    if (p->choice && p->choice->spread_sd && !isnan(sd))
        strbuf_addf(out, "$\\pm$ %.*f", digits, sd);
    else if ((!p->choice || !p->choice->spread_sd) && !isnan(low))
        strbuf_addf(out, "[%.*f, %.*f]", digits, low, digits, high);
}

static const char *mark_command(int mark)
{
    static const char *const commands[] = {"", "\\lethebest", "\\lethesecond"};
    return commands[mark];
}

static void value_cell(struct paper *p, const struct board_entry *e, size_t k, size_t block)
{
    const struct board_cell *c = &e->cell[p->column[k]];
    int digits = digits_of(p, k), mark = mark_of(p, e, k, block);
    struct strbuf text, spread;
    strbuf_init(&text);
    strbuf_init(&spread);
    spread_text(p, c->sd, c->ci_low, c->ci_high, digits, &spread);
    if (isnan(c->mean)) {
        strbuf_adds(&text, "n/a");
    } else {
        strbuf_addf(&text, "%s{%s{%.*f}}", spread.len ? "\\lethecell" : "\\lethevalue",
                    mark_command(mark), digits, c->mean);
        if (isnan(c->gap))
            strbuf_adds(&text, "{n/a}");
        else
            strbuf_addf(&text, "{%.*f}", digits, c->gap);
        if (spread.len)
            strbuf_addf(&text, "{%s}", spread.s);
    }
    tex_cell_raw(&p->t, text.s);
    p->t.tex.failed |= text.failed | spread.failed;
    strbuf_release(&text);
    strbuf_release(&spread);
    const double v[] = {c->mean, c->gap, c->sd, c->ci_low, c->ci_high};
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        csv_cell_double(&p->t.csv, v[i]);
    csv_cell_int(&p->t.csv, mark);
}

static void gap_cell(struct paper *p, const struct board_entry *e, size_t block)
{
    int digits = gap_digits(p), mark = mark_of(p, e, p->n, block);
    struct strbuf text, spread;
    strbuf_init(&text);
    strbuf_init(&spread);
    spread_text(p, e->gap_sd, e->gap_ci_low, e->gap_ci_high, digits, &spread);
    if (isnan(e->gap))
        strbuf_adds(&text, e->n_used ? "n/a" : "failed");
    else
        strbuf_addf(&text, "%s{%.*f}", mark_command(mark), digits, e->gap);
    if (spread.len && !isnan(e->gap))
        strbuf_addf(&text, " {\\tiny %s}", spread.s);
    tex_cell_raw(&p->t, text.s);
    p->t.tex.failed |= text.failed | spread.failed;
    strbuf_release(&text);
    strbuf_release(&spread);
    const double v[] = {e->gap, e->gap_sd, e->gap_ci_low, e->gap_ci_high};
    for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); i++)
        csv_cell_double(&p->t.csv, v[i]);
    csv_cell_int(&p->t.csv, mark);
}

static void method_cell(struct paper *p, const struct board_entry *e)
{
    const struct results *r = p->b->results;
    const char *cite = report_cite(r, e->method);
    struct strbuf text;
    strbuf_init(&text);
    tex_escape(&text, report_method_name(r, e->method));
    if (*cite)
        strbuf_addf(&text, "\\lethecite{%s}", cite);
    tex_cell_raw(&p->t, text.s);
    p->t.tex.failed |= text.failed;
    strbuf_release(&text);
}

static void add_row(struct paper *p, const struct board_entry *e, size_t block)
{
    char runs[32];
    method_cell(p, e);
    csv_cell(&p->t.csv, e->division);
    if (e->rank)
        csv_cell_int(&p->t.csv, e->rank);
    else
        csv_cell(&p->t.csv, NULL);
    csv_cell(&p->t.csv, e->method);
    for (size_t k = 0; k < p->n; k++)
        value_cell(p, e, k, block);
    gap_cell(p, e, block);
    snprintf(runs, sizeof(runs), "%u/%u", (unsigned)e->n_used, (unsigned)e->n_planned);
    tex_cell(&p->t, runs);
    csv_cell_int(&p->t.csv, e->n_used);
    csv_cell_int(&p->t.csv, e->n_planned);
    csv_cell(&p->t.csv, e->flags);
    tex_end_row(&p->t);
    csv_end_row(&p->t.csv);
}

/* ---- head and notes ---- */

static void csv_head(struct paper *p)
{
    static const char *const first[] = {"division", "rank", "method"},
                             *const last[] = {"gap",      "gap_sd", "gap_ci_low", "gap_ci_high",
                                              "gap_mark", "n_used", "n_planned",  "flags"},
                             *const endings[] = {"", "_gap", "_sd", "_ci_low", "_ci_high", "_mark"};
    for (size_t i = 0; i < 3; i++)
        csv_cell(&p->t.csv, first[i]);
    for (size_t k = 0; k < p->n; k++)
        for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
            char *name = text_format("%s%s", p->b->results->column[p->column[k]].name, endings[i]);
            csv_cell(&p->t.csv, name);
            p->t.csv.out.failed |= !name;
            free(name);
        }
    for (size_t i = 0; i < sizeof(last) / sizeof(last[0]); i++)
        csv_cell(&p->t.csv, last[i]);
    csv_end_row(&p->t.csv);
}

static void head(struct paper *p)
{
    struct strbuf name;
    strbuf_init(&name);
    tex_cell(&p->t, "Method");
    for (size_t k = 0; k < p->n; k++) {
        strbuf_reset(&name);
        report_column_name(&name, p->b->results, p->b->results->column[p->column[k]].name);
        tex_cell(&p->t, name.s);
    }
    tex_cell(&p->t, "Gap");
    tex_cell(&p->t, "Runs");
    tex_end_row(&p->t);
    p->t.tex.failed |= name.failed;
    strbuf_release(&name);
    csv_head(p);
}

static void notes(struct paper *p)
{
    bool sd = p->choice && p->choice->spread_sd;
    struct strbuf text;
    strbuf_init(&text);
    strbuf_addf(&text,
                "Scenario %s. Mean over runs; in parentheses the mean absolute difference to the "
                "retrained models, whose own is that of each to the others; %s where it can be "
                "judged. Gap: mean of these differences over the gap terms, in percentage points. "
                "Best of a block bold, second underlined, by the difference.",
                p->scenario, sd ? "± one standard deviation (n - 1)" : "95 % interval");
    tex_note(&p->t, text.s);
    for (size_t i = 0; i < p->b->n; i++) {
        const struct board_entry *e = &p->b->entry[i];
        if (strcmp(e->scenario, p->scenario) != 0 || e->n_used == e->n_planned || !*e->notes)
            continue;
        strbuf_reset(&text);
        strbuf_addf(&text, "%s: %s", report_method_name(p->b->results, e->method), e->notes);
        tex_note(&p->t, text.s);
    }
    p->t.tex.failed |= text.failed;
    strbuf_release(&text);
}

static void body(struct paper *p)
{
    for (size_t k = 0; k < N_BLOCKS; k++) {
        bool begun = false;
        for (size_t i = 0; i < p->b->n; i++) {
            if (!in_block(p, &p->b->entry[i], k))
                continue;
            if (!begun && blocks[k].title)
                tex_block(&p->t, blocks[k].title);
            else if (!begun)
                tex_rule(&p->t);
            begun = true;
            add_row(p, &p->b->entry[i], k);
        }
    }
}

int table_paper(const struct board *b, const char *scenario, const struct report_choice *choice,
                const char *dir, struct error *err)
{
    struct paper p = {.b = b, .scenario = scenario, .choice = choice};
    char columns[MOST_COLUMNS + 8] = "l";
    struct strbuf name;
    choose_columns(&p);
    if (p.missing)
        return error_set(err, ERR_INVALID,
                         "report.columns: this suite has no column \"%s\"; runs.csv names those "
                         "that there are",
                         p.missing);
    memset(columns + 1, 'c', p.n + 2);
    columns[p.n + 3] = '\0';
    strbuf_init(&name);
    strbuf_adds(&name, "paper-");
    label_file_name(&name, scenario);
    tex_table_begin(&p.t, columns, "leaderboard.csv");
    head(&p);
    body(&p);
    notes(&p);
    p.t.tex.failed |= name.failed;
    int rc = tex_table_save(&p.t, dir, name.s, err);
    strbuf_release(&name);
    return rc;
}
