/* npy_header.c: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } and nothing else:
 * three keys in any order, as numpy.lib.format describes it. */
#include "npy_header.h"

#include <string.h>

struct cursor {
    const char *at, *end;
};

static void skip_blanks(struct cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n'))
        c->at++;
}

static bool take(struct cursor *c, char wanted)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

/* A quoted string without escapes of at most size - 1 characters. */
static bool take_string(struct cursor *c, char *out, size_t size)
{
    skip_blanks(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    char quote = *c->at++;
    const char *close = memchr(c->at, quote, (size_t)(c->end - c->at));
    size_t n = close ? (size_t)(close - c->at) : 0;
    if (!close || n >= size || memchr(c->at, '\\', n) || memchr(c->at, '\0', n))
        return false;
    memcpy(out, c->at, n);
    out[n] = '\0';
    c->at = close + 1;
    return true;
}

static bool take_word(struct cursor *c, const char *word)
{
    size_t n = strlen(word);
    skip_blanks(c);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n) != 0)
        return false;
    c->at += n;
    return true;
}

static bool take_bool(struct cursor *c, bool *ret)
{
    *ret = take_word(c, "True");
    return *ret || take_word(c, "False");
}

static bool take_size(struct cursor *c, size_t *ret)
{
    skip_blanks(c);
    const char *start = c->at;
    size_t v = 0;
    for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
        if (__builtin_mul_overflow(v, (size_t)10, &v) ||
            __builtin_add_overflow(v, (size_t)(*c->at - '0'), &v))
            return false;
    *ret = v;
    return c->at > start;
}

/* (), (3,) or (3, 4); a lone number in brackets is no tuple. */
static bool take_shape(struct cursor *c, struct npy_header *h)
{
    if (!take(c, '('))
        return false;
    bool comma = true;
    while (!take(c, ')')) {
        if (!comma || h->n_dim == NPY_MAX_DIM || !take_size(c, &h->dim[h->n_dim]))
            return false;
        h->n_dim++;
        comma = take(c, ',');
    }
    return comma || h->n_dim != 1;
}

static bool take_entry(struct cursor *c, struct npy_header *h, unsigned *seen)
{
    static const char *const names[] = {"descr", "fortran_order", "shape"};
    char key[16];
    if (!take_string(c, key, sizeof key) || !take(c, ':'))
        return false;
    unsigned k = 0;
    while (k < 3 && strcmp(key, names[k]) != 0)
        k++;
    if (k == 3 || (*seen & 1u << k))
        return false;
    *seen |= 1u << k;
    if (k == 0)
        return take_string(c, h->descr, sizeof h->descr);
    return k == 1 ? take_bool(c, &h->fortran_order) : take_shape(c, h);
}

static bool parse(struct cursor *c, struct npy_header *h)
{
    unsigned seen = 0;
    bool comma = true;
    if (!take(c, '{'))
        return false;
    while (!take(c, '}')) {
        if (!comma || !take_entry(c, h, &seen))
            return false;
        comma = take(c, ',');
    }
    skip_blanks(c);
    return seen == 7 && c->at == c->end;
}

int npy_header_parse(const char *path, const char *text, size_t n, struct npy_header *ret,
                     struct error *err)
{
    struct npy_header h = {0};
    struct cursor c = {text, text + n};
    if (!parse(&c, &h)) {
        size_t shown = n < 80 ? n : 80;
        char excerpt[81];
        for (size_t i = 0; i < shown; i++)
            excerpt[i] = text[i] >= 32 && text[i] < 127 ? text[i] : '?';
        excerpt[shown] = '\0';
        return error_set(err, ERR_INVALID, "%s: a header that cannot be read: %s", path, excerpt);
    }
    *ret = h;
    return 0;
}
