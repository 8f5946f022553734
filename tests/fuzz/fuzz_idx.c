/* IDX files, plain and gzip. */
#include <stdlib.h>

#include "fuzz/fuzz_input.h"
#include "idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    struct idx_array a = {0};
    const char *path = fuzz_file(data, size);
    if (idx_peek(path, &a, &err) < 0)
        return 0;
    if (idx_read(path, a.n_dim, 0, &a, &err) == 0) {
        uint64_t n = 1, sum = 0;
        for (uint32_t i = 0; i < a.n_dim; i++)
            n *= a.dim[i];
        for (uint64_t i = 0; i < n; i++)
            sum += a.bytes[i];
        if (sum > 255 * n)
            abort();
        idx_release(&a);
    }
    return 0;
}
