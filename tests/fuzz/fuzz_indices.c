/* CSV files of rows to forget. */
#include <stdlib.h>

#include "fuzz/fuzz_input.h"
#include "json.h"
#include "split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = ERROR_INIT;
    struct forget_spec spec, back;
    uint64_t seed = 0;
    const char *path = fuzz_file(data, size);
    if (forget_read(path, "unlearn_idx", &spec, &err) == 0)
        forget_release(&spec);
    if (forget_read(path, NULL, &spec, &err) < 0)
        return 0;
    json_t *identity = forget_identity(&spec, 1);
    if (!identity || forget_from_json(identity, &back, &seed, &err) < 0 ||
        back.n_rows != spec.n_rows)
        abort();
    json_decref(identity);
    forget_release(&back);
    forget_release(&spec);
    return 0;
}
