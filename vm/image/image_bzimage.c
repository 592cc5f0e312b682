/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linux's bzImage by its 64-bit boot protocol (Documentation/arch/x86/boot.rst). The file:
 *
 *     0                       setup code of real mode, which is not run
 *     0x1f1                   its header, which goes into boot_params
 *     (setup_sects + 1) * 512 the kernel: to pref_address, entered 0x200 behind that
 */

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "vm/firmware/e820.h"
#include "vm/image/image_x86.h"
#include "vm/machine/machine_pc.h"
#include "vm/vm.h"

#define HEADER_OFFSET 0x1f1u
#define HEADER_MAGIC 0x53726448u /* "HdrS" */
#define BOOT_FLAG 0xaa55u
#define VERSION_2_12 0x020cu /* xloadflags */
#define SECTOR_BYTES 512u
#define OLD_SETUP_SECTS 4u /* what 0 means */
#define ENTRY_OFFSET 0x200u
#define LOWEST_LOAD 0x100000u
#define LOADER_UNDEFINED 0xff

#define LOADED_HIGH BIT(0)
#define CAN_USE_HEAP BIT(7)
#define XLF_KERNEL_64 BIT(0)
#define XLF_ABOVE_4G BIT(1)

struct setup_header {
    uint8_t setup_sects;
    uint16_t root_flags;
    uint32_t syssize; /* of the kernel, in units of 16 bytes */
    uint16_t ram_size, vid_mode, root_dev, boot_flag;
    uint8_t jump[2]; /* its second byte: how long the header is from here on */
    uint32_t header;
    uint16_t version;
    uint32_t realmode_swtch;
    uint16_t start_sys_seg, kernel_version;
    uint8_t type_of_loader, loadflags;
    uint16_t setup_move_size;
    uint32_t code32_start, ramdisk_image, ramdisk_size, bootsect_kludge;
    uint16_t heap_end_ptr;
    uint8_t ext_loader_ver, ext_loader_type;
    uint32_t cmd_line_ptr, initrd_addr_max, kernel_alignment;
    uint8_t relocatable_kernel, min_alignment;
    uint16_t xloadflags;
    uint32_t cmdline_size, hardware_subarch;
    uint64_t hardware_subarch_data;
    uint32_t payload_offset, payload_length;
    uint64_t setup_data, pref_address;
    uint32_t init_size, handover_offset, kernel_info_offset;
} __attribute__((packed));

_Static_assert(offsetof(struct setup_header, header) == 0x202 - HEADER_OFFSET, "boot.rst");
_Static_assert(offsetof(struct setup_header, pref_address) == 0x258 - HEADER_OFFSET, "boot.rst");

/* What is not named is zero (Documentation/arch/x86/zero-page.rst). */
struct boot_params {
    struct {
        uint8_t cursor_x, cursor_y;
        uint16_t ext_mem_k, page;
        uint8_t mode, columns;
        uint16_t unused, ega_bx, unused2;
        uint8_t lines, is_vga;
        uint16_t character_lines;
        uint8_t rest[0x70 - 0x12];
    } screen;
    uint64_t acpi_rsdp;
    uint8_t unused[0x1e8 - 0x78];
    uint8_t e820_entries;
    uint8_t unused2[HEADER_OFFSET - 0x1e9];
    struct setup_header header;
    uint8_t unused3[0x2d0 - HEADER_OFFSET - sizeof(struct setup_header)];
    struct e820_entry e820[E820_MAX];
} __attribute__((packed));

_Static_assert(offsetof(struct boot_params, acpi_rsdp) == 0x70, "zero-page.rst");
_Static_assert(offsetof(struct boot_params, e820_entries) == 0x1e8, "zero-page.rst");
_Static_assert(offsetof(struct boot_params, e820) == 0x2d0, "zero-page.rst");
_Static_assert(sizeof(struct boot_params) <= LOW_INFO - LOW_BOOT_PARAMS, "room");

static bool read_header(const struct blob *kernel, struct setup_header *out)
{
    if (kernel->bytes < HEADER_OFFSET + sizeof(*out))
        return false;
    memcpy(out, (const uint8_t *)kernel->data + HEADER_OFFSET, sizeof(*out));
    return out->header == HEADER_MAGIC;
}

static bool bzimage_matches(const struct blob *kernel)
{
    struct setup_header header;

    return read_header(kernel, &header);
}

/* Where in the file the kernel itself starts. */
static size_t setup_bytes(const struct setup_header *header)
{
    const unsigned sects = header->setup_sects != 0 ? header->setup_sects : OLD_SETUP_SECTS;

    return (sects + 1) * SECTOR_BYTES;
}

/* NULL, or what is wrong. */
static const char *check_header(const struct vm_config *config, const struct setup_header *header)
{
    const size_t bytes = config->kernel.bytes, setup = setup_bytes(header);

    if (header->boot_flag != BOOT_FLAG)
        return "setup header: boot_flag is not 0xaa55";
    if (header->version < VERSION_2_12)
        return "setup header: version is older than 2.12, which has no 64-bit entry";
    if (!(header->loadflags & LOADED_HIGH))
        return "setup header: loadflags: a zImage, which goes below 1 MiB";
    if (!(header->xloadflags & XLF_KERNEL_64))
        return "setup header: xloadflags: no 64-bit entry";
    if (setup >= bytes)
        return "setup header: setup_sects reaches beyond the file";
    if ((uint64_t)header->syssize * 16 > ALIGN_UP((uint64_t)(bytes - setup), 16))
        return "setup header: syssize: the file is truncated";
    if (header->relocatable_kernel && !is_power_of_two(header->kernel_alignment))
        return "setup header: kernel_alignment is not a power of two";
    if (header->pref_address < LOWEST_LOAD || header->pref_address > UINT32_MAX)
        return "setup header: pref_address is below 1 MiB or above 4 GiB";
    if (header->init_size < ENTRY_OFFSET)
        return "setup header: init_size makes no sense";
    return NULL;
}

