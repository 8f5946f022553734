/* calibrate.h: how fast this machine trains a suite's network, for estimates. */
#ifndef SUITE_CALIBRATE_H
#define SUITE_CALIBRATE_H

#include "error.h"
#include "json.h"

/* In a worker: about half a second of training steps on one thread with noise for images.
 * {"train_images_per_s": ..., "peak_mb": ...}. New reference. */
int calibrate(const char *arch_text, unsigned batch, json_t **ret, struct error *err);

#endif
