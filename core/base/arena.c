/* arena.c: memory with one lifetime, cut from zeroed chunks. */
#include "arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 64, CHUNK = 64 * 1024 };

struct chunk {
    struct chunk *next;
    size_t size, used; /* of bytes */
    char *bytes;       /* 64-byte aligned, inside this allocation */
};

struct cleanup {
    struct cleanup *next;
    void (*fn)(void *);
    void *arg;
};

struct arena {
    struct chunk *chunks;
    struct cleanup *cleanups; /* last registered first */
    size_t total;
};

struct arena *arena_new(void)
{
    return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (struct cleanup *c = a->cleanups; c; c = c->next)
        c->fn(c->arg);
    while (a->chunks) {
        struct chunk *next = a->chunks->next;
        free(a->chunks);
        a->chunks = next;
    }
    free(a);
}

/* calloc, because large zeroed blocks come from the kernel without being touched. */
static struct chunk *chunk_new(size_t size)
{
    struct chunk *c = calloc(1, sizeof *c + ALIGN + size);
    if (!c)
        return NULL;
    uintptr_t at = (uintptr_t)(c + 1);
    c->bytes = (char *)(c + 1) + (ALIGN - at % ALIGN) % ALIGN;
    c->size = size;
    return c;
}

void *arena_alloc(struct arena *a, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    size_t need = bytes == 0 ? ALIGN : (bytes + ALIGN - 1) / ALIGN * ALIGN;
    struct chunk *c = a->chunks;
    if (!c || c->size - c->used < need) {
        struct chunk *fresh = chunk_new(need > CHUNK / 4 ? need : CHUNK);
        if (!fresh)
            return NULL;
        if (c && need > CHUNK / 4) { /* a block of its own: go on filling the current chunk */
            fresh->next = c->next;
            c->next = fresh;
        } else {
            fresh->next = c;
            a->chunks = fresh;
        }
        c = fresh;
    }
    void *p = c->bytes + c->used;
    c->used += need;
    a->total += need;
    return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = arena_alloc(a, n);
    return copy ? memcpy(copy, s, n) : NULL;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, format, ap);
    char *s = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
    if (s)
        vsnprintf(s, (size_t)n + 1, format, again);
    va_end(again);
    va_end(ap);
    return s;
}

int arena_cleanup(struct arena *a, void (*fn)(void *), void *arg)
{
    struct cleanup *c = arena_alloc(a, sizeof *c);
    if (!c) {
        fn(arg);
        return -1;
    }
    *c = (struct cleanup){a->cleanups, fn, arg};
    a->cleanups = c;
    return 0;
}

size_t arena_bytes(const struct arena *a)
{
    return a->total;
}
