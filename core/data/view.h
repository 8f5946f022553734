/* view.h: composable, immutable sets of samples. Views live in an arena. */
#ifndef DATA_VIEW_H
#define DATA_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "dataset.h"

/* Ids of samples made by a plugin start here. */
#define VIEW_MADE_ID (1ull << 63)

enum augment_kind { AUGMENT_NONE = 0, AUGMENT_CROP_FLIP }; /* zero-padded crop (pad 4) and flip */

struct view;
typedef int32_t (*view_relabel_fn)(void *arg, uint32_t epoch, uint64_t id, int32_t y);

/* All return NULL when out of memory. `rows` are pool ids (copied). */
const struct view *view_dataset(struct arena *a, const struct dataset *ds, const uint32_t *rows,
                                size_t n);
const struct view *view_subset(struct arena *a, const struct view *v, const uint32_t *rows,
                               size_t n); /* positions in v, checked by the caller */
const struct view *view_concat(struct arena *a, const struct view *const *v, size_t n);
const struct view *view_relabel(struct arena *a, const struct view *v, const int32_t *labels);
const struct view *view_relabel_by(struct arena *a, const struct view *v, view_relabel_fn fn,
                                   void *arg);
/* x (n, C, H, W) and y (n) are not copied; ids are VIEW_MADE_ID + row. */
const struct view *view_arrays(struct arena *a, const float *x, const int32_t *y, size_t n,
                               const uint32_t shape[3]);
const struct view *view_augment(struct arena *a, const struct view *v, enum augment_kind kind);

size_t view_count(const struct view *v);
const uint32_t *view_shape(const struct view *v); /* (C, H, W) */
/* Samples at positions rows[0..n): x (n, C, H, W) in [0, 1], y, id; any of the three may be NULL.
 * Augmentation draws from the stream (aug_seed, "augment", hash of id and epoch), so it depends
 * neither on batch order nor on threads; `augment` false switches it off. */
void view_fill(const struct view *v, const uint32_t *rows, size_t n, uint32_t epoch,
               uint64_t aug_seed, bool augment, float *x, int32_t *y, uint64_t *id);

#endif
