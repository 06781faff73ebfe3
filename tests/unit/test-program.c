/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test-program - what would be executed, and why it could not be
 *
 * Works on small files in a temporary directory of each test.
 */
#include "config.h"

#include <unit.h>

#include <elf.h>
#include <errno.h>
#include <unistd.h>

#include <sys/stat.h>

#include <glib/gstdio.h>

#include <rnet/runtime/program.h>

static int make_directory(void **state)
{
    *state = g_dir_make_tmp("rnet-test-XXXXXX", NULL);
    return *state == NULL ? -1 : 0;
}

/* Removes the directory and what is in it, two levels deep. */
static int remove_directory(void **state)
{
    g_autofree char *path = *state;
    g_autoptr(GDir) entries = g_dir_open(path, 0, NULL);
    const char *name = NULL;

    while ((name = g_dir_read_name(entries)) != NULL) {
        g_autofree char *entry = g_build_filename(path, name, NULL);

        if (g_file_test(entry, G_FILE_TEST_IS_DIR) &&
            !g_file_test(entry, G_FILE_TEST_IS_SYMLINK)) {
            void *inner = g_strdup(entry);

            (void)remove_directory(&inner);
        } else {
            (void)g_remove(entry);
        }
    }
    return g_rmdir(path);
}

static char *write_data(const char *directory, const char *name,
                        const void *data, gsize length, int mode)
{
    char *path = g_build_filename(directory, name, NULL);

    assert_true(g_file_set_contents(path, data, (gssize)length, NULL));
    assert_int_equal(g_chmod(path, mode), 0);
    return path;
}

static char *write_text(const char *directory, const char *name,
                        const char *text)
{
    return write_data(directory, name, text, strlen(text), 0755);
}

/* The path that `name` is found at, the caller's. */
static char *find_valid(const char *name, char **env, const char *cwd)
{
    g_autoptr(GError) error = NULL;
    char *path = NULL;

    if (!rn_program_find(name, env, cwd, false, &path, &error))
        fail_msg("%s", error->message);
    return path;
}

static void find_refused(const char *name, char **env, const char *cwd,
                         RnErrorCode code, const char *part)
{
    g_autoptr(GError) error = NULL;
    char *path = NULL;

    if (rn_program_find(name, env, cwd, false, &path, &error))
        fail_msg("found \"%s\" at \"%s\"", name, path);
    assert_null(path);
    assert_error(error, RN_ERROR, code, part);
}

static char **make_env(const char *path)
{
    return g_environ_setenv(g_new0(char *, 1), "PATH", path, TRUE);
}

static void own_program_is_found_by_path(void **state)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *found = find_valid(self, NULL, NULL);

    (void)state;
    assert_string_equal(found, self);
}

static void name_is_found_along_path(void **state)
{
    const char *directory = *state;
    g_autofree char *a = g_build_filename(directory, "a", NULL);
    g_autofree char *b = g_build_filename(directory, "b", NULL);
    g_autofree char *value = g_strdup_printf("%s/none:%s:%s", a, a, b);
    g_auto(GStrv) env = make_env(value);
    g_autofree char *denied = NULL;
    g_autofree char *good = NULL;
    g_autofree char *found = NULL;

    assert_int_equal(g_mkdir(a, 0700), 0);
    assert_int_equal(g_mkdir(b, 0700), 0);
    denied = write_data(a, "tool", "#!/proc/self/exe\n", 17, 0644);
    find_refused("tool", env, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                 "/a/tool\" is not executable");
    good = write_text(b, "tool", "#!/proc/self/exe\n");
    found = find_valid("tool", env, "/");
    assert_string_equal(found, good);
    find_refused("tool2", env, "/", RN_ERROR_PROGRAM_MISSING,
                 "program \"tool2\": executable file not found in $PATH");
}

static void first_executable_along_path_counts(void **state)
{
    const char *directory = *state;
    g_autofree char *a = g_build_filename(directory, "a", NULL);
    g_autofree char *value = g_strdup_printf("%s:%s", a, directory);
    g_auto(GStrv) env = make_env(value);
    g_autofree char *bad = NULL;
    g_autofree char *good = NULL;

    assert_int_equal(g_mkdir(a, 0700), 0);
    bad = write_text(a, "tool", "");
    good = write_text(directory, "tool", "#!/proc/self/exe\n");
    find_refused("tool", env, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                 "/a/tool\" is empty");
}

