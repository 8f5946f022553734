/* idx_files.h: writing IDX files, plain and compressed, for the tests. */
#ifndef TEST_IDX_FILES_H
#define TEST_IDX_FILES_H

#include <zlib.h>

#include "strbuf.h"
#include "text.h"
#include "unit_base/scratch.h"

static inline void idx_put(struct strbuf *b, uint32_t v)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        strbuf_addc(b, (char)(v >> shift));
}

/* Header for unsigned bytes of the given dimensions. */
static inline void idx_header(struct strbuf *b, uint32_t n_dim, const uint32_t *dim)
{
    idx_put(b, 0x800 | n_dim);
    for (uint32_t i = 0; i < n_dim; i++)
        idx_put(b, dim[i]);
}

/* Compressed when the name ends in .gz. */
static inline void idx_save(const char *path, const struct strbuf *b)
{
    gzFile f = gzopen(path, text_ends(path, ".gz") ? "wb1" : "wbT");
    assert_non_null(f);
    assert_int_equal(gzwrite(f, b->s, (unsigned)b->len), (int)b->len);
    assert_int_equal(gzclose(f), Z_OK);
}

#endif
