/* idx.c: http://yann.lecun.com/exdb/mnist describes the format: two zero bytes, the element type,
 * the number of dimensions, the dimensions as big-endian 32-bit numbers, the elements. */
#include "idx.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "fs.h"
#include "text.h"

enum { TYPE_U8 = 0x08 };

/* No data set of this format comes near it; a header that claims more is damaged. */
static const uint64_t max_bytes = (uint64_t)1 << 31;

struct reader {
    const char *path;
    gzFile file;
    struct error *err;
};

/* gzread reports a file that ends too early only through gzerror. */
static int read_error(struct reader *r)
{
    int code = 0;
    const char *why = gzerror(r->file, &code);
    if (code == Z_ERRNO)
        return error_set(r->err, ERR_IO, "%s: cannot be read", r->path);
    if (code == Z_BUF_ERROR)
        return error_set(r->err, ERR_INVALID, "%s: truncated: the compressed data end too early",
                         r->path);
    return error_set(r->err, ERR_INVALID, "%s: damaged: %s", r->path, why);
}

/* Reads at most n bytes into out (NULL: into nowhere). */
static int read_some(struct reader *r, uint8_t *out, uint64_t n, uint64_t *ret_got)
{
    uint8_t drop[16384];
    uint64_t got = 0;
    while (got < n) {
        uint64_t want = n - got, most = out ? 1u << 20 : sizeof drop;
        int k = gzread(r->file, out ? out + got : drop, (unsigned)(want < most ? want : most));
        if (k < 0)
            return read_error(r);
        if (k == 0)
            break;
        got += (unsigned)k;
    }
    int code = 0;
    gzerror(r->file, &code);
    if (code != Z_OK && code != Z_STREAM_END)
        return read_error(r);
    *ret_got = got;
    return 0;
}

static uint32_t big_endian(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int read_header(struct reader *r, uint32_t want_dim, struct idx_array *a)
{
    uint8_t head[4 + 4 * 4];
    uint64_t got = 0, size = 4 + 4 * (uint64_t)want_dim;
    TRY(read_some(r, head, size, &got));
    if (gzdirect(r->file) && text_ends(r->path, ".gz"))
        return error_set(r->err, ERR_INVALID, "%s: not gzip-compressed in spite of its name",
                         r->path);
    uint32_t magic = got >= 4 ? big_endian(head) : 0, want = TYPE_U8 << 8 | want_dim;
    if (got >= 4 && magic != want)
        return error_set(r->err, ERR_INVALID,
                         "%s: not the expected IDX file: its magic number is 0x%08" PRIx32
                         ", expected 0x%08" PRIx32,
                         r->path, magic, want);
    if (got < size)
        return error_set(r->err, ERR_INVALID, "%s: truncated inside its header", r->path);
    a->n_dim = want_dim;
    for (uint32_t i = 0; i < want_dim; i++)
        a->dim[i] = big_endian(head + 4 + 4 * i);
    return 0;
}

/* Deflate makes at most 1032 bytes of one (RFC 1951: a match of 258 in two bits), so a small file
 * cannot promise much: refused before room is made for it. */
static int check_promise(struct reader *r, uint64_t all)
{
    int64_t size = fs_size(r->path);
    if (size >= 0 && all > 1032 * (uint64_t)size)
        return error_set(r->err, ERR_INVALID,
                         "%s: truncated: its header promises %" PRIu64
                         " bytes of data, the file has %" PRId64,
                         r->path, all, size);
    return 0;
}

/* Bytes of one item and of the whole file. */
static int count_bytes(struct reader *r, const struct idx_array *a, uint64_t *ret_item,
                       uint64_t *ret_all)
{
    uint64_t item = 1;
    for (uint32_t i = 1; i < a->n_dim && item <= max_bytes; i++)
        item *= a->dim[i];
    if (item > max_bytes || item * a->dim[0] > max_bytes)
        return error_set(r->err, ERR_INVALID, "%s: its header claims more than 2 GiB of data",
                         r->path);
    *ret_item = item;
    *ret_all = item * a->dim[0];
    return check_promise(r, *ret_all);
}

static int read_body(struct reader *r, uint32_t max_items, struct idx_array *a)
{
    uint64_t item = 0, all = 0, kept = 0, rest = 0, extra = 0;
    TRY(count_bytes(r, a, &item, &all));
    uint32_t items = max_items > 0 && max_items < a->dim[0] ? max_items : a->dim[0];
    a->bytes = malloc((size_t)(item * items) + 1);
    if (!a->bytes)
        return error_nomem(r->err);
    TRY(read_some(r, a->bytes, item * items, &kept));
    TRY(read_some(r, NULL, all - item * items, &rest));
    if (kept + rest < all)
        return error_set(r->err, ERR_INVALID,
                         "%s: truncated: its header promises %" PRIu64 " bytes of data, %" PRIu64
                         " are there",
                         r->path, all, kept + rest);
    /* Reading on also makes zlib check the CRC. */
    TRY(read_some(r, NULL, 1, &extra));
    if (extra > 0)
        return error_set(r->err, ERR_INVALID,
                         "%s: more data than the %" PRIu64 " bytes its header promises", r->path,
                         all);
    a->dim[0] = items;
    return 0;
}

static int open_reader(const char *path, struct reader *r, struct error *err)
{
    if (!fs_exists(path))
        return error_set(err, ERR_IO, "%s: there is no such file", path);
    *r = (struct reader){path, gzopen(path, "rbe"), err};
    if (!r->file)
        return error_set(err, ERR_IO, "%s: cannot be opened", path);
    gzbuffer(r->file, 1 << 18);
    return 0;
}

int idx_read(const char *path, uint32_t want_dim, uint32_t max_items, struct idx_array *ret,
             struct error *err)
{
    struct idx_array a = {0};
    struct reader r;
    if (want_dim < 1 || want_dim > 4)
        return error_set(err, ERR_INTERNAL, "%s: IDX files with %" PRIu32 " dimensions", path,
                         want_dim);
    TRY(open_reader(path, &r, err));
    int rc = read_header(&r, want_dim, &a);
    if (rc == 0)
        rc = read_body(&r, max_items, &a);
    gzclose_r(r.file);
    if (rc < 0)
        idx_release(&a);
    else
        *ret = a;
    return rc;
}

int idx_peek(const char *path, struct idx_array *ret, struct error *err)
{
    struct idx_array a = {0};
    struct reader r;
    uint8_t magic[4] = {0};
    uint64_t got = 0;
    TRY(open_reader(path, &r, err));
    int rc = read_some(&r, magic, sizeof magic, &got);
    uint32_t n_dim = got == sizeof magic && magic[3] >= 1 && magic[3] <= 4 ? magic[3] : 3;
    if (rc == 0 && gzrewind(r.file) != 0)
        rc = read_error(&r);
    if (rc == 0)
        rc = read_header(&r, n_dim, &a);
    gzclose_r(r.file);
    if (rc == 0)
        *ret = a;
    return rc;
}

void idx_release(struct idx_array *a)
{
    free(a->bytes);
    *a = (struct idx_array){0};
}