static void empty_path_element_is_the_cwd(void **state)
{
    const char *directory = *state;
    g_auto(GStrv) empty = make_env("");
    g_auto(GStrv) trailing = make_env("/nonexistent:");
    g_auto(GStrv) none = make_env("/nonexistent");
    g_autofree char *tool = write_text(directory, "tool", "#!/proc/self/exe\n");
    g_autofree char *found = find_valid("tool", empty, directory);
    g_autofree char *found2 = find_valid("tool", trailing, directory);

    assert_string_equal(found, "./tool");
    assert_string_equal(found2, "./tool");
    find_refused("tool", none, directory, RN_ERROR_PROGRAM_MISSING,
                 "(\"/nonexistent\")");
    assert_non_null(tool);
}

static void relative_path_begins_at_the_cwd(void **state)
{
    const char *directory = *state;
    g_autofree char *tool = write_text(directory, "tool", "#!/proc/self/exe\n");
    g_autofree char *found = find_valid("./tool", NULL, directory);

    assert_string_equal(found, "./tool");
    find_refused("./tool", NULL, "/proc", RN_ERROR_PROGRAM_MISSING,
                 "program \"./tool\" is missing");
    assert_non_null(tool);
}

static void unset_path_has_a_default(void **state)
{
    g_auto(GStrv) env = g_new0(char *, 1);
    g_autofree char *found = find_valid("sh", env, "/");

    (void)state;
    assert_true(g_str_has_suffix(found, "/bin/sh"));
    find_refused("", env, "/", RN_ERROR_PROGRAM_MISSING,
                 "process.args[0] is empty");
}

static void odd_files_are_told_apart(void **state)
{
    const char *directory = *state;
    g_autofree char *fifo = g_build_filename(directory, "fifo", NULL);
    g_autofree char *link = g_build_filename(directory, "link", NULL);
    g_autofree char *loop = g_build_filename(directory, "loop", NULL);
    g_autofree char *missing = g_build_filename(directory, "none", NULL);
    g_autofree char *plain = write_data(directory, "plain", "x", 1, 0644);
    g_autofree char *empty = write_text(directory, "empty", "");
    g_autofree char *text = write_text(directory, "text", "echo hello\n");
    g_autofree char *below = g_build_filename(plain, "x", NULL);

    assert_int_equal(mkfifo(fifo, 0755), 0);
    assert_int_equal(symlink("nowhere", link), 0);
    assert_int_equal(symlink("loop", loop), 0);
    find_refused(missing, NULL, "/", RN_ERROR_PROGRAM_MISSING,
                 "/none\" is missing");
    find_refused(below, NULL, "/", RN_ERROR_PROGRAM_MISSING, "is missing");
    find_refused(link, NULL, "/", RN_ERROR_PROGRAM_MISSING,
                 "is a symbolic link to a missing file");
    find_refused(loop, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                 g_strerror(ELOOP));
    find_refused(directory, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                 "is a directory: permission denied");
    find_refused(fifo, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                 "is not a regular file");
    find_refused(plain, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                 "is not executable: permission denied\nhint: chmod +x");
    find_refused(empty, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE, "is empty");
    find_refused(text, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                 "is of no format");
}

static const struct {
    const char *text;
    const char *part; /* of the error; NULL: fine */
} scripts[] = {
    { "#!/proc/self/exe", NULL },
    { "#! \t/proc/self/exe -e x\necho\n", NULL },
    { "#!", "names no interpreter" },
    { "#!  \n/bin/sh\n", "names no interpreter" },
    { "#!/nonexistent/python3\n",
      "/script\": interpreter \"/nonexistent/python3\" is missing" },
    { "#!/proc/self/exe\r\n",
      "\"/proc/self/exe\\r\" is missing: no such file or directory\nhint: the script has DOS" },
    { "#!/proc\n", "interpreter \"/proc\" is a directory" },
    { "#!/proc/self/status\n", "\"/proc/self/status\" is not executable" },
    { "#!/x\033[2J\n", "interpreter \"/x\\033[2J\" is missing" },
};

static void scripts_are_followed(void **state)
{
    for (gsize i = 0; i < G_N_ELEMENTS(scripts); i++) {
        g_autofree char *path = write_text(*state, "script", scripts[i].text);
        g_autofree char *found = NULL;

        if (scripts[i].part == NULL)
            found = find_valid(path, NULL, "/");
        else
            find_refused(path, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                         scripts[i].part);
    }
}

static void script_line_that_is_cut_off_is_refused(void **state)
{
    g_autofree char *fill = g_strnfill(300, 'x');
    g_autofree char *text = g_strconcat("#!/", fill, "\n", NULL);
    g_autofree char *path = write_text(*state, "script", text);

    find_refused(path, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                 "names no interpreter");
}

