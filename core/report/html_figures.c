#include "html_figures.h"

#include <stdlib.h>
#include <string.h>

#include "csv.h"
#include "fs.h"
#include "html_text.h"

struct figure_row {
    const char *name, *kind, *scenario, *text;
    bool drawn, varies;
};

static const char *cell(const struct csv_table *t, size_t row, const char *column)
{
    int c = csv_column(t, column);
    return c < 0 ? "" : t->row[row][c];
}

static struct figure_row row_of(const struct csv_table *t, size_t i)
{
    return (struct figure_row){.name = cell(t, i, "figure"),
                               .kind = cell(t, i, "kind"),
                               .scenario = cell(t, i, "scenario"),
                               .text = cell(t, i, "text"),
                               .drawn = strcmp(cell(t, i, "drawn"), "yes") == 0,
                               .varies = strcmp(cell(t, i, "varies"), "yes") == 0};
}

static void add_attribute(struct strbuf *out, const char *name, const char *value)
{
    strbuf_addf(out, " %s=\"", name);
    html_escape(out, value);
    strbuf_addc(out, '"');
}

static void add_link(struct strbuf *out, const struct figure_row *f, const char *ending)
{
    strbuf_adds(out, "<a href=\"figures/");
    html_escape(out, f->name);
    strbuf_addf(out, ".%s\">%s</a>", ending, ending);
}

/* The picture, or a reference to it. */
static void add_picture(struct strbuf *out, const struct figure_row *f, const char *svg,
                        size_t index)
{
    struct strbuf prefix;
    strbuf_init(&prefix);
    strbuf_addf(&prefix, "f%zu-", index);
    if (f->varies || !html_inline_svg(svg, prefix.s, out)) {
        strbuf_adds(out, "<img loading=\"lazy\" src=\"figures/");
        html_escape(out, f->name);
        strbuf_adds(out, ".svg\"");
        add_attribute(out, "alt", f->text);
        strbuf_addc(out, '>');
    }
    out->failed |= prefix.failed;
    strbuf_release(&prefix);
}

static int add_figure(const struct report_options *options, const struct figure_row *f,
                      size_t index, struct strbuf *out, struct error *err)
{
    struct strbuf path;
    char *svg = NULL;
    size_t n;
    strbuf_init(&path);
    strbuf_addf(&path, "%s/figures/%s.svg", options->out_dir, f->name);
    int rc = path.failed ? error_nomem(err) : 0;
    bool there = rc == 0 && options->svg && fs_exists(path.s);
    if (there)
        rc = fs_read(path.s, 64 << 20, &svg, &n, err);
    if (rc == 0 && there) {
        strbuf_adds(out, "<figure");
        add_attribute(out, "data-kind", f->kind);
        add_attribute(out, "data-scenario", f->scenario);
        strbuf_adds(out, "><div class=\"picture\">");
        add_picture(out, f, svg, index);
        strbuf_adds(out, "</div><figcaption>");
        html_escape(out, f->text);
        strbuf_adds(out, " <span class=\"files\">");
        add_link(out, f, "svg");
        strbuf_adds(out, " ");
        add_link(out, f, "csv");
        strbuf_adds(out, "</span></figcaption></figure>\n");
    }
    free(svg);
    strbuf_release(&path);
    return rc;
}

static void add_reasons(const struct csv_table *t, struct strbuf *out)
{
    bool begun = false;
    for (size_t i = 0; i < t->n_rows; i++) {
        struct figure_row f = row_of(t, i);
        if (f.drawn)
            continue;
        strbuf_adds(out, begun ? "" : "<details><summary>Figures not drawn</summary><ul>\n");
        begun = true;
        strbuf_adds(out, "<li>");
        html_escape(out, f.kind);
        strbuf_adds(out, *f.scenario ? ", " : "");
        html_escape(out, f.scenario);
        strbuf_adds(out, ": ");
        html_escape(out, f.text);
        strbuf_adds(out, "</li>\n");
    }
    strbuf_adds(out, begun ? "</ul></details>\n" : "");
}

int html_figures(const struct report_options *options, struct strbuf *out, struct error *err)
{
    struct csv_table t = {0};
    char *path = fs_join(options->out_dir, "figures/figures.csv");
    int rc = path ? 0 : error_nomem(err);
    if (rc == 0 && options->figures && fs_exists(path)) {
        rc = csv_read(path, 16 << 20, &t, err);
        for (size_t i = 0; rc == 0 && i < t.n_rows; i++) {
            struct figure_row f = row_of(&t, i);
            if (f.drawn)
                rc = add_figure(options, &f, i + 1, out, err);
        }
        if (rc == 0)
            add_reasons(&t, out);
        csv_release(&t);
    }
    free(path);
    return rc;
}
