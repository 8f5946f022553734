/* SPDX-License-Identifier: MIT
 * helpers.h: conveniences over the host's tables, all static inline. Nothing
 * here is ABI: a plugin compiles its own copy and may ignore all of it.
 *
 * basics.h:
 *   lethe_failf           a failure with a formatted text
 *   lethe_real and so on  values of the plugin's parameters, by index
 *   lethe_apply_preset    other defaults for some of them
 *   LETHE_SINGLE          the closing line of a file that holds one plugin
 * fit.h                   the training loop that most unlearners need, and its parameters
 * gradients.h             gradients of whole sets, saliency masks
 * targets.h               soft targets from a teacher: distillation, tilting
 * relabel.h               random labels
 * adversarial.h           adversarial examples as views
 *
 * Names that end in an underscore are internal. */
#ifndef LETHE_HELPERS_H
#define LETHE_HELPERS_H

#include "adversarial.h"
#include "basics.h"
#include "fit.h"
#include "gradients.h"
#include "relabel.h"
#include "targets.h"

#endif