static void scripts_in_a_row_are_bounded(void **state)
{
    const char *directory = *state;
    g_autofree char *before = g_strdup("/proc/self/exe");
    g_autofree char *found = NULL;

    for (int i = 1; i <= 6; i++) {
        g_autofree char *text = g_strdup_printf("#!%s\n", before);
        g_autofree char *name = g_strdup_printf("s%d", i);

        g_free(before);
        before = write_text(directory, name, text);
        if (i == 5)
            found = find_valid(before, NULL, "/");
    }
    assert_non_null(found);
    find_refused(before, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                 "is one script too many");
}

static void script_that_names_itself_is_refused(void **state)
{
    g_autofree char *path = g_build_filename(*state, "self", NULL);
    g_autofree char *text = g_strdup_printf("#!%s\n", path);
    g_autofree char *written = write_text(*state, "self", text);

    find_refused(written, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE,
                 "is one script too many");
}

/* A whole 64-bit program: header, two segments, a loader's path. */
typedef struct Image {
    Elf64_Ehdr header;
    Elf64_Phdr segments[2];
    char loader[64];
} Image;

/* This machine's values come from the test program itself. */
static Image make_image(const char *loader)
{
    g_autofree char *self = NULL;
    Image image = { 0 };

    assert_true(g_file_get_contents("/proc/self/exe", &self, NULL, NULL));
    memcpy(&image.header, self, sizeof image.header);
    if (image.header.e_ident[EI_CLASS] != ELFCLASS64) {
        print_message("the images here are 64-bit ones\n");
        skip();
    }
    image.header.e_phoff = G_STRUCT_OFFSET(Image, segments);
    image.header.e_phnum = G_N_ELEMENTS(image.segments);
    image.segments[0] =
        (Elf64_Phdr){ .p_type = PT_LOAD, .p_filesz = sizeof image };
    image.segments[1] =
        (Elf64_Phdr){ .p_type = loader == NULL ? PT_NULL : PT_INTERP,
                      .p_offset = G_STRUCT_OFFSET(Image, loader),
                      .p_filesz = loader == NULL ? 0 : strlen(loader) + 1 };
    g_strlcpy(image.loader, loader == NULL ? "" : loader, sizeof image.loader);
    return image;
}

static char *write_image(const char *directory, const Image *image)
{
    return write_data(directory, "image", image, sizeof *image, 0755);
}

static void refuse_image(const char *directory, const Image *image,
                         const char *part)
{
    g_autofree char *path = write_image(directory, image);

    find_refused(path, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE, part);
}

static void static_and_dynamic_programs_pass(void **state)
{
    Image image = make_image(NULL);
    Image dynamic = make_image("/proc/self/exe");
    g_autofree char *path = write_image(*state, &image);
    g_autofree char *found = find_valid(path, NULL, "/");
    g_autofree char *path2 = write_image(*state, &dynamic);
    g_autofree char *found2 = find_valid(path2, NULL, "/");

    assert_string_equal(found, path);
    assert_string_equal(found2, path2);
}

static void missing_loader_is_named_with_its_libc(void **state)
{
    Image musl = make_image("/lib/ld-musl-none.so.1");
    Image glibc = make_image("/lib64/ld-linux-none.so.2");
    Image other = make_image("/none/ld.so");
    Image directory = make_image("/proc");

    refuse_image(*state, &musl,
                 "/image\": loader \"/lib/ld-musl-none.so.1\" is missing: "
                 "no such file or directory\n"
                 "hint: the program was built for musl");
    refuse_image(*state, &glibc, "hint: the program was built for glibc");
    refuse_image(*state, &other, "built for another system");
    refuse_image(*state, &directory, "loader \"/proc\" is a directory");
}

static void loader_that_cannot_load_is_named(void **state)
{
    const char *directory = *state;
    g_autofree char *script = write_text(directory, "ld.sh", "#!/bin/sh\n");
    g_autofree char *foreign = g_build_filename(directory, "ld.so", NULL);
    Image loader = make_image(NULL);
    g_autofree char *written = NULL;
    Image image = make_image(script);

    refuse_image(directory, &image, "/ld.sh\" is no ELF file");
    loader.header.e_machine = 0xfefe;
    written = write_data(directory, "ld.so", &loader, sizeof loader, 0755);
    image = make_image(foreign);
    refuse_image(directory, &image, "/ld.so\" is for an unknown machine");
    assert_string_equal(written, foreign);
}

