#include "figure.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cells.h"
#include "figure_parts.h"
#include "fs.h"
#include "gnuplot.h"
#include "labels.h"
#include "pdf_date.h"
#include "text.h"

void figure_init(struct figure *f, const char *kind)
{
    *f = (struct figure){.kind = kind};
    strbuf_init(&f->name);
    strbuf_init(&f->settings);
    strbuf_init(&f->caption);
    csv_writer_init(&f->data);
}

void figure_release(struct figure *f)
{
    strbuf_release(&f->name);
    strbuf_release(&f->settings);
    strbuf_release(&f->caption);
    csv_writer_release(&f->data);
}

void figure_name(struct figure *f, const char *part)
{
    if (f->name.len)
        strbuf_addc(&f->name, '-');
    label_file_name(&f->name, part);
}

/* 'label', cut; in single quotes only ' itself is special. width 0: not cut. */
static void add_quoted(struct figure *f, const char *label, unsigned width)
{
    struct strbuf cut;
    strbuf_init(&cut);
    if (width)
        cells_cut(&cut, label, width);
    else
        strbuf_adds(&cut, label);
    strbuf_addc(&f->settings, '\'');
    for (const char *p = cut.s; *p; p++)
        strbuf_add(&f->settings, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
    strbuf_addc(&f->settings, '\'');
    f->settings.failed |= cut.failed;
    strbuf_release(&cut);
}

void figure_title(struct figure *f, size_t index, const char *label, unsigned width)
{
    unsigned narrow = width - width / 3;
    strbuf_addf(&f->settings, "title_of[%zu] = ", index);
    if (cells_width(label) > narrow) {
        strbuf_adds(&f->settings, "narrow ? ");
        add_quoted(f, label, narrow);
        strbuf_adds(&f->settings, " : ");
    }
    add_quoted(f, label, width);
    strbuf_addc(&f->settings, '\n');
}

void figure_key(struct figure *f, size_t index, const char *label, unsigned width)
{
    strbuf_addf(&f->settings, "title_of[%zu] = ", index);
    add_quoted(f, label, width);
    strbuf_addc(&f->settings, '\n');
}

void figure_text(struct figure *f, const char *name, const char *label)
{
    strbuf_addf(&f->settings, "%s = ", name);
    add_quoted(f, label, 0);
    strbuf_addc(&f->settings, '\n');
}

void figure_header(struct figure *f, const char *const *names)
{
    for (; *names; names++)
        csv_cell(&f->data, *names);
    csv_end_row(&f->data);
}

void figure_number(struct figure *f, const char *name, double v)
{
    strbuf_addf(&f->settings, "%s = ", name);
    strbuf_add_double(&f->settings, v);
    strbuf_addc(&f->settings, '\n');
}

/* ---- scripts ---- */

struct replacement {
    const char *key;
    const char *text;
};

/* Appends text with every @KEY@ replaced; a key that is not known is an error. */
static int expand(const char *path, const char *text, const struct replacement *known, size_t n,
                  struct strbuf *out, struct error *err)
{
    for (const char *p = text; *p;) {
        size_t plain = strcspn(p, "@"), key;
        strbuf_add(out, p, plain);
        p += plain;
        if (*p == '\0')
            break;
        key = strspn(++p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        size_t i = 0;
        while (i < n && !(strlen(known[i].key) == key && strncmp(known[i].key, p, key) == 0))
            i++;
        if (i == n || p[key] != '@')
            return error_set(err, ERR_ENVIRONMENT, "%s: unknown word @%.*s@; install Lethe anew",
                             path, (int)key, p);
        strbuf_adds(out, known[i].text);
        p += key + 1;
    }
    return 0;
}

static int add_template(const struct figure_place *place, const char *kind,
                        const struct replacement *known, size_t n, struct strbuf *out,
                        struct error *err)
{
    struct strbuf path;
    char *text = NULL;
    size_t n_text;
    strbuf_init(&path);
    strbuf_addf(&path, "%s/%s.gp.in", place->templates, kind);
    int rc = path.failed ? error_nomem(err) : fs_read(path.s, 1 << 20, &text, &n_text, err);
    if (rc < 0)
        error_prefix(err, "a template of the figures");
    else
        rc = expand(path.s, text, known, n, out, err);
    free(text);
    strbuf_release(&path);
    return rc;
}

/* Colours that the suite gives to methods (report.names), by style as figure_style counts. */
static void add_colours(const struct results *r, struct strbuf *out)
{
    strbuf_adds(out, "custom(i) = ");
    for (size_t i = 0; r && i < r->n_names; i++)
        if (r->name[i].kind == NAME_METHOD && *r->name[i].colour)
            strbuf_addf(out, "i == %d ? \"%s\" : ", figure_style(r, r->name[i].key),
                        r->name[i].colour);
    strbuf_adds(out, "\"\"\n");
}

static int make_script(const struct figure *f, const struct figure_place *place, struct strbuf *out,
                       struct error *err)
{
    struct strbuf settings;
    const double sizes[] = {f->width, f->height, f->one_width > 0 ? f->one_width : f->width,
                            f->one_height > 0 ? f->one_height : f->height};
    char text[4][32];
    for (size_t i = 0; i < 4; i++)
        text_from_double(sizes[i], text[i]);
    strbuf_init(&settings);
    add_colours(place->results, &settings);
    strbuf_adds(&settings, f->settings.s);
    const struct replacement known[] = {{"NAME", f->name.s},       {"WIDTH", text[0]},
                                        {"HEIGHT", text[1]},       {"NARROWWIDTH", text[2]},
                                        {"NARROWHEIGHT", text[3]}, {"SETTINGS", settings.s}};
    size_t n = sizeof(known) / sizeof(known[0]);
    int rc = add_template(place, "head", known, n, out, err);
    if (rc == 0)
        rc = add_template(place, f->kind, known, n, out, err);
    if (rc == 0 && (out->failed || settings.failed || f->settings.failed))
        rc = error_nomem(err);
    strbuf_release(&settings);
    return rc;
}

static int save(const struct figure *f, const struct figure_place *place, const char *ending,
                const char *bytes, size_t n, struct error *err)
{
    struct strbuf path;
    strbuf_init(&path);
    strbuf_addf(&path, "%s/%s%s", place->dir, f->name.s, ending);
    int rc = path.failed ? error_nomem(err) : fs_write_atomic(path.s, bytes, n, err);
    strbuf_release(&path);
    return rc;
}

/* ---- pictures ---- */

/* Files of one format. cairolatex writes the text as NAME-latex.tex, which reads the picture
 * NAME-latex.pdf; the pictures of the others are one file. */
struct format {
    const char *name;
    const char *file[2]; /* endings of the files that gnuplot makes; NULL: no second one */
};
static const struct format formats[] = {{"svg", {".svg", NULL}},
                                        {"pdf", {".pdf", NULL}},
                                        {"png", {".png", NULL}},
                                        {"cairolatex", {"-latex.tex", "-latex.pdf"}}};
enum { N_FORMATS = sizeof(formats) / sizeof(formats[0]) };

static bool wants(const struct report_options *o, size_t format)
{
    const bool wanted[N_FORMATS] = {o->svg, o->pdf, o->choice && o->choice->png,
                                    o->choice && o->choice->latex};
    return wanted[format];
}

/* The text of cairolatex names its picture by the name that gnuplot drew it under. */
static int drop_prefix(char **bytes, size_t *n, const char *prefix, struct error *err)
{
    struct strbuf out;
    size_t length = strlen(prefix);
    strbuf_init(&out);
    for (const char *p = *bytes; p < *bytes + *n;)
        if (strncmp(p, prefix, length) == 0)
            p += length;
        else
            strbuf_addc(&out, *p++);
    free(*bytes);
    *n = out.len;
    *bytes = strbuf_detach(&out);
    return *bytes ? 0 : error_nomem(err);
}

/* gnuplot draws beside the final name; the picture takes its place in one step. */
static int adopt(const struct figure *f, const struct figure_place *place, const char *prefix,
                 const char *ending, struct error *err)
{
    char *bytes = NULL, *drawn = text_format("%s/%s%s%s", place->dir, prefix, f->name.s, ending);
    size_t n = 0;
    int rc = drawn ? fs_read(drawn, 256 << 20, &bytes, &n, err) : error_nomem(err);
    if (rc == 0 && n == 0)
        rc = error_set(err, ERR_ENVIRONMENT, "%s/%s.gp: gnuplot drew nothing", place->dir,
                       f->name.s);
    if (rc == 0 && text_ends(ending, ".tex"))
        rc = drop_prefix(&bytes, &n, prefix, err);
    if (rc == 0) {
        pdf_date_clear(bytes, n);
        rc = save(f, place, ending, bytes, n, err);
    }
    if (drawn)
        unlink(drawn);
    free(bytes);
    free(drawn);
    return rc;
}

/* The files of one format, in one width: "" or "-narrow". */
static int adopt_format(const struct figure *f, const struct figure_place *place,
                        const char *prefix, const struct format *format, const char *width,
                        struct error *err)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < 2 && format->file[i]; i++) {
        char *ending = text_format("%s%s", width, format->file[i]);
        rc = ending ? adopt(f, place, prefix, ending, err) : error_nomem(err);
        free(ending);
    }
    return rc;
}

