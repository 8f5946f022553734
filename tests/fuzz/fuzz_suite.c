/* Suite files: YAML, and everything that is checked before plugins are asked. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_input.h"
#include "strbuf.h"
#include "suite_file.h"

/* Other files are none of this fuzzer's business. */
static int names_a_file(const uint8_t *data, size_t size)
{
    static const char *const words[] = {"/dev", "/proc", "extends"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (memmem(data, size, words[i], strlen(words[i])))
            return 1;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    struct suite s;
    if (names_a_file(data, size))
        return 0;
    if (suite_load(fuzz_file(data, size), NULL, 0, &s, &err) < 0)
        return 0;
    struct strbuf text;
    strbuf_init(&text);
    arch_text(s.arch, &text);
    recipe_text(&s.train, &text);
    yaml_to_json(s.root, &text);
    strbuf_release(&text);
    suite_release(&s);
    return 0;
}
