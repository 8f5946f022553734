/* json_text.c: documents to text. jansson does the strings and the order; only its numbers,
 * always 17 digits, are not for people ("0.10000000000000001"). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs.h"
#include "json.h"
#include "strbuf.h"

struct printer {
    struct strbuf out;
    bool indent;
};

static void print_value(struct printer *p, const json_t *v, unsigned depth);

static void new_line(struct printer *p, unsigned depth)
{
    if (!p->indent)
        return;
    strbuf_addc(&p->out, '\n');
    while (depth-- > 0)
        strbuf_adds(&p->out, "  ");
}

static int append(const char *bytes, size_t n, void *out)
{
    strbuf_add(out, bytes, n);
    return 0;
}

static void print_string(struct printer *p, const char *s)
{
    json_t *v = json_string(s);
    if (!v || json_dump_callback(v, append, &p->out, JSON_ENCODE_ANY) != 0)
        p->out.failed = true;
    json_decref(v);
}

/* A real keeps a point or an exponent, so that it is a real again when it is read. */
static void print_real(struct printer *p, double v)
{
    size_t start = p->out.len;
    strbuf_add_double(&p->out, v);
    if (!strpbrk(p->out.s + start, ".e"))
        strbuf_adds(&p->out, ".0");
}

static int by_key(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_object(struct printer *p, const json_t *o, unsigned depth)
{
    size_t n = json_object_size(o), i = 0;
    const char **keys = malloc((n + 1) * sizeof *keys);
    if (!keys) {
        p->out.failed = true;
        return;
    }
    for (void *it = json_object_iter((json_t *)o); it; it = json_object_iter_next((json_t *)o, it))
        keys[i++] = json_object_iter_key(it);
    qsort(keys, n, sizeof *keys, by_key);
    strbuf_addc(&p->out, '{');
    for (i = 0; i < n; i++) {
        if (i > 0)
            strbuf_addc(&p->out, ',');
        new_line(p, depth + 1);
        print_string(p, keys[i]);
        strbuf_adds(&p->out, p->indent ? ": " : ":");
        print_value(p, json_object_get(o, keys[i]), depth + 1);
    }
    if (n > 0)
        new_line(p, depth);
    strbuf_addc(&p->out, '}');
    free(keys);
}

static void print_array(struct printer *p, const json_t *a, unsigned depth)
{
    size_t n = json_array_size(a);
    strbuf_addc(&p->out, '[');
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_array_get(a, i);
        bool line = json_is_object(v) || json_is_array(v); /* rows of numbers stay on one line */
        if (i > 0)
            strbuf_adds(&p->out, p->indent && !line ? ", " : ",");
        if (line)
            new_line(p, depth + 1);
        print_value(p, v, depth + 1);
    }
    if (n > 0 &&
        (json_is_object(json_array_get(a, n - 1)) || json_is_array(json_array_get(a, n - 1))))
        new_line(p, depth);
    strbuf_addc(&p->out, ']');
}

static void print_value(struct printer *p, const json_t *v, unsigned depth)
{
    if (json_is_object(v))
        print_object(p, v, depth);
    else if (json_is_array(v))
        print_array(p, v, depth);
    else if (json_is_string(v))
        print_string(p, json_string_value(v));
    else if (json_is_integer(v))
        strbuf_addf(&p->out, "%" PRIdMAX, (intmax_t)json_integer_value(v));
    else if (json_is_real(v))
        print_real(p, json_real_value(v));
    else
        strbuf_adds(&p->out, json_is_true(v) ? "true" : json_is_false(v) ? "false" : "null");
}

int json_write_file(const char *path, const json_t *value, struct error *err)
{
    struct printer p = {.indent = true};
    strbuf_init(&p.out);
    print_value(&p, value, 0);
    strbuf_addc(&p.out, '\n');
    int rc = p.out.failed ? error_nomem(err) : fs_write_atomic(path, p.out.s, p.out.len, err);
    strbuf_release(&p.out);
    return rc;
}

char *json_canonical(const json_t *value)
{
    struct printer p = {.indent = false};
    strbuf_init(&p.out);
    print_value(&p, value, 0);
    return strbuf_detach(&p.out);
}
