/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * program-elf - judges ELF headers before the kernel does
 *
 * Runs in init, inside the container's root, on files of an image that may be
 * hostile: every offset and size is checked against the file, at most one
 * header, 64 KiB of program headers and one path are read. Only files of this
 * machine's byte order are looked into.
 */
#include "config.h"

#include <rnet/runtime/program-elf.h>

#include <elf.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

enum {
    HEADERS_MAX = 65536, /* bytes of program headers, Linux, fs/binfmt_elf.c */
};

#if G_BYTE_ORDER == G_LITTLE_ENDIAN
#define NATIVE_DATA ELFDATA2LSB
#else
#define NATIVE_DATA ELFDATA2MSB
#endif

static const struct {
    uint16_t machine;
    const char *name;
} machine_names[] = {
    { EM_386, "i386" },
    { EM_68K, "m68k" },
    { EM_MIPS, "mips" },
    { EM_PPC, "powerpc" },
    { EM_PPC64, "ppc64" },
    { EM_S390, "s390x" },
    { EM_ARM, "arm" },
    { EM_SPARCV9, "sparc64" },
    { EM_IA_64, "ia64" },
    { EM_X86_64, "x86-64" },
    { EM_AARCH64, "aarch64" },
    { EM_RISCV, "riscv64" },
    { EM_LOONGARCH, "loongarch64" },
    { EM_ALPHA, "alpha" },
};

/* What the kernel on this machine may run; the first one is its own. */
static const struct {
    uint16_t machine;
    uint8_t class;
} native_formats[] = {
#if defined(__x86_64__)
    { EM_X86_64, ELFCLASS64 },
    { EM_386, ELFCLASS32 },
    { EM_X86_64, ELFCLASS32 }, /* x32 */
#elif defined(__i386__)
    { EM_386, ELFCLASS32 },
    { EM_X86_64, ELFCLASS64 }, /* a 32-bit rnet on a 64-bit kernel */
    { EM_X86_64, ELFCLASS32 },
#elif defined(__aarch64__)
    { EM_AARCH64, ELFCLASS64 },
    { EM_ARM, ELFCLASS32 },
#elif defined(__arm__)
    { EM_ARM, ELFCLASS32 },
    { EM_AARCH64, ELFCLASS64 },
#elif defined(__riscv)
    { EM_RISCV, ELFCLASS64 },
    { EM_RISCV, ELFCLASS32 },
#elif defined(__powerpc64__)
    { EM_PPC64, ELFCLASS64 },
    { EM_PPC, ELFCLASS32 },
#elif defined(__s390x__)
    { EM_S390, ELFCLASS64 },
    { EM_S390, ELFCLASS32 },
#elif defined(__mips__)
    { EM_MIPS, ELFCLASS64 },
    { EM_MIPS, ELFCLASS32 },
#elif defined(__loongarch__)
    { EM_LOONGARCH, ELFCLASS64 },
#else
    { EM_NONE, ELFCLASSNONE }, /* not known: nothing is refused */
#endif
};

/* A file header or program header in the one form used here. */
typedef struct FileHeader {
    uint16_t type, entry_size, n_entries;
    uint64_t table_offset;
} FileHeader;

typedef struct Segment {
    uint32_t type;
    uint64_t offset, size; /* in the file */
} Segment;

static bool refuse(const char *subject, const char *problem, GError **error)
{
    return rn_set_error(error, RN_ERROR_PROGRAM_UNRUNNABLE, "%s %s", subject,
                        problem);
}

static bool read_at(int fd, void *buffer, size_t length, uint64_t offset,
                    const char *subject, GError **error)
{
    ssize_t got = 0;

    if (offset > INT64_MAX)
        return refuse(subject, "is cut off or damaged", error);
    got = TEMP_FAILURE_RETRY(pread(fd, buffer, length, (off_t)offset));
    if (got < 0 || (size_t)got != length)
        return refuse(subject, "is cut off or damaged", error);
    return true;
}

static const char *name_machine(uint16_t machine)
{
    for (gsize i = 0; i < G_N_ELEMENTS(machine_names); i++)
        if (machine_names[i].machine == machine)
            return machine_names[i].name;
    return "an unknown machine";
}

static bool is_native(uint16_t machine, const uint8_t *ident)
{
    if (native_formats[0].machine == EM_NONE)
        return true;
    for (gsize i = 0; i < G_N_ELEMENTS(native_formats); i++)
        if (native_formats[i].machine == machine &&
            native_formats[i].class == ident[EI_CLASS])
            return ident[EI_DATA] == NATIVE_DATA;
    return false;
}

/* The machine's name, with what sets it apart from its usual form. */
static bool refuse_machine(const char *subject, uint16_t machine,
                           const uint8_t *ident, GError **error)
{
    bool same = machine == native_formats[0].machine;
    const char *order =
        ident[EI_DATA] == ELFDATA2MSB ? " (big-endian)" : " (little-endian)";
    const char *bits =
        ident[EI_CLASS] == ELFCLASS64 ? " (64 bit)" : " (32 bit)";
    const char *detail = "";

    if (ident[EI_DATA] != NATIVE_DATA)
        detail = order;
    else if (same)
        detail = bits;
    (void)rn_set_error(error, RN_ERROR_PROGRAM_UNRUNNABLE,
                       "%s is for %s%s, this machine is %s", subject,
                       name_machine(machine), detail,
                       name_machine(native_formats[0].machine));
    return rn_error_add_hint(error,
                             "take the image for this machine, or install "
                             "qemu-user-static with binfmt_misc on the host");
}

