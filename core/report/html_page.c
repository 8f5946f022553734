#include "html_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "hash.h"
#include "html_data.h"
#include "html_figures.h"

/* Scripts in the order in which they stand in the page. */
static const char *const scripts[] = {"page_text.js", "page_board.js", "page_method.js",
                                      "page_start.js", NULL};

struct page {
    char *templates;
    struct strbuf script, figures, title, policy;
    char *style;
    struct html_json data;
};

static int read_template(const struct page *p, const char *name, char **ret, struct error *err)
{
    size_t n;
    char *path = fs_join(p->templates, name);
    int rc = path ? fs_read(path, 1 << 20, ret, &n, err) : error_nomem(err);
    if (rc < 0)
        error_prefix(err, "a template of the page");
    free(path);
    return rc;
}

static unsigned nibble(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* The bytes that hexadecimal digits stand for, in base 64 (RFC 4648): six bits a letter. */
static void add_base64(struct strbuf *out, const char *hex)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t n = strlen(hex), at = 0;
    for (; at < n; at += 6) {
        unsigned bits = 0;
        for (size_t k = 0; k < 6; k++)
            bits = bits << 4 | (at + k < n ? nibble(hex[at + k]) : 0);
        size_t letters = at + 6 <= n ? 4 : (4 * (n - at) + 5) / 6;
        for (size_t k = 0; k < 4; k++)
            strbuf_addc(out, k < letters ? digits[bits >> (18 - 6 * k) & 63] : '=');
    }
}

/* The page runs its own script and nothing else, and loads nothing from anywhere: the browser is
 * told so (Content Security Policy level 2, hash sources). */
static void add_policy(struct page *p)
{
    char hex[HASH_HEX_SIZE];
    hash_bytes(p->script.s, p->script.len, hex);
    strbuf_adds(&p->policy,
                "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' file: data:; "
                "base-uri 'none'; form-action 'none'; script-src 'sha256-");
    add_base64(&p->policy, hex);
    strbuf_adds(&p->policy, "'");
}

static int add_scripts(struct page *p, struct error *err)
{
    strbuf_adds(&p->script, "\"use strict\";\n");
    for (size_t i = 0; scripts[i]; i++) {
        char *text = NULL;
        TRY(read_template(p, scripts[i], &text, err));
        strbuf_adds(&p->script, text);
        free(text);
    }
    add_policy(p);
    return 0;
}

/* Replaces the first "<!--KEY-->" of each key, in the order in which they stand in the template. */
static int expand(const char *text, const char *const *keys, const char *const *values, size_t n,
                  struct strbuf *out, struct error *err)
{
    char mark[32];
    for (size_t i = 0; i < n; i++) {
        snprintf(mark, sizeof(mark), "<!--%s-->", keys[i]);
        const char *at = strstr(text, mark);
        if (!at)
            return error_set(err, ERR_ENVIRONMENT,
                             "page.html.in: %s is missing; install Lethe anew", mark);
        strbuf_add(out, text, (size_t)(at - text));
        strbuf_adds(out, values[i]);
        text = at + strlen(mark);
    }
    strbuf_adds(out, text);
    return 0;
}

static int write_page(const struct page *p, const struct report_options *options, struct error *err)
{
    static const char *const keys[] = {"POLICY",  "TITLE", "STYLE", "TITLE",
                                       "FIGURES", "DATA",  "SCRIPT"};
    const char *const values[] = {p->policy.s,  p->title.s,    p->style,   p->title.s,
                                  p->figures.s, p->data.out.s, p->script.s};
    struct strbuf out;
    char *frame = NULL, *path = fs_join(options->out_dir, "index.html");
    strbuf_init(&out);
    int rc = path ? read_template(p, "page.html.in", &frame, err) : error_nomem(err);
    if (rc == 0)
        rc = expand(frame, keys, values, sizeof(keys) / sizeof(keys[0]), &out, err);
    if (rc == 0 && (out.failed || p->policy.failed || p->title.failed || p->figures.failed ||
                    p->data.out.failed || p->script.failed))
        rc = error_nomem(err);
    if (rc == 0)
        rc = fs_write_atomic(path, out.s, out.len, err);
    free(frame);
    free(path);
    strbuf_release(&out);
    return rc;
}

static void page_init(struct page *p)
{
    char *program = fs_program_dir();
    *p = (struct page){.templates = program ? fs_join(program, "../share/lethe/reports") : NULL};
    free(program);
    strbuf_init(&p->script);
    strbuf_init(&p->figures);
    strbuf_init(&p->title);
    strbuf_init(&p->policy);
    html_json_init(&p->data);
}

static void page_release(struct page *p)
{
    strbuf_release(&p->script);
    strbuf_release(&p->figures);
    strbuf_release(&p->title);
    strbuf_release(&p->policy);
    html_json_release(&p->data);
    free(p->style);
    free(p->templates);
}

int html_page_write(const struct board *b, const struct report_options *options, struct error *err)
{
    struct page p;
    page_init(&p);
    int rc = p.templates ? 0 : error_nomem(err);
    if (rc == 0)
        rc = read_template(&p, "page.css", &p.style, err);
    if (rc == 0)
        rc = add_scripts(&p, err);
    if (rc == 0)
        rc = html_figures(options, &p.figures, err);
    if (rc == 0) {
        html_escape(&p.title, b->results->suite);
        html_data(b, options, &p.data);
        rc = write_page(&p, options, err);
    }
    page_release(&p);
    return rc;
}
