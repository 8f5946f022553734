/* .npy arrays: header, sizes, conversion. */
#include <stdlib.h>

#include "fuzz/fuzz_input.h"
#include "npy.h"

enum { MOST = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    struct npy a;
    if (npy_open(fuzz_file(data, size), &a, &err) < 0)
        return 0;
    double *out = a.n < MOST ? malloc((a.n + 1) * sizeof *out) : NULL;
    if (out) {
        npy_to_f64(&a, out, &err);
        npy_to_f32(&a, (float *)out, &err);
        npy_to_i32(&a, (int32_t *)out, &err);
    }
    free(out);
    npy_release(&a);
    return 0;
}
