/* safetensors: header, layout of the tensors, metadata, conversion. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz_input.h"
#include "safetensors.h"

enum { MOST = 1 << 20 };

static void convert(const struct st_tensor *t)
{
    struct error err = ERROR_INIT;
    float *out = t->n < MOST ? malloc((t->n + 1) * sizeof *out) : NULL;
    if (out)
        st_to_f32(t, out, &err);
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    struct safetensors st;
    if (safetensors_open(fuzz_file(data, size), &st, &err) < 0)
        return 0;
    for (size_t i = 0; i < st.n; i++) {
        convert(&st.tensor[i]);
        if (safetensors_find(&st, st.tensor[i].name) == NULL)
            abort();
    }
    for (size_t i = 0; i < st.n_meta; i++)
        if (safetensors_meta(&st, st.meta_key[i]) == NULL)
            abort();
    safetensors_release(&st);
    return 0;
}