/* One gnuplot for the formats named (blank between), in one width. */
static int draw(const struct figure *f, const struct figure_place *place, const char *names,
                bool narrow, struct error *err)
{
    char *prefix = text_format("drawing-%d-", (int)getpid());
    char *expression = text_format("formats = '%s'; prefix = 'drawing-%d-'; narrow = %d", names,
                                   (int)getpid(), narrow);
    char *script = text_format("%s.gp", f->name.s);
    bool ok = prefix && expression && script;
    int rc = ok ? gnuplot_run(place->dir, expression, script, err) : error_nomem(err);
    for (size_t i = 0; ok && i < N_FORMATS; i++) {
        if (!strstr(names, formats[i].name))
            continue;
        struct error later = ERROR_INIT; /* a half-drawn file is taken away in any case */
        int adopted = adopt_format(f, place, prefix, &formats[i], narrow ? "-narrow" : "",
                                   rc < 0 ? &later : err);
        rc = rc < 0 ? rc : adopted;
    }
    free(prefix);
    free(expression);
    free(script);
    return rc;
}

/* All formats at once; if that fails each alone, so that a format which this gnuplot lacks costs
 * only itself. */
static int draw_width(const struct figure *f, struct figure_place *place, bool narrow,
                      struct error *err)
{
    struct strbuf all;
    struct error why = ERROR_INIT;
    size_t n = 0;
    strbuf_init(&all);
    for (size_t i = 0; i < N_FORMATS; i++)
        if (wants(place->options, i))
            strbuf_addf(&all, "%s%s", n++ ? " " : "", formats[i].name);
    int rc = all.failed ? error_nomem(err) : 0;
    if (rc == 0 && n && !gnuplot_is_missing(&place->first) &&
        draw(f, place, all.s, narrow, &why) < 0) {
        if (place->first.code == 0)
            place->first = why;
        for (size_t i = 0; n > 1 && i < N_FORMATS && !gnuplot_is_missing(&why); i++)
            if (wants(place->options, i))
                draw(f, place, formats[i].name, narrow, &why);
    }
    strbuf_release(&all);
    return rc;
}

int figure_write(struct figure *f, struct figure_place *place, struct error *err)
{
    const struct report_choice *choice = place->options->choice;
    struct strbuf script;
    if (f->data.out.failed || f->name.failed || f->caption.failed)
        return error_nomem(err);
    strbuf_init(&script);
    int rc = make_script(f, place, &script, err);
    if (rc == 0)
        rc = save(f, place, ".csv", f->data.out.s, f->data.out.len, err);
    if (rc == 0)
        rc = save(f, place, ".gp", script.s, script.len, err);
    strbuf_release(&script);
    if (rc == 0)
        rc = figure_list_add(&place->list, f->name.s, f->caption.s, err);
    if (rc == 0 && (!choice || choice->two_columns))
        rc = draw_width(f, place, false, err);
    if (rc == 0 && choice && choice->one_column)
        rc = draw_width(f, place, true, err);
    return rc;
}
