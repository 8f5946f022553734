#include "npy_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "npy_header.h"
#include "strbuf.h"
#include "text.h"

int npy_stream_open(const char *path, enum npy_type type, uint32_t n_dim, const size_t *dim,
                    struct npy_stream *ret, struct error *err)
{
    struct npy_stream s = {0};
    struct strbuf head;
    strbuf_init(&head);
    int rc = npy_header_make(path, type, n_dim, dim, &head, &s.left, err);
    if (rc == 0 && !(s.path = text_dup(path)))
        rc = error_nomem(err);
    if (rc == 0 && !(s.file = fopen(path, "we")))
        rc = error_errno(err, errno, "%s", path);
    s.left += head.len;
    if (rc == 0)
        rc = npy_stream_add(&s, head.s, head.len, err);
    strbuf_release(&head);
    if (rc < 0)
        npy_stream_release(&s);
    else
        *ret = s;
    return rc;
}

int npy_stream_add(struct npy_stream *s, const void *bytes, size_t n, struct error *err)
{
    if (n > s->left)
        return error_set(err, ERR_INTERNAL, "%s: more data than its shape says", s->path);
    if (fwrite(bytes, 1, n, s->file) != n)
        return error_errno(err, errno, "%s", s->path);
    s->left -= n;
    return 0;
}

int npy_stream_close(struct npy_stream *s, struct error *err)
{
    int rc = s->left == 0
                 ? 0
                 : error_set(err, ERR_INTERNAL, "%s: %zu bytes are missing", s->path, s->left);
    int failed = fclose(s->file);
    s->file = NULL;
    if (rc == 0 && failed)
        rc = error_errno(err, errno, "%s", s->path);
    npy_stream_release(s);
    return rc;
}

void npy_stream_release(struct npy_stream *s)
{
    if (s->file)
        fclose(s->file);
    free(s->path);
    *s = (struct npy_stream){0};
}
