/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bundles: what the host's tool writes is what the target reads; and whatever is broken in
 * one is refused with a reason, without reading a byte outside it.
 */

#define _GNU_SOURCE /* memmem */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arch/bits.h"
#include "tests/unit/captured_log.h"
#include "vm/config/bundle.h"

static const char toml[] = "[[vm]]\n"
                           "name = 'linux-1'\n"
                           "cpus = 4\n"
                           "memory = '512M'\n"
                           "kernel = 'kernel'\n"
                           "initrd = 'initrd'\n"
                           "cmdline = 'console=ttyAMA0 quiet'\n"
                           "affinity = [0, 1]\n"
                           "priority = 6\n"
                           "slice_ms = 10\n"
                           "restart = 'on-crash'\n"
                           "prefault = true\n"
                           "[[vm]]\n"
                           "name = 'bare.1'\n"
                           "machine = 'bare'\n"
                           "ram = [{ base = 0, size = '1M' }, { base = 0x100000, size = 4096 }]\n"
                           "kernel = 'initrd'\n"
                           "load = 0x10000\n"
                           "entry = 0x10004\n"
                           "format = 'raw'\n"
                           "[[vm.device]]\n"
                           "type = 'debug-console'\n"
                           "base = 0x90000000\n"
                           "[[vm.device]]\n"
                           "type = 'pl011'\n"
                           "base = 0x9000000\n"
                           "irq = 33\n"
                           "[[vm]]\n"
                           "name = 'text-pc'\n"
                           "machine = 'pc'\n"
                           "memory = '4G'\n"
                           "kernel = 'initrd'\n"
                           "format = 'raw'\n"
                           "[[vm.device]]\n"
                           "type = 'ide'\n"
                           "disk = 'data'\n"
                           "irq = 14\n"
                           "[[vm.device]]\n"
                           "type = 'uart16550'\n"
                           "port = 0x2f8\n"
                           "[[disk]]\n"
                           "name = 'data'\n"
                           "size = '1M'\n"
                           "image = 'kernel'\n"
                           "[[disk]]\n"
                           "name = 'empty'\n"
                           "size = 512\n";

static struct ram_disk_config disks[RAM_DISK_MAX];
static unsigned disk_count;

status_t ram_disk_create(const struct ram_disk_config *config)
{
    disks[disk_count++ % RAM_DISK_MAX] = *config;
    return OK;
}

static uint8_t *whole; /* a bundle of that, as the tool made it */
static size_t whole_bytes;

