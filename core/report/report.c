#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "figure.h"
#include "fs.h"
#include "html_page.h"
#include "labels.h"
#include "leftovers.h"
#include "report_csv.h"
#include "report_names.h"
#include "report_stats.h"
#include "table.h"

static int save(struct csv_writer *w, const char *dir, const char *name, struct error *err)
{
    char *path = fs_join(dir, name);
    int rc = path ? csv_writer_save(w, path, err) : error_nomem(err);
    free(path);
    csv_writer_release(w);
    return rc;
}

static int write_statistics(const struct board *b, const char *dir, struct error *err)
{
    static const struct {
        const char *name;
        int (*fill)(const struct board *, struct csv_writer *, struct error *);
    } table[] = {{"comparisons.csv", report_comparisons},
                 {"ranks.csv", report_ranks},
                 {"agreement.csv", report_agreement},
                 {"variance.csv", report_variance}};
    struct csv_writer w;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < sizeof(table) / sizeof(table[0]); i++) {
        csv_writer_init(&w);
        rc = table[i].fill(b, &w, err);
        if (rc == 0)
            rc = save(&w, dir, table[i].name, err);
        else
            csv_writer_release(&w);
    }
    return rc;
}

static int write_references(const struct results *r, const char *dir, struct error *err)
{
    struct strbuf text;
    strbuf_init(&text);
    report_references(r, &text);
    char *path = fs_join(dir, "references.bib");
    int rc = path && !text.failed ? 0 : error_nomem(err);
    if (rc == 0 && text.len > 0)
        rc = fs_write_atomic(path, text.s, text.len, err);
    free(path);
    strbuf_release(&text);
    return rc;
}

static int write_tables(const struct board *b, const char *dir, struct error *err)
{
    struct csv_writer w;
    csv_writer_init(&w);
    report_runs(b->results, &w);
    TRY(save(&w, dir, "runs.csv", err));
    report_costs(b->results, &w);
    TRY(save(&w, dir, "costs.csv", err));
    report_leaderboard(b, &w);
    TRY(save(&w, dir, "leaderboard.csv", err));
    if (b->results->n_transfer > 0) {
        report_transfer(b->results, &w);
        TRY(save(&w, dir, "transfer.csv", err));
    }
    TRY(write_references(b->results, dir, err));
    if (b->results->ledger) {
        report_tuning(b->results, &w);
        TRY(save(&w, dir, "tuning.csv", err));
    }
    return write_statistics(b, dir, err);
}

/* ---- curves ---- */

struct curve_names { /* distinct (name, series) of all rows, in order of appearance */
    const struct result_curve **first;
    size_t n;
};

static bool is_known(const struct curve_names *names, const struct result_curve *c)
{
    for (size_t i = 0; i < names->n; i++)
        if (strcmp(names->first[i]->name, c->name) == 0 &&
            strcmp(names->first[i]->series, c->series) == 0)
            return true;
    return false;
}

static int curve_names_make(const struct results *r, struct curve_names *ret, struct error *err)
{
    size_t total = 0;
    for (size_t i = 0; i < r->n_rows; i++)
        total += r->row[i].n_curves;
    *ret = (struct curve_names){calloc(total + 1, sizeof(const struct result_curve *)), 0};
    if (!ret->first)
        return error_nomem(err);
    for (size_t i = 0; i < r->n_rows; i++)
        for (size_t k = 0; k < r->row[i].n_curves; k++)
            if (!is_known(ret, &r->row[i].curve[k]))
                ret->first[ret->n++] = &r->row[i].curve[k];
    return 0;
}

/* File of a curve in curves/. Labels that differ only in bytes that file names lack get numbers. */
static void curve_file(const struct curve_names *names, size_t index, struct strbuf *out)
{
    struct strbuf other;
    unsigned same = 1;
    strbuf_init(&other);
    label_file_name(out, names->first[index]->name);
    for (size_t i = 0; i < index; i++) {
        bool seen = false;
        for (size_t k = 0; k < i; k++)
            seen |= strcmp(names->first[k]->name, names->first[i]->name) == 0;
        strbuf_reset(&other);
        label_file_name(&other, names->first[i]->name);
        same += !seen && strcmp(other.s, out->s) == 0;
    }
    if (same > 1)
        strbuf_addf(out, "-%u", same);
    strbuf_adds(out, ".csv");
    out->failed |= other.failed;
    strbuf_release(&other);
}

static bool is_first_series(const struct curve_names *names, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(names->first[i]->name, names->first[index]->name) == 0)
            return false;
    return true;
}

static int write_curves(const struct results *r, const struct curve_names *names,
                        const char *out_dir, struct error *err)
{
    char *dir = fs_join(out_dir, "curves");
    struct strbuf file;
    struct csv_writer w;
    strbuf_init(&file);
    csv_writer_init(&w);
    int rc = !dir ? error_nomem(err) : names->n ? fs_mkdirs(dir, err) : 0;
    for (size_t i = 0; rc == 0 && i < names->n; i++) {
        if (!is_first_series(names, i))
            continue;
        strbuf_reset(&file);
        curve_file(names, i, &file);
        report_curve(r, names->first[i]->name, &w);
        rc = file.failed ? error_nomem(err) : save(&w, dir, file.s, err);
    }
    csv_writer_release(&w);
    strbuf_release(&file);
    free(dir);
    return rc;
}

static int write_spectral(const struct results *r, const char *out_dir, struct error *err)
{
    struct csv_writer w;
    csv_writer_init(&w);
    if (!report_spectral(r, &w)) {
        csv_writer_release(&w);
        return 0;
    }
    char *dir = fs_join(out_dir, "curves");
    int rc = dir ? fs_mkdirs(dir, err) : error_nomem(err);
    if (rc == 0)
        rc = save(&w, dir, "spectral-originals.csv", err);
    csv_writer_release(&w);
    free(dir);
    return rc;
}

/* Figures, then the page that shows them. What cannot be drawn costs the pictures alone: the page
 * is written without them, and then the failure is returned. */
static int write_pictures(const struct board *b, const struct report_options *options,
                          struct error *err)
{
    struct error drawing = ERROR_INIT;
    struct report_options page = *options;
    if (options->figures && figures_write(b, options, &drawing) < 0) {
        if (drawing.code == ERR_ENVIRONMENT)
            page.figures = false;
        else
            page.page = false;
    }
    int rc = page.page ? html_page_write(b, &page, err) : 0;
    if (rc == 0 && drawing.code) {
        if (err)
            *err = drawing;
        rc = drawing.code;
    }
    return rc;
}

int report_write(const struct results *r, const struct report_options *options, struct error *err)
{
    struct board b;
    struct curve_names names = {NULL, 0};
    if (!options->out_dir || !*options->out_dir)
        return error_set(err, ERR_INVALID, "a report needs a folder to go to");
    TRY(fs_mkdirs(options->out_dir, err));
    leftovers_remove(options->out_dir);
    TRY(board_make(r, &b, err));
    int rc = curve_names_make(r, &names, err);
    if (rc == 0)
        rc = write_tables(&b, options->out_dir, err);
    if (rc == 0)
        rc = write_curves(r, &names, options->out_dir, err);
    if (rc == 0)
        rc = write_spectral(r, options->out_dir, err);
    if (rc == 0)
        rc = tables_write(&b, options, err);
    if (rc == 0)
        rc = write_pictures(&b, options, err);
    free(names.first);
    board_release(&b);
    return rc;
}
