/* Binary batches of CIFAR-10 and CIFAR-100. */
#include <stdlib.h>

#include "cifar_file.h"
#include "fuzz/fuzz_input.h"

static void read_as(const char *path, uint32_t label_bytes, uint32_t n_classes)
{
    struct error err = ERROR_INIT;
    uint32_t n = 0;
    if (cifar_count(path, label_bytes, &n, &err) < 0)
        return;
    uint8_t *pixels = malloc((size_t)n * CIFAR_PIXELS);
    int32_t *labels = malloc(n * sizeof *labels);
    if (pixels && labels &&
        cifar_read(path, label_bytes, n_classes, n, n, pixels, labels, &err) == 0)
        for (uint32_t i = 0; i < n; i++)
            if (labels[i] < 0 || (uint32_t)labels[i] >= n_classes)
                abort();
    free(pixels);
    free(labels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(data, size);
    read_as(path, 1, 10);
    read_as(path, 2, 100);
    return 0;
}