/* Where the configuration wants it; else where it wants to be; else as low as possible. */
static const char *choose_base(const struct vm_config *config, const struct setup_header *header,
                               uint64_t size, uint64_t *base)
{
    *base = header->pref_address;
    if (config->has_load && config->load.raw != *base) {
        *base = config->load.raw;
        if (!header->relocatable_kernel)
            return "is not pref_address, and the kernel is not relocatable";
        if (*base % header->kernel_alignment != 0)
            return "is not a multiple of the kernel's kernel_alignment";
        if (*base + size > UINT32_MAX)
            return "is too high for the 4 GiB that are mapped at its start";
    } else if (header->relocatable_kernel && !vm_config_has_ram(config, gpa(*base), size)) {
        *base = ALIGN_UP((uint64_t)LOWEST_LOAD, header->kernel_alignment);
    }
    return NULL;
}

static status_t bzimage_place(const struct vm_config *config, struct image_place *out)
{
    struct setup_header header;
    uint64_t base, size;
    const char *why;
    status_t status;

    if (!read_header(&config->kernel, &header))
        return image_reject(config, "kernel", "not a bzImage: no \"HdrS\" at offset 0x202");
    why = check_header(config, &header);
    if (why != NULL)
        return image_reject(config, "kernel", why);
    if (strlen(config->cmdline) > header.cmdline_size)
        return image_reject(config, "cmdline", "is longer than the kernel takes it (cmdline_size)");
    size = MAX((uint64_t)header.init_size, config->kernel.bytes - setup_bytes(&header));
    why = choose_base(config, &header, size, &base);
    if (why != NULL)
        return image_reject(config, "load", why);
    status = image_check_fit(config, "kernel", base, size);
    if (status == OK)
        status = image_check_fit(config, "boot parameters", 0, LOW_END);
    if (status != OK)
        return status;
    *out = (struct image_place){
        .base = gpa(base),
        .end = gpa(base + size),
        .entry = gpa(base + ENTRY_OFFSET),
        .initrd_last = header.xloadflags & XLF_ABOVE_4G ? UINT32_MAX : header.initrd_addr_max,
    };
    return image_x86_check(config, out);
}

static status_t bzimage_load(struct vm *vm, const struct image_place *place)
{
    struct setup_header header;
    struct blob kernel = vm->config.kernel;

    if (!read_header(&kernel, &header) || setup_bytes(&header) > kernel.bytes)
        return ERR_INVALID_ARGS;
    kernel.data = (const uint8_t *)kernel.data + setup_bytes(&header);
    kernel.bytes -= setup_bytes(&header);
    return vm_image_load_region(vm, place->base, &kernel, place->end.raw - place->base.raw);
}

/* The header as far as the kernel says that it reaches; with what a loader fills in. */
static void fill_header(struct boot_params *params, const struct setup_header *header,
                        const struct vm_config *config, const struct image_plan *plan)
{
    const size_t bytes = offsetof(struct setup_header, header) + header->jump[1];

    memcpy(&params->header, header, MIN(bytes, sizeof(*header)));
    params->header.type_of_loader = LOADER_UNDEFINED;
    params->header.loadflags &= (uint8_t)~CAN_USE_HEAP;
    params->header.cmd_line_ptr = LOW_CMDLINE;
    if (config->initrd.data != NULL) {
        params->header.ramdisk_image = (uint32_t)plan->initrd.raw;
        params->header.ramdisk_size = (uint32_t)config->initrd.bytes;
    }
}

/* What a BIOS tells: the text page of a VGA, ACPI, memory. */
static void fill_params(struct boot_params *params, const struct vm_config *config)
{
    if (pc_is(config)) {
        params->screen.mode = 3;
        params->screen.columns = 80;
        params->screen.lines = 25;
        params->screen.is_vga = 1;
        params->screen.character_lines = 16;
        params->acpi_rsdp = PC_ACPI_BASE;
    }
    params->e820_entries = (uint8_t)e820_make(config, params->e820);
}

static status_t bzimage_start(struct vm *vm, const struct image_plan *plan, struct hv_reset *start)
{
    struct boot_params params = { 0 };
    struct setup_header header;
    status_t status;

    if (!read_header(&vm->config.kernel, &header))
        return ERR_INVALID_ARGS;
    fill_header(&params, &header, &vm->config, plan);
    fill_params(&params, &vm->config);
    status = vm_write_guest(vm, gpa(LOW_BOOT_PARAMS), &params, sizeof(params));
    if (status == OK)
        status = image_x86_put_cmdline(vm);
    if (status == OK)
        status = image_x86_start_long(vm, start, plan->entry.raw, LOW_BOOT_PARAMS);
    return status;
}

const struct image_format image_bzimage = {
    .matches = bzimage_matches,
    .place = bzimage_place,
    .load = bzimage_load,
    .start = bzimage_start,
};
