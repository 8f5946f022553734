/* plugin_words.h: the constants of the ABI as the words that people read and write. */
#ifndef PLUGIN_PLUGIN_WORDS_H
#define PLUGIN_PLUGIN_WORDS_H

#include <stdint.h>

struct plugin_word {
    uint64_t value;
    const char *text;
};

/* Each ends with text NULL. */
extern const struct plugin_word plugin_cap_words[], plugin_scenario_words[], plugin_kind_words[],
    plugin_shape_words[], plugin_better_words[], plugin_reference_words[], plugin_scope_words[],
    plugin_norm_words[];

/* "unknown" where the table has no such value. */
const char *plugin_word_of(const struct plugin_word *table, uint64_t value);
const struct plugin_word *plugin_word_find(const struct plugin_word *table, const char *text);

#endif
