/* SPDX-License-Identifier: MIT
 * abi.h: what host and plugin must agree on before either runs the other's code.
 *
 * Growth rules (docs/PLUGINS.md explains them): every struct that crosses the
 * boundary starts with `struct_size`, has no tail padding, and grows only at
 * its end; arrays of structs carry their stride; constants never change value.
 * Frozen since 1.0: within a major nothing moves and nothing changes its meaning. */
#ifndef LETHE_ABI_H
#define LETHE_ABI_H

#include <stddef.h>
#include <stdint.h>

#define LETHE_MAGIC 0x3148544cu /* the bytes "LTH1" on a little-endian machine */
#define LETHE_ABI_MAJOR 1u
#define LETHE_ABI_MINOR 0u

/* Bytes from the start of T to the end of field f. */
#define LETHE_SIZE_THROUGH(T, f) (offsetof(T, f) + sizeof(((T *)0)->f))
/* True when the filler of *p knew field f. */
#define LETHE_HAS(T, p, f) ((p)->struct_size >= LETHE_SIZE_THROUGH(T, f))

#if defined(__GNUC__)
#define LETHE_EXPORT __attribute__((visibility("default")))
#else
#define LETHE_EXPORT
#endif

#if defined(__cplusplus)
#define LETHE_STATIC_ASSERT(cond, text) static_assert(cond, text)
#else
#define LETHE_STATIC_ASSERT(cond, text) _Static_assert(cond, text)
#endif
/* Growth is safe only where a struct's size ends with its last field. */
#define LETHE_NO_TAIL_PADDING(T, last)                                                             \
    LETHE_STATIC_ASSERT(sizeof(T) == LETHE_SIZE_THROUGH(T, last), #T " has tail padding")

#endif
