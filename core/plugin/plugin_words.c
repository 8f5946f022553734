#include "plugin_words.h"

#include <stddef.h>
#include <string.h>

#include "lethe/lethe.h"

const struct plugin_word plugin_cap_words[] = {
    {LETHE_CAP_FORGET, "forget"},
    {LETHE_CAP_RETAIN, "retain"},
    {LETHE_CAP_VALIDATION, "validation"},
    {LETHE_CAP_GRADIENTS, "gradients"},
    {LETHE_CAP_WEIGHTS, "weights"},
    {LETHE_CAP_LOGITS, "logits"},
    {LETHE_CAP_REFERENCES, "references"},
    {LETHE_CAP_SHADOWS, "shadows"},
    {LETHE_CAP_RECIPE, "recipe"},
    {LETHE_CAP_ATTACK, "attack"},
    {LETHE_CAP_ORIGINAL, "original"},
    {LETHE_CAP_RANDOM, "random"},
    {LETHE_CAP_ADVERSARIAL, "adversarial"},
    {LETHE_CAP_MODEL, "model"},
    {LETHE_CAP_COST, "cost"},
    {LETHE_CAP_UNLEARNED_SHADOWS, "unlearned-shadows"},
    {0, NULL},
};
const struct plugin_word plugin_scenario_words[] = {
    {LETHE_SCENARIO_RANDOM, "random"}, {LETHE_SCENARIO_CLASS, "class"}, {0, NULL}};
const struct plugin_word plugin_kind_words[] = {{LETHE_KIND_UNLEARNER, "unlearner"},
                                                {LETHE_KIND_EXAMPLE_ATTACK, "example-attack"},
                                                {LETHE_KIND_MEMBERSHIP_ATTACK, "membership-attack"},
                                                {LETHE_KIND_AUDIT, "audit"},
                                                {LETHE_KIND_METRIC, "metric"},
                                                {0, NULL}};
const struct plugin_word plugin_shape_words[] = {
    {LETHE_SHAPE_SCALAR, "scalar"}, {LETHE_SHAPE_CURVE, "curve"}, {0, NULL}};
const struct plugin_word plugin_better_words[] = {{LETHE_BETTER_HIGHER, "higher"},
                                                  {LETHE_BETTER_LOWER, "lower"},
                                                  {LETHE_BETTER_NEAR_REFERENCE, "near-reference"},
                                                  {LETHE_BETTER_NEITHER, "neither"},
                                                  {0, NULL}};
const struct plugin_word plugin_reference_words[] = {{LETHE_REF_NONE, "none"},
                                                     {LETHE_REF_RETRAIN, "retrain"},
                                                     {LETHE_REF_ORIGINAL, "original"},
                                                     {LETHE_REF_CONSTANT, "constant"},
                                                     {0, NULL}};
const struct plugin_word plugin_scope_words[] = {
    {LETHE_SCOPE_RUN, "run"}, {LETHE_SCOPE_GROUP, "group"}, {0, NULL}};
const struct plugin_word plugin_norm_words[] = {{LETHE_NORM_L0, "l0"},
                                                {LETHE_NORM_L1, "l1"},
                                                {LETHE_NORM_L2, "l2"},
                                                {LETHE_NORM_LINF, "linf"},
                                                {0, NULL}};

const char *plugin_word_of(const struct plugin_word *table, uint64_t value)
{
    for (; table->text; table++)
        if (table->value == value)
            return table->text;
    return "unknown";
}

const struct plugin_word *plugin_word_find(const struct plugin_word *table, const char *text)
{
    for (; table->text; table++)
        if (strcmp(table->text, text) == 0)
            return table;
    return NULL;
}
