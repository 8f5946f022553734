/* cifar_file.h: the binary batches of CIFAR-10 and CIFAR-100: records of one or two label bytes
 * (the last is the label; CIFAR-100 puts the coarse one first) and 3072 bytes of pixels, (C, H, W).
 */
#ifndef DATA_CIFAR_FILE_H
#define DATA_CIFAR_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

enum { CIFAR_PIXELS = 3072 };

/* Records in the file; its length must be a multiple of a record. */
int cifar_count(const char *path, uint32_t label_bytes, uint32_t *ret, struct error *err);
/* The first n records: pixels (n, 3, 32, 32), labels (n) below n_classes. The whole file is
 * checked. want: how many records it must hold; 0: any number from n. */
int cifar_read(const char *path, uint32_t label_bytes, uint32_t n_classes, uint32_t want,
               uint32_t n, uint8_t *pixels, int32_t *labels, struct error *err);
/* A CIFAR-10 batch; labels are below 256. Atomic. */
int cifar_write(const char *path, uint32_t n, const uint8_t *pixels, const uint8_t *labels,
                struct error *err);

#endif
