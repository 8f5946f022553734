/* csv.c: reading tables with libcsv. Its callbacks know neither rows nor lines, so the text is
 * fed line by line and both are counted here. */
#include "csv.h"

#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "libcsv.h"

struct reader {
    const char *name;
    struct strbuf cells;   /* every cell so far, NUL-terminated */
    size_t n_cols;         /* of the header */
    size_t in_row, n_rows; /* n_rows counts the header too */
    size_t *lines;         /* where each row began */
    size_t line, row_line; /* 1-based; row_line: where the current row began */
    bool row_open;
    struct error *err; /* set by the callbacks */
    int rc;
};

/* What struct csv_table's memory points to. */
struct table_memory {
    char *text, **cells, ***rows;
    size_t *lines; /* the header's first */
};

static void on_cell(void *s, size_t n, void *arg)
{
    struct reader *r = arg;
    if (r->rc != 0)
        return;
    strbuf_add(&r->cells, s, n);
    strbuf_addc(&r->cells, '\0');
    r->in_row++;
}

static void on_row(int end, void *arg)
{
    struct reader *r = arg;
    if (r->rc != 0)
        return;
    if ((r->n_rows & (r->n_rows - 1)) == 0) { /* full at every power of two */
        size_t *more = realloc(r->lines, (r->n_rows ? r->n_rows * 2 : 1) * sizeof *more);
        if (!more) {
            r->rc = error_nomem(r->err);
            return;
        }
        r->lines = more;
    }
    r->lines[r->n_rows] = r->row_line;
    if (r->n_rows == 0)
        r->n_cols = r->in_row;
    else if (r->in_row != r->n_cols)
        r->rc =
            error_set(r->err, ERR_INVALID, "%s:%zu: expected %zu cells as in the header, found %zu",
                      r->name, r->row_line, r->n_cols, r->in_row);
    r->n_rows++;
    r->in_row = 0;
    r->row_open = false;
}

static bool is_blank(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] != ' ' && s[i] != '\t' && s[i] != '\r' && s[i] != '\n')
            return false;
    return true;
}

static int syntax_error(struct reader *r, struct csv_parser *parser)
{
    if (csv_error(parser) == CSV_EPARSE)
        return error_set(r->err, ERR_INVALID,
                         "%s:%zu: a quote stands inside an unquoted cell or is never closed",
                         r->name, r->row_open ? r->row_line : r->line);
    return error_nomem(r->err);
}

static int feed(struct reader *r, struct csv_parser *parser, const char *text, size_t n)
{
    size_t line_length;
    for (size_t at = 0; at < n; at += line_length) {
        const char *end = memchr(text + at, '\n', n - at);
        line_length = end ? (size_t)(end - (text + at)) + 1 : n - at;
        r->line++;
        if (!r->row_open) {
            r->row_line = r->line;
            r->row_open = !is_blank(text + at, line_length);
        }
        if (csv_parse(parser, text + at, line_length, on_cell, on_row, r) != line_length)
            return syntax_error(r, parser);
        TRY(r->rc);
    }
    if (csv_fini(parser, on_cell, on_row, r) != 0)
        return syntax_error(r, parser);
    return r->rc;
}

/* Points rows at the cells, which stand in `text` one after the other. */
static int build_table(struct reader *r, struct csv_table *ret)
{
    size_t n_cells = r->n_rows * r->n_cols;
    struct table_memory *m = calloc(1, sizeof *m);
    char **cells = calloc(n_cells + 1, sizeof *cells);
    char ***rows = calloc(r->n_rows, sizeof *rows);
    char *text = strbuf_detach(&r->cells);
    if (!m || !cells || !rows || !text) {
        free(m);
        free(cells);
        free(rows);
        free(text);
        return error_nomem(r->err);
    }
    *m = (struct table_memory){text, cells, rows, r->lines};
    r->lines = NULL;
    char *p = text;
    for (size_t i = 0; i < n_cells; i++, p += strlen(p) + 1)
        cells[i] = p;
    for (size_t i = 0; i + 1 < r->n_rows; i++)
        rows[i] = cells + (i + 1) * r->n_cols;
    *ret = (struct csv_table){r->n_rows - 1, r->n_cols, cells, rows, m->lines + 1, m};
    return 0;
}

int csv_parse_text(const char *name, const char *text, size_t n, struct csv_table *ret,
                   struct error *err)
{
    struct csv_parser parser;
    struct reader r = {.name = name, .err = err};
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark is no header text */
        text += 3;
        n -= 3;
    }
    if (n > 0 && memchr(text, '\0', n))
        return error_set(err, ERR_INVALID, "%s: contains a zero byte; is it a CSV file?", name);
    if (csv_init(&parser, CSV_STRICT | CSV_STRICT_FINI) != 0)
        return error_nomem(err);
    strbuf_init(&r.cells);
    int rc = feed(&r, &parser, text, n);
    if (rc == 0 && r.n_rows == 0)
        rc = error_set(err, ERR_INVALID, "%s: empty; expected a header line", name);
    if (rc == 0)
        rc = build_table(&r, ret);
    strbuf_release(&r.cells);
    free(r.lines);
    csv_free(&parser);
    return rc;
}

int csv_read(const char *path, size_t max_bytes, struct csv_table *ret, struct error *err)
{
    char *text = NULL;
    size_t n = 0;
    TRY(fs_read(path, max_bytes, &text, &n, err));
    int rc = csv_parse_text(path, text, n, ret, err);
    free(text);
    return rc;
}

void csv_release(struct csv_table *t)
{
    struct table_memory *m = t->memory;
    if (m) {
        free(m->text);
        free(m->cells);
        free(m->rows);
        free(m->lines);
        free(m);
    }
    *t = (struct csv_table){0};
}

int csv_column(const struct csv_table *t, const char *name)
{
    for (size_t i = 0; i < t->n_cols; i++)
        if (strcmp(t->header[i], name) == 0)
            return (int)i;
    return -1;
}