static void write_file(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_bundle(void **state)
{
    char folder[] = "/tmp/socle-test-bundle-XXXXXX", here[512], command[1200];
    FILE *file;

    (void)state;
    if (getcwd(here, sizeof(here)) == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0)
        return -1;
    write_file("vms.toml", toml);
    write_file("kernel", "a kernel of one line\n");
    write_file("initrd", "an initrd\n");
    (void)snprintf(command, sizeof(command), "%s/tools/socle-bundle vms.toml -o out.itb", here);
    if (system(command) != 0)
        return -1;
    file = fopen("out.itb", "r");
    whole = aligned_alloc(4096, 1 << 16);
    whole_bytes = fread(whole, 1, 1 << 16, file);
    (void)fclose(file);
    (void)snprintf(command, sizeof(command), "rm -r %s", folder);
    return chdir(here) == 0 && system(command) == 0 ? 0 : -1;
}

static int free_bundle(void **state)
{
    (void)state;
    free(whole);
    return 0;
}

/* A copy that ends where the allocation ends, so that reading past it is caught. */
static uint8_t *copy_of(size_t bytes)
{
    uint8_t *copy = malloc(bytes);

    assert_non_null(copy);
    memcpy(copy, whole, bytes);
    return copy;
}

static size_t tree_bytes(void)
{
    return fdt_totalsize(whole);
}

/* As vm/config/bundle.c has it: so that damage gets past it to what is behind. */
static void fix_check(uint8_t *copy, size_t tree)
{
    uint64_t state = 0xcbf29ce484222325, word;

    for (size_t at = 0; at < tree; at += 8) {
        memcpy(&word, copy + at, 8);
        state = (state ^ word) * 0x9e3779b97f4a7c15;
        state ^= state >> 32;
    }
    memcpy(copy + tree, &state, 8);
}

static status_t open_copy(struct bundle *bundle, const uint8_t *copy, size_t bytes)
{
    const char *why = NULL;
    status_t status = bundle_open(bundle, copy, bytes, &why);

    assert_true(status == OK || status == ERR_INVALID_ARGS);
    assert_true((status == OK) == (why == NULL));
    return status;
}

/* Opens and reads everything, touching each byte of each image. */
static void read_everything(const uint8_t *copy, size_t bytes)
{
    struct bundle bundle;
    struct vm_config config;
    volatile uint8_t sum = 0;

    if (open_copy(&bundle, copy, bytes) != OK)
        return;
    for (unsigned i = 0; i < bundle_vm_count(&bundle); i++) {
        const struct blob *blobs[] = { &config.kernel, &config.initrd, &config.fdt,
                                       &config.firmware };

        if (bundle_vm(&bundle, i, &config) != OK)
            continue;
        assert_in_range(config.cpus, 1, VM_MAX_VCPUS);
        for (unsigned j = 0; j < ARRAY_SIZE(blobs); j++)
            for (size_t at = 0; at < blobs[j]->bytes; at++)
                sum = (uint8_t)(sum + ((const uint8_t *)blobs[j]->data)[at]);
    }
    disk_count = 0;
    bundle_make_disks(&bundle);
    for (unsigned i = 0; i < disk_count; i++)
        for (size_t at = 0; at < disks[i].image.bytes; at++)
            sum = (uint8_t)(sum + ((const uint8_t *)disks[i].image.data)[at]);
}

static void what_the_tool_writes_reads_back(void **state)
{
    struct bundle bundle;
    struct vm_config vm;

    (void)state;
    assert_int_equal(open_copy(&bundle, whole, whole_bytes), OK);
    assert_int_equal(bundle_vm_count(&bundle), 3);
    assert_int_equal(bundle_vm(&bundle, 0, &vm), OK);
    assert_string_equal(vm.name, "linux-1");
    assert_string_equal(vm.machine, "virt");
    assert_int_equal(vm.cpus, 4);
    assert_int_equal(vm.ram_count, 1);
    assert_int_equal(vm.ram[0].base.raw, 0x40000000);
    assert_int_equal(vm.ram[0].size, 512 << 20);
    assert_string_equal(vm.cmdline, "console=ttyAMA0 quiet");
    assert_int_equal(vm.affinity, 3);
    assert_int_equal(vm.priority, 6);
    assert_int_equal(vm.slice_ns, 10000000);
    assert_int_equal(vm.restart, VM_RESTART_ON_CRASH);
    assert_true(vm.prefault);
    assert_int_equal(vm.kernel.bytes, 21);
    assert_memory_equal(vm.kernel.data, "a kernel of one line\n", 21);
    assert_int_equal((uintptr_t)vm.kernel.data % 4096, 0);
    assert_memory_equal(vm.initrd.data, "an initrd\n", 10);
    assert_null(vm.firmware.data);
    assert_false(vm.has_load);
}

static void regions_devices_and_addresses_read_back(void **state)
{
    struct bundle bundle;
    struct vm_config vm;

    (void)state;
    assert_int_equal(open_copy(&bundle, whole, whole_bytes), OK);
    assert_int_equal(bundle_vm(&bundle, 1, &vm), OK);
    assert_string_equal(vm.name, "bare.1");
    assert_int_equal(vm.ram_count, 2);
    assert_int_equal(vm.ram[1].base.raw, 0x100000);
    assert_int_equal(vm.ram[1].size, 4096);
    assert_true(vm.has_load && vm.has_entry);
    assert_int_equal(vm.load.raw, 0x10000);
    assert_int_equal(vm.entry.raw, 0x10004);
    assert_int_equal(vm.format, VM_IMAGE_RAW);
    assert_int_equal(vm.priority, 4);
    assert_int_equal(vm.device_count, 2);
    assert_string_equal(vm.devices[0].type, "debug-console");
    assert_int_equal(vm.devices[0].irq, 0);
    assert_int_equal(vm.devices[1].base.raw, 0x9000000);
    assert_int_equal(vm.devices[1].irq, 33);
    assert_int_equal(bundle_vm(&bundle, 3, &vm), ERR_NOT_FOUND);
}

static void ports_and_disks_read_back(void **state)
{
    struct bundle bundle;
    struct vm_config vm;

    (void)state;
    assert_int_equal(open_copy(&bundle, whole, whole_bytes), OK);
    assert_int_equal(bundle_vm(&bundle, 2, &vm), OK);
    assert_string_equal(vm.machine, "pc");
    assert_int_equal(vm.ram_count, 3);
    assert_int_equal(vm.ram[1].base.raw, 0xc0000);
    assert_int_equal(vm.ram[2].base.raw, 1ull << 32);
    assert_string_equal(vm.devices[0].type, "ide");
    assert_string_equal(vm.devices[0].disk, "data");
    assert_int_equal(vm.devices[1].port, 0x2f8);
    disk_count = 0;
    bundle_make_disks(&bundle);
    assert_int_equal(disk_count, 2);
    assert_string_equal(disks[0].name, "data");
    assert_int_equal(disks[0].size, 1 << 20);
    assert_memory_equal(disks[0].image.data, "a kernel of one line\n", 21);
    assert_string_equal(disks[1].name, "empty");
    assert_int_equal(disks[1].size, 512);
    assert_null(disks[1].image.data);
}

static void a_truncated_bundle_is_refused(void **state)
{
    (void)state;
    for (size_t bytes = 0; bytes < whole_bytes; bytes += bytes < 4200 ? 1 : 97) {
        uint8_t *copy = copy_of(bytes);
        struct bundle bundle;

        assert_int_equal(open_copy(&bundle, copy, bytes), ERR_INVALID_ARGS);
        free(copy);
    }
}

static void a_flipped_bit_in_the_tree_is_noticed(void **state)
{
    uint8_t *copy = copy_of(whole_bytes);
    struct bundle bundle;

    (void)state;
    for (size_t bit = 0; bit < (tree_bytes() + 8) * 8; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(open_copy(&bundle, copy, whole_bytes), ERR_INVALID_ARGS);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(open_copy(&bundle, copy, whole_bytes), OK);
    free(copy);
}

/* Damage that the check does not show: reading stays inside the file. */
static void a_forged_tree_is_read_safely(void **state)
{
    unsigned seed = 12345;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t *copy = copy_of(whole_bytes);

        for (unsigned damage = 0; damage <= round % 3; damage++) {
            seed = seed * 1103515245 + 12345;
            size_t at = (seed >> 8) % tree_bytes();
            seed = seed * 1103515245 + 12345;
            copy[at] = (uint8_t)(seed >> 16);
        }
        size_t tree = fdt_totalsize(copy);
        if (tree % 8 == 0 && tree + 8 <= whole_bytes)
            fix_check(copy, tree);
        read_everything(copy, whole_bytes);
        free(copy);
    }
}

/* Opens a copy with `text` of the same length instead, and gives VM 0's status. */
static status_t status_with(const char *old, const void *text, size_t bytes)
{
    uint8_t *copy = copy_of(whole_bytes);
    uint8_t *at = memmem(copy, tree_bytes(), old, strlen(old));
    struct bundle bundle;
    struct vm_config vm;
    status_t status;

    assert_non_null(at);
    memcpy(at, text, bytes);
    fix_check(copy, tree_bytes());
    assert_int_equal(open_copy(&bundle, copy, whole_bytes), OK);
    status = bundle_vm(&bundle, 0, &vm);
    free(copy);
    return status;
}

static void a_wrong_value_is_logged_with_vm_key_and_reason(void **state)
{
    (void)state;
    assert_int_equal(status_with("on-crash", "on-panic", 8), ERR_INVALID_ARGS);
    assert_string_equal(logged,
                        "linux-1: bundle: key 'restart': is not one of the words it may be");
    assert_int_equal(status_with("cmdline", "cmdlime", 7), ERR_INVALID_ARGS);
    assert_string_equal(logged, "linux-1: bundle: key 'cmdlime': unknown");
    assert_int_equal(status_with("linux-1", "linux 1", 7), ERR_INVALID_ARGS);
    assert_non_null(strstr(logged, "linux 1: bundle: key 'name': has characters other than"));
}

static void another_version_is_refused(void **state)
{
    uint8_t *copy = copy_of(whole_bytes);
    int length;
    struct bundle bundle;
    const char *why;
    const uint8_t *version = fdt_getprop(whole, 0, "version", &length);

    (void)state;
    copy[version - whole + 3]++;
    fix_check(copy, tree_bytes());
    assert_int_equal(bundle_open(&bundle, copy, whole_bytes, &why), ERR_INVALID_ARGS);
    assert_non_null(strstr(why, "version"));
    free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_tool_writes_reads_back),
        cmocka_unit_test(regions_devices_and_addresses_read_back),
        cmocka_unit_test(ports_and_disks_read_back),
        cmocka_unit_test(a_truncated_bundle_is_refused),
        cmocka_unit_test(a_flipped_bit_in_the_tree_is_noticed),
        cmocka_unit_test(a_forged_tree_is_read_safely),
        cmocka_unit_test(a_wrong_value_is_logged_with_vm_key_and_reason),
        cmocka_unit_test(another_version_is_refused),
    };

    return cmocka_run_group_tests(tests, make_bundle, free_bundle);
}