static bool read_header(int fd, const char *subject, uint8_t class,
                        FileHeader *out_header, GError **error)
{
    Elf64_Ehdr wide = { 0 };
    Elf32_Ehdr narrow = { 0 };

    if (class == ELFCLASS64) {
        if (!read_at(fd, &wide, sizeof wide, 0, subject, error))
            return false;
        *out_header = (FileHeader){ wide.e_type, wide.e_phentsize, wide.e_phnum,
                                    wide.e_phoff };
    } else {
        if (!read_at(fd, &narrow, sizeof narrow, 0, subject, error))
            return false;
        *out_header = (FileHeader){ narrow.e_type, narrow.e_phentsize,
                                    narrow.e_phnum, narrow.e_phoff };
    }
    return true;
}

static bool check_header(const FileHeader *header, const char *subject,
                         uint8_t class, GError **error)
{
    size_t entry_size =
        class == ELFCLASS64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);

    if (header->type == ET_REL)
        return refuse(subject, "is an object file that was never linked",
                      error);
    if (header->type == ET_CORE)
        return refuse(subject, "is a core dump", error);
    if ((header->type != ET_EXEC && header->type != ET_DYN) ||
        header->entry_size != entry_size || header->n_entries == 0 ||
        (size_t)header->n_entries * entry_size > HEADERS_MAX)
        return refuse(subject, "has a malformed ELF header", error);
    return true;
}

static bool read_segment(int fd, const char *subject, uint8_t class,
                         uint64_t offset, Segment *out_segment, GError **error)
{
    Elf64_Phdr wide = { 0 };
    Elf32_Phdr narrow = { 0 };

    if (class == ELFCLASS64) {
        if (!read_at(fd, &wide, sizeof wide, offset, subject, error))
            return false;
        *out_segment = (Segment){ wide.p_type, wide.p_offset, wide.p_filesz };
    } else {
        if (!read_at(fd, &narrow, sizeof narrow, offset, subject, error))
            return false;
        *out_segment =
            (Segment){ narrow.p_type, narrow.p_offset, narrow.p_filesz };
    }
    return true;
}

/* PT_INTERP: a path with its NUL; the bounds are the kernel's. */
static bool read_loader(int fd, const char *subject, const Segment *segment,
                        char **out_loader, GError **error)
{
    char path[PATH_MAX] = "";

    if (segment->size < 2 || segment->size > sizeof path)
        return refuse(subject, "names its loader in a malformed way", error);
    if (!read_at(fd, path, segment->size, segment->offset, subject, error))
        return false;
    if (path[segment->size - 1] != '\0' || path[0] == '\0')
        return refuse(subject, "names its loader in a malformed way", error);
    *out_loader = g_strdup(path);
    return true;
}

static bool check_segments(int fd, const char *subject, uint8_t class,
                           const FileHeader *header, char **out_loader,
                           GError **error)
{
    g_autofree char *loader = NULL;
    struct stat status = { 0 };

    if (fstat(fd, &status) < 0)
        return refuse(subject, "cannot be looked at", error);
    for (unsigned i = 0; i < header->n_entries; i++) {
        uint64_t offset =
            header->table_offset + (uint64_t)i * header->entry_size;
        uint64_t size = (uint64_t)status.st_size;
        Segment segment = { 0 };

        if (!read_segment(fd, subject, class, offset, &segment, error))
            return false;
        if (segment.type == PT_LOAD &&
            (segment.offset > size || segment.size > size - segment.offset))
            return refuse(subject, "is cut off or damaged", error);
        /* the kernel takes the first one */
        if (segment.type == PT_INTERP && loader == NULL &&
            !read_loader(fd, subject, &segment, &loader, error))
            return false;
    }
    *out_loader = g_steal_pointer(&loader);
    return true;
}

static uint16_t read_machine(const uint8_t *bytes, uint8_t data)
{
    if (data == ELFDATA2MSB)
        return (uint16_t)(bytes[0] << 8 | bytes[1]);
    return (uint16_t)(bytes[1] << 8 | bytes[0]);
}

bool rn_elf_check(int fd, const char *subject, RnElfJudgement judgement,
                  char **out_loader, GError **error)
{
    /* the same in all classes and byte orders up to e_machine's end */
    uint8_t start[G_STRUCT_OFFSET(Elf64_Ehdr, e_machine) + 2] = { 0 };
    uint8_t class = 0;
    uint16_t machine = 0;
    FileHeader header = { 0 };

    if (!read_at(fd, start, sizeof start, 0, subject, error))
        return false;
    class = start[EI_CLASS];
    machine = read_machine(start + G_STRUCT_OFFSET(Elf64_Ehdr, e_machine),
                           start[EI_DATA]);
    if ((class != ELFCLASS32 && class != ELFCLASS64) ||
        (start[EI_DATA] != ELFDATA2LSB && start[EI_DATA] != ELFDATA2MSB))
        return refuse(subject, "has a malformed ELF header", error);
    if (!is_native(machine, start)) {
        if (judgement == RN_ELF_NATIVE_ONLY)
            return refuse_machine(subject, machine, start, error);
        *out_loader = NULL;
        return true;
    }
    return read_header(fd, subject, class, &header, error) &&
           check_header(&header, subject, class, error) &&
           check_segments(fd, subject, class, &header, out_loader, error);
}
