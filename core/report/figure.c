#include "figure.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cells.h"
#include "fs.h"
#include "gnuplot.h"
#include "labels.h"
#include "pdf_date.h"

void figure_init(struct figure *f, const char *kind)
{
    *f = (struct figure){.kind = kind};
    strbuf_init(&f->name);
    strbuf_init(&f->settings);
    csv_writer_init(&f->data);
}

void figure_release(struct figure *f)
{
    strbuf_release(&f->name);
    strbuf_release(&f->settings);
    csv_writer_release(&f->data);
}

void figure_name(struct figure *f, const char *part)
{
    if (f->name.len)
        strbuf_addc(&f->name, '-');
    label_file_name(&f->name, part);
}

void figure_title(struct figure *f, size_t index, const char *label, unsigned width)
{
    struct strbuf cut;
    strbuf_init(&cut);
    cells_cut(&cut, label, width);
    strbuf_addf(&f->settings, "title_of[%zu] = '", index);
    for (const char *p = cut.s; *p; p++) /* in single quotes only ' itself is special */
        strbuf_add(&f->settings, *p == '\'' ? "''" : p, *p == '\'' ? 2 : 1);
    strbuf_adds(&f->settings, "'\n");
    f->settings.failed |= cut.failed;
    strbuf_release(&cut);
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

static int make_script(const struct figure *f, const struct figure_place *place, struct strbuf *out,
                       struct error *err)
{
    struct strbuf width, height;
    strbuf_init(&width);
    strbuf_init(&height);
    strbuf_add_double(&width, f->width);
    strbuf_add_double(&height, f->height);
    const struct replacement known[] = {
        {"NAME", f->name.s}, {"WIDTH", width.s}, {"HEIGHT", height.s}, {"SETTINGS", f->settings.s}};
    size_t n = sizeof(known) / sizeof(known[0]);
    int rc = add_template(place, "head", known, n, out, err);
    if (rc == 0)
        rc = add_template(place, f->kind, known, n, out, err);
    if (rc == 0 && (out->failed || width.failed || height.failed || f->settings.failed))
        rc = error_nomem(err);
    strbuf_release(&width);
    strbuf_release(&height);
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

/* gnuplot draws beside the final name; the picture takes its place in one step. */
static int adopt(const struct figure *f, const struct figure_place *place, const char *drawn,
                 const char *ending, struct error *err)
{
    char *bytes = NULL;
    size_t n = 0;
    int rc = fs_read(drawn, 256 << 20, &bytes, &n, err);
    if (rc == 0 && n == 0)
        rc = error_set(err, ERR_ENVIRONMENT, "%s/%s.gp: gnuplot drew nothing", place->dir,
                       f->name.s);
    if (rc == 0) {
        pdf_date_clear(bytes, n);
        rc = save(f, place, ending, bytes, n, err);
    }
    free(bytes);
    return rc;
}

/* One gnuplot for one format, so that a format which this gnuplot lacks costs only itself. */
static int draw(const struct figure *f, const struct figure_place *place, const char *format,
                struct error *err)
{
    struct strbuf expression, script, ending, drawn;
    strbuf_init(&expression);
    strbuf_init(&script);
    strbuf_init(&ending);
    strbuf_init(&drawn);
    strbuf_addf(&expression, "formats = '%s'; prefix = 'drawing-%d-'", format, (int)getpid());
    strbuf_addf(&script, "%s.gp", f->name.s);
    strbuf_addf(&ending, ".%s", format);
    strbuf_addf(&drawn, "%s/drawing-%d-%s.%s", place->dir, (int)getpid(), f->name.s, format);
    int rc = expression.failed || script.failed || ending.failed || drawn.failed
                 ? error_nomem(err)
                 : gnuplot_run(place->dir, expression.s, script.s, err);
    if (rc == 0)
        rc = adopt(f, place, drawn.s, ending.s, err);
    unlink(drawn.s);
    strbuf_release(&expression);
    strbuf_release(&script);
    strbuf_release(&ending);
    strbuf_release(&drawn);
    return rc;
}

int figure_write(struct figure *f, struct figure_place *place, struct error *err)
{
    const char *const formats[] = {place->options->svg ? "svg" : NULL,
                                   place->options->pdf ? "pdf" : NULL};
    struct strbuf script;
    if (f->data.out.failed || f->name.failed)
        return error_nomem(err);
    strbuf_init(&script);
    int rc = make_script(f, place, &script, err);
    if (rc == 0)
        rc = save(f, place, ".csv", f->data.out.s, f->data.out.len, err);
    if (rc == 0)
        rc = save(f, place, ".gp", script.s, script.len, err);
    strbuf_release(&script);
    for (size_t i = 0; rc == 0 && i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct error drawing = ERROR_INIT;
        if (!formats[i] || gnuplot_is_missing(&place->first))
            continue;
        if (draw(f, place, formats[i], &drawing) < 0 && place->first.code == 0)
            place->first = drawing;
    }
    return rc;
}
