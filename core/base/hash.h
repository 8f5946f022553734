/* hash.h: SHA-256 (OpenSSL), so that `sha256sum` gives the same answer. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

#define HASH_HEX_SIZE 65 /* 64 digits and the NUL */

void hash_bytes(const void *bytes, size_t n, char ret_hex[HASH_HEX_SIZE]);
int hash_file(const char *path, char ret_hex[HASH_HEX_SIZE], struct error *err);
/* Streaming. */
struct hash;
struct hash *hash_new(void); /* NULL when out of memory */
void hash_add(struct hash *h, const void *bytes, size_t n);
void hash_final(struct hash *h, char ret_hex[HASH_HEX_SIZE]); /* frees h */
/* First 8 bytes of the SHA-256, as a little-endian number: seeds of random streams. */
uint64_t hash_u64(const void *bytes, size_t n);

#endif
