/* SPDX-License-Identifier: MIT
 * lethe.h: everything a plugin needs, in one include. */
#ifndef LETHE_H
#define LETHE_H

#include "abi.h"
#include "attack.h"
#include "audit.h"
#include "data.h"
#include "export.h"
#include "helpers.h"
#include "host.h"
#include "metric.h"
#include "model.h"
#include "params.h"
#include "plugin.h"
#include "status.h"
#include "unlearner.h"

#endif
