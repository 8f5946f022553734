#include "pdf_date.h"

#include <ctype.h>
#include <string.h>

static const char key[] = "/CreationDate (D:";

/* Digits of "20260131120000+01'00" to those of a fixed day, signs as they stand: PDF
 * 32000-1, 7.9.4. */
static void clear_digits(char *p, const char *end)
{
    static const char fixed[] = "20000101000000";
    for (size_t i = 0; p < end && *p != ')'; p++, i++) {
        if (isdigit((unsigned char)*p))
            *p = i < sizeof(fixed) - 1 ? fixed[i] : '0';
        else if (*p == '-')
            *p = '+';
    }
}

void pdf_date_clear(char *bytes, size_t n)
{
    const char *end = bytes + n;
    if (n < 5 || memcmp(bytes, "%PDF-", 5) != 0)
        return;
    for (char *p = bytes; (p = memmem(p, (size_t)(end - p), key, sizeof(key) - 1)); p++)
        clear_digits(p + sizeof(key) - 1, end);
}
