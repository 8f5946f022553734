/* SPDX-License-Identifier: MIT
 * export.h: the last line of a plugin:
 *     static const lethe_plugin *const plugins[] = {&my_plugin};
 *     LETHE_ENTRY(plugins, 0);
 * The second argument is the lowest host minor the plugin can live with.
 * Compiled with -DLETHE_STATIC_TAG=name the symbol becomes
 * lethe_plugin_entry_name, so that the same source links into a test. */
#ifndef LETHE_EXPORT_H
#define LETHE_EXPORT_H

#include "plugin.h"

#ifdef __cplusplus
#define LETHE_EXTERN_ extern "C"
#else
#define LETHE_EXTERN_ extern
#endif

#define LETHE_ENTRY_BODY_(list, need)                                                              \
    {                                                                                              \
        LETHE_MAGIC, (uint32_t)sizeof(lethe_entry), LETHE_ABI_MAJOR, LETHE_ABI_MINOR, (need), 0,   \
            (uint32_t)(sizeof(list) / sizeof((list)[0])), 0, (list)                                \
    }

#ifdef LETHE_STATIC_TAG
#define LETHE_CAT2_(a, b) a##b
#define LETHE_CAT_(a, b) LETHE_CAT2_(a, b)
#define LETHE_ENTRY_NAME_ LETHE_CAT_(lethe_plugin_entry_, LETHE_STATIC_TAG)
#else
#define LETHE_ENTRY_NAME_ lethe_plugin_entry
#endif

#define LETHE_ENTRY(list, need)                                                                    \
    LETHE_EXTERN_ LETHE_EXPORT const lethe_entry LETHE_ENTRY_NAME_;                                \
    const lethe_entry LETHE_ENTRY_NAME_ = LETHE_ENTRY_BODY_(list, need)

#endif
