#include "tex.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "text.h"

static const struct {
    char c;
    const char *latex;
} specials[] = {
    {'\\', "\\textbackslash{}"},
    {'{', "\\{"},
    {'}', "\\}"},
    {'$', "\\$"},
    {'&', "\\&"},
    {'#', "\\#"},
    {'%', "\\%"},
    {'_', "\\_"},
    {'^', "\\textasciicircum{}"},
    {'~', "\\textasciitilde{}"},
    {'<', "\\textless{}"},
    {'>', "\\textgreater{}"},
    {'"', "\\textquotedbl{}"},
    {'|', "\\textbar{}"},
};

void tex_escape(struct strbuf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        size_t i = 0, n = sizeof(specials) / sizeof(specials[0]);
        while (i < n && specials[i].c != *p)
            i++;
        if (i < n)
            strbuf_adds(out, specials[i].latex);
        else
            strbuf_addc(out, (unsigned char)*p < 0x20 || *p == 0x7f ? ' ' : *p);
    }
}

void tex_table_begin(struct tex_table *t, const char *columns, const char *source)
{
    *t = (struct tex_table){.n_columns = strlen(columns)};
    strbuf_init(&t->tex);
    strbuf_init(&t->notes);
    csv_writer_init(&t->csv);
    strbuf_addf(&t->tex,
                "%% Made by Lethe from %s; needs \\usepackage{booktabs}.\n"
                "%% The commands \\lethe... may be defined otherwise before this file is read.\n"
                "\\providecommand{\\lethecell}[3]{\\begin{tabular}[t]{@{}c@{}}#1 (#2)\\\\[-3pt]"
                "{\\tiny #3}\\end{tabular}}\n"
                "\\providecommand{\\lethevalue}[2]{#1 (#2)}\n"
                "\\providecommand{\\lethebest}[1]{\\textbf{#1}}\n"
                "\\providecommand{\\lethesecond}[1]{\\underline{#1}}\n"
                "\\providecommand{\\lethecite}[1]{~\\cite{#1}}\n"
                "\\begin{tabular}{%s}\n\\toprule\n",
                source, columns);
}

void tex_table_release(struct tex_table *t)
{
    strbuf_release(&t->tex);
    strbuf_release(&t->notes);
    csv_writer_release(&t->csv);
}

void tex_cell_raw(struct tex_table *t, const char *latex)
{
    strbuf_addf(&t->tex, "%s%s", t->in_row++ ? " & " : "", latex);
}

void tex_cell(struct tex_table *t, const char *text)
{
    strbuf_adds(&t->tex, t->in_row++ ? " & " : "");
    tex_escape(&t->tex, text);
}

void tex_cell_number(struct tex_table *t, double v, int digits)
{
    char text[48];
    snprintf(text, sizeof(text), "%.*f", digits, v);
    tex_cell_raw(t, isnan(v) ? "n/a" : text);
}

void tex_end_row(struct tex_table *t)
{
    strbuf_adds(&t->tex, " \\\\\n");
    t->in_row = 0;
}

void tex_rule(struct tex_table *t)
{
    strbuf_adds(&t->tex, "\\midrule\n");
}

void tex_block(struct tex_table *t, const char *title)
{
    strbuf_addf(&t->tex, "\\midrule\n\\multicolumn{%zu}{l}{\\textit{", t->n_columns);
    tex_escape(&t->tex, title);
    strbuf_adds(&t->tex, "}} \\\\\n");
}

void tex_note(struct tex_table *t, const char *text)
{
    strbuf_adds(&t->notes, t->notes.len ? "\\\\\n" : "");
    tex_escape(&t->notes, text);
}

static int save_tex(struct tex_table *t, const char *dir, const char *name, struct error *err)
{
    strbuf_adds(&t->tex, "\\bottomrule\n\\end{tabular}\n");
    if (t->notes.len)
        strbuf_addf(&t->tex, "\\par\\smallskip\n{\\raggedright\\footnotesize %s\\par}\n",
                    t->notes.s);
    char *path = text_format("%s/%s.tex", dir, name);
    bool ok = path && !t->tex.failed && !t->notes.failed;
    int rc = ok ? fs_write_atomic(path, t->tex.s, t->tex.len, err) : error_nomem(err);
    free(path);
    return rc;
}

int tex_table_save(struct tex_table *t, const char *dir, const char *name, struct error *err)
{
    int rc = save_tex(t, dir, name, err);
    char *path = text_format("%s/%s.csv", dir, name);
    if (rc == 0)
        rc = path ? csv_writer_save(&t->csv, path, err) : error_nomem(err);
    free(path);
    tex_table_release(t);
    return rc;
}
