#include "verdict.h"

#include <string.h>

#include "error.h"

static const char *const verdict_words[] = {
#define VERDICT_X(name, text) text,
    VERDICT_MAP(VERDICT_X)
#undef VERDICT_X
};
_Static_assert(sizeof(verdict_words) / sizeof(verdict_words[0]) == VERDICT_COUNT,
               "a word for every verdict");

const char *verdict_name(enum verdict v)
{
    return (unsigned)v < VERDICT_COUNT ? verdict_words[v] : "unknown";
}

enum verdict verdict_from_name(const char *name)
{
    unsigned v = 0;
    while (v < VERDICT_COUNT && (!name || strcmp(name, verdict_words[v]) != 0))
        v++;
    return (enum verdict)v;
}

enum verdict verdict_from_code(int code)
{
    static const struct {
        int code;
        enum verdict verdict;
    } table[] = {
        {0, VERDICT_OK},
        {ERR_UNSUPPORTED, VERDICT_UNSUPPORTED},
        {ERR_DENIED, VERDICT_DENIED},
        {ERR_NOMEM, VERDICT_OOM},
        {ERR_OUTPUT, VERDICT_INVALID_OUTPUT},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].code == code)
            return table[i].verdict;
    return VERDICT_FAILED;
}
