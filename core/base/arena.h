/* arena.h: memory with one lifetime. Blocks are zeroed and 64-byte aligned. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);                    /* NULL when out of memory */
void arena_free(struct arena *a);                 /* accepts NULL; runs the cleanups, last first */
void *arena_alloc(struct arena *a, size_t bytes); /* NULL when out of memory */
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* fn(arg) runs when the arena ends; -1 when out of memory (fn has then run at once). */
int arena_cleanup(struct arena *a, void (*fn)(void *), void *arg);
size_t arena_bytes(const struct arena *a); /* allocated so far */

#endif
