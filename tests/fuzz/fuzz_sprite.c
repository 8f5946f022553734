/* PNG sprites of small images. */
#include <stdlib.h>

#include "fuzz/fuzz_input.h"
#include "sprite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    uint8_t *pixels = NULL;
    uint32_t n = 0;
    if (sprite_read(fuzz_file(data, size), 0, &pixels, &n, &err) == 0 && n == 0)
        abort();
    free(pixels);
    return 0;
}
