/* fuzz_input.h: readers take paths, fuzzers have bytes: a file in memory stands between them. */
#ifndef FUZZ_FUZZ_INPUT_H
#define FUZZ_FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry, one a fuzzer. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Path of a file with these bytes, the same one every time. */
const char *fuzz_file(const uint8_t *data, size_t size);
/* Path of a folder in which `name` is that file; the folder is removed at exit. One name a
 * program. */
const char *fuzz_folder(const char *name, const uint8_t *data, size_t size);

#endif
