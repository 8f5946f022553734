/* csv_writer.c: tables to text; libcsv's own writer quotes every cell. */
#include <inttypes.h>
#include <string.h>

#include "csv.h"
#include "fs.h"

void csv_writer_init(struct csv_writer *w)
{
    strbuf_init(&w->out);
    w->in_row = 0;
}

void csv_writer_release(struct csv_writer *w)
{
    strbuf_release(&w->out);
    w->in_row = 0;
}

static void next_cell(struct csv_writer *w)
{
    if (w->in_row++ > 0)
        strbuf_addc(&w->out, ',');
}

/* Readers trim blanks around unquoted cells, so those are quoted too. */
static bool needs_quotes(const char *s)
{
    size_t n = strlen(s);
    return strpbrk(s, ",\"\r\n") || (n > 0 && (strchr(" \t", s[0]) || strchr(" \t", s[n - 1])));
}

void csv_cell(struct csv_writer *w, const char *s)
{
    next_cell(w);
    if (!s)
        return;
    if (!needs_quotes(s)) {
        strbuf_adds(&w->out, s);
        return;
    }
    strbuf_addc(&w->out, '"');
    for (; *s; s++) {
        if (*s == '"')
            strbuf_addc(&w->out, '"');
        strbuf_addc(&w->out, *s);
    }
    strbuf_addc(&w->out, '"');
}

void csv_cell_double(struct csv_writer *w, double v)
{
    next_cell(w);
    strbuf_add_double(&w->out, v);
}

void csv_cell_int(struct csv_writer *w, int64_t v)
{
    next_cell(w);
    strbuf_addf(&w->out, "%" PRId64, v);
}

void csv_end_row(struct csv_writer *w)
{
    /* A lone empty cell would be a blank line, which readers skip. */
    if (w->in_row == 1 && (w->out.len == 0 || w->out.s[w->out.len - 1] == '\n'))
        strbuf_adds(&w->out, "\"\"");
    strbuf_addc(&w->out, '\n');
    w->in_row = 0;
}

int csv_writer_save(struct csv_writer *w, const char *path, struct error *err)
{
    if (w->out.failed)
        return error_nomem(err);
    return fs_write_atomic(path, w->out.s, w->out.len, err);
}
