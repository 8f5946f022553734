/* The dynamic symbols of a shared object, read from the file without loading it. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "conform_internal.h"
#include "fs.h"
#include "text.h"

struct image {
    const char *path;
    const unsigned char *bytes;
    size_t n;
};

/* NULL where the file ends before. */
static const void *at(const struct image *m, uint64_t offset, uint64_t size)
{
    return offset <= m->n && size <= m->n - offset ? m->bytes + offset : NULL;
}

static int refuse(const struct image *m, struct error *err)
{
    return error_set(err, ERR_INVALID, "%s is no 64-bit shared object, or is cut short", m->path);
}

static int add_name(char ***list, size_t n, const char *name, struct error *err)
{
    char **grown = realloc(*list, (n + 2) * sizeof(*grown));
    if (!grown)
        return error_nomem(err);
    *list = grown;
    grown[n + 1] = NULL;
    grown[n] = text_dup(name);
    return grown[n] ? 0 : error_nomem(err);
}

static int read_symbols(const struct image *m, const Elf64_Shdr *table, const Elf64_Shdr *strings,
                        struct elf_symbols *ret, struct error *err)
{
    const char *text = at(m, strings->sh_offset, strings->sh_size);
    const Elf64_Sym *symbol = at(m, table->sh_offset, table->sh_size);
    size_t n[2] = {0, 0};
    if (!text || !symbol || strings->sh_size == 0 || text[strings->sh_size - 1] != 0)
        return refuse(m, err);
    for (size_t i = 0; i < table->sh_size / sizeof(*symbol); i++) {
        int bind = ELF64_ST_BIND(symbol[i].st_info);
        bool defined = symbol[i].st_shndx != SHN_UNDEF;
        if (bind != STB_GLOBAL && !(bind == STB_WEAK && defined))
            continue; /* weak and undefined: what compilers ask for in case it is there */
        if (symbol[i].st_name >= strings->sh_size)
            return refuse(m, err);
        TRY(add_name(defined ? &ret->defined : &ret->undefined, n[defined]++,
                     text + symbol[i].st_name, err));
    }
    return 0;
}

static int read_sections(const struct image *m, struct elf_symbols *ret, struct error *err)
{
    const Elf64_Ehdr *head = at(m, 0, sizeof(*head));
    if (!head || memcmp(head->e_ident, ELFMAG, SELFMAG) != 0 ||
        head->e_ident[EI_CLASS] != ELFCLASS64 || head->e_shentsize != sizeof(Elf64_Shdr))
        return refuse(m, err);
    const Elf64_Shdr *section = at(m, head->e_shoff, (uint64_t)head->e_shnum * sizeof(Elf64_Shdr));
    if (!section)
        return refuse(m, err);
    for (int i = 0; i < head->e_shnum; i++) {
        if (section[i].sh_type == SHT_INIT_ARRAY)
            ret->init_bytes = section[i].sh_size;
        if (section[i].sh_type != SHT_DYNSYM)
            continue;
        if (section[i].sh_link >= head->e_shnum)
            return refuse(m, err);
        TRY(read_symbols(m, &section[i], &section[section[i].sh_link], ret, err));
    }
    return 0;
}

int elf_symbols_read(const char *path, struct elf_symbols *ret, struct error *err)
{
    struct elf_symbols s = {calloc(1, sizeof(char *)), calloc(1, sizeof(char *)), 0};
    struct fs_map map = {NULL, 0};
    int rc = s.defined && s.undefined ? fs_map(path, &map, err) : error_nomem(err);
    if (rc == 0) {
        struct image m = {path, map.bytes, map.n};
        rc = read_sections(&m, &s, err);
        fs_unmap(&map);
    }
    if (rc < 0) {
        elf_symbols_release(&s);
        return rc;
    }
    *ret = s;
    return 0;
}

static void free_names(char **names)
{
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
}

void elf_symbols_release(struct elf_symbols *s)
{
    free_names(s->defined);
    free_names(s->undefined);
    *s = (struct elf_symbols){NULL, NULL, 0};
}
