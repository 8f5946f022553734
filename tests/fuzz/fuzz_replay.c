/* fuzz_replay.c: runs a fuzzer over the files of a folder, for compilers without libFuzzer and for
 * the everyday tests. Fails when there is no file: nothing would have been tested. */
#include <stdio.h>
#include <stdlib.h>

#include "fs.h"
#include "fuzz/fuzz_input.h"

static int replay(const char *path)
{
    struct error err = ERROR_INIT;
    char *bytes = NULL;
    size_t n = 0;
    if (fs_read(path, (size_t)64 << 20, &bytes, &n, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    /* a block of exactly n bytes, so that the sanitizer sees a read behind its end */
    uint8_t *exact = malloc(n ? n : 1);
    for (size_t i = 0; exact && i < n; i++)
        exact[i] = (uint8_t)bytes[i];
    free(bytes);
    if (exact)
        LLVMFuzzerTestOneInput(exact, n);
    free(exact);
    return exact ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct error err = ERROR_INIT;
    char **names = NULL;
    size_t n = 0, bad = 0;
    if (argc != 2 || fs_list(argv[1], &names, &n, &err) < 0) {
        fprintf(stderr, "usage: %s FOLDER\n%s\n", argv[0], err.text);
        return 2;
    }
    for (size_t i = 0; i < n; i++) {
        char *path = fs_join(argv[1], names[i]);
        bad += !path || replay(path) != 0;
        free(path);
    }
    fs_names_free(names);
    printf("%zu inputs, %zu failures\n", n, bad);
    return n > 0 && bad == 0 ? 0 : 1;
}