static void damaged_programs_are_refused(void **state)
{
    Image image = make_image("/proc/self/exe");
    g_autofree char *path =
        write_data(*state, "short", &image, sizeof image.header - 1, 0755);
    g_autofree char *path2 = write_data(*state, "magic", ELFMAG, SELFMAG, 0755);
    g_autofree char *path3 =
        write_data(*state, "cut", &image, sizeof image - 1, 0755);

    find_refused(path, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE, "is cut off");
    find_refused(path2, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE, "is cut off");
    find_refused(path3, NULL, "/", RN_ERROR_PROGRAM_UNRUNNABLE, "is cut off");
    image.segments[0].p_offset = UINT64_MAX;
    refuse_image(*state, &image, "is cut off");
    image = make_image("/proc/self/exe");
    image.header.e_phoff = UINT64_MAX - 8;
    refuse_image(*state, &image, "is cut off");
    image = make_image("/proc/self/exe");
    image.segments[1].p_filesz = 5; /* the NUL is not in it */
    refuse_image(*state, &image, "names its loader in a malformed way");
    image.segments[1].p_filesz = 5000;
    refuse_image(*state, &image, "names its loader in a malformed way");
}

static void other_headers_are_refused(void **state)
{
    Image image = make_image(NULL);

    image.header.e_type = ET_REL;
    refuse_image(*state, &image, "object file");
    image.header.e_type = ET_CORE;
    refuse_image(*state, &image, "core dump");
    image.header.e_type = ET_NONE;
    refuse_image(*state, &image, "malformed ELF header");
    image = make_image(NULL);
    image.header.e_phentsize--;
    refuse_image(*state, &image, "malformed ELF header");
    image = make_image(NULL);
    image.header.e_phnum = 0;
    refuse_image(*state, &image, "malformed ELF header");
    image.header.e_phnum = 60000;
    refuse_image(*state, &image, "malformed ELF header");
    image = make_image(NULL);
    image.header.e_ident[EI_CLASS] = 7;
    refuse_image(*state, &image, "malformed ELF header");
}

static void other_machines_are_named(void **state)
{
    Image image = make_image(NULL);
    uint16_t other =
        image.header.e_machine == EM_AARCH64 ? EM_X86_64 : EM_AARCH64;
    const char *part = other == EM_AARCH64
                           ? "is for aarch64, this machine is "
                           : "is for x86-64, this machine is aarch64";
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_autofree char *found = NULL;

    image.header.e_machine = 0xfefe;
    refuse_image(*state, &image, "is for an unknown machine");
    image.header.e_machine = other;
    refuse_image(*state, &image, part);
    refuse_image(*state, &image, "hint: take the image for this machine");
    path = write_image(*state, &image);
    assert_true(rn_program_find(path, NULL, "/", true, &found, &error));
    assert_no_error(error);
}

static void other_byte_order_is_named(void **state)
{
    Image image = make_image(NULL);
    bool little = image.header.e_ident[EI_DATA] == ELFDATA2LSB;

    image.header.e_ident[EI_DATA] = little ? ELFDATA2MSB : ELFDATA2LSB;
    image.header.e_machine = GUINT16_SWAP_LE_BE(EM_PPC64);
    refuse_image(*state, &image,
                 little ? "is for ppc64 (big-endian), this"
                        : "is for ppc64 (little-endian), this");
}

static void foreign_formats_pass_where_asked_for(void **state)
{
    g_autofree char *text = write_text(*state, "text", "PK\003\004");
    g_autofree char *empty = write_text(*state, "empty", "");
    g_autofree char *found = NULL;
    g_autoptr(GError) error = NULL;

    assert_true(rn_program_find(text, NULL, "/", true, &found, &error));
    assert_no_error(error);
    assert_false(rn_program_find(empty, NULL, "/", true, &found, &error));
    assert_error(error, RN_ERROR, RN_ERROR_PROGRAM_UNRUNNABLE, "is empty");
}

#define test(function)                                                         \
    cmocka_unit_test_setup_teardown(function, make_directory, remove_directory)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(own_program_is_found_by_path),
        test(name_is_found_along_path),
        test(first_executable_along_path_counts),
        test(empty_path_element_is_the_cwd),
        test(relative_path_begins_at_the_cwd),
        test(unset_path_has_a_default),
        test(odd_files_are_told_apart),
        test(scripts_are_followed),
        test(script_line_that_is_cut_off_is_refused),
        test(scripts_in_a_row_are_bounded),
        test(script_that_names_itself_is_refused),
        test(static_and_dynamic_programs_pass),
        test(missing_loader_is_named_with_its_libc),
        test(loader_that_cannot_load_is_named),
        test(damaged_programs_are_refused),
        test(other_headers_are_refused),
        test(other_machines_are_named),
        test(other_byte_order_is_named),
        test(foreign_formats_pass_where_asked_for),
    };

    return cmocka_run_group_tests_name("program", tests, NULL, NULL);
}
