/* files_data.h: images and labels in .npy files, checked before anything computes with them. */
#ifndef SUITE_FILES_DATA_H
#define SUITE_FILES_DATA_H

#include "arena.h"
#include "dataset.h"
#include "npy.h"
#include "view.h"

/* Where a value came from, for messages: borrowed paths. */
struct file_images {
    const char *path;
    struct npy npy;        /* (n, C, H, W): u1, f4 or f8 */
    uint32_t n, shape[3];  /* C, H, W */
    float *converted;      /* (n, C, H, W) when the file holds f8 */
    struct dataset bytes;  /* over the map when the file holds u1 */
    float lowest, highest; /* of floating-point files, after file_images_check */
};

/* Maps the file and checks type and shape; reads no pixel. */
int file_images_open(const char *path, struct file_images *ret, struct error *err);
void file_images_release(struct file_images *im);
/* Every value is finite (the error names image, channel, row and column); f8 becomes f4. */
int file_images_check(struct file_images *im, struct error *err);
/* All images with labels (n), both kept alive by the caller; after file_images_check. u1 pixels
 * become value / 255. NULL when out of memory. */
const struct view *file_images_view(struct arena *a, struct file_images *im, const int32_t *labels);

/* One label an image, any integer type; *ret (n) is malloc'd. */
int file_labels_read(const char *path, const struct file_images *im, int32_t **ret,
                     struct error *err);
/* Every label is one of 0..classes-1. */
int file_labels_check(const char *path, const int32_t *labels, uint32_t n, uint32_t classes,
                      struct error *err);

#endif
