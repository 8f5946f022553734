/* hash.c: SHA-256 by OpenSSL. */
#include "hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/sha.h>

struct hash {
    EVP_MD_CTX *ctx;
};

static void to_hex(const unsigned char digest[SHA256_DIGEST_LENGTH], char ret_hex[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[HASH_HEX_SIZE - 1] = '\0';
}

/* A hash that silently is not one would make stale results look fresh, so there is no way on. */
static void require(int ok)
{
    if (ok)
        return;
    fputs("lethe: SHA-256 failed inside OpenSSL (out of memory?)\n", stderr);
    abort();
}

void hash_bytes(const void *bytes, size_t n, char ret_hex[HASH_HEX_SIZE])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    require(SHA256(n > 0 ? bytes : "", n, digest) != NULL);
    to_hex(digest, ret_hex);
}

uint64_t hash_u64(const void *bytes, size_t n)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    require(SHA256(n > 0 ? bytes : "", n, digest) != NULL);
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | digest[i];
    return v;
}

struct hash *hash_new(void)
{
    struct hash *h = malloc(sizeof *h);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!h || !ctx || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(ctx);
        free(h);
        return NULL;
    }
    h->ctx = ctx;
    return h;
}

void hash_add(struct hash *h, const void *bytes, size_t n)
{
    if (n > 0)
        require(EVP_DigestUpdate(h->ctx, bytes, n) == 1);
}

void hash_final(struct hash *h, char ret_hex[HASH_HEX_SIZE])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    require(EVP_DigestFinal_ex(h->ctx, digest, NULL) == 1);
    to_hex(digest, ret_hex);
    EVP_MD_CTX_free(h->ctx);
    free(h);
}

static int add_file(struct hash *h, int fd, const char *path, struct error *err)
{
    enum { BLOCK = 1 << 18 };
    char *buf = malloc(BLOCK);
    if (!buf)
        return error_nomem(err);
    int rc = 0;
    for (;;) {
        ssize_t n = read(fd, buf, BLOCK);
        if (n > 0)
            hash_add(h, buf, (size_t)n);
        else if (n == 0)
            break;
        else if (errno != EINTR) {
            rc = error_errno(err, errno, "cannot read %s", path);
            break;
        }
    }
    free(buf);
    return rc;
}

int hash_file(const char *path, char ret_hex[HASH_HEX_SIZE], struct error *err)
{
    char hex[HASH_HEX_SIZE];
    struct hash *h = hash_new();
    if (!h)
        return error_nomem(err);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 ? error_errno(err, errno, "cannot read %s", path) : add_file(h, fd, path, err);
    if (fd >= 0)
        close(fd);
    hash_final(h, hex);
    for (int i = 0; rc == 0 && i < HASH_HEX_SIZE; i++)
        ret_hex[i] = hex[i];
    return rc;
}
