/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Firmware configuration device, as QEMU's documentation (docs/specs/fw_cfg) describes it.
 * Firmware selects an item by number and reads it from its start, byte by byte or by DMA.
 *
 *     0x00  data      1 to 8 bytes: the item's next ones, in memory order
 *     0x08  selector  2 bytes, big-endian
 *     0x10  DMA       8 bytes, big-endian (or two halves): address of a request; go
 *
 * A request in guest memory, big-endian, and its status, written when all is done:
 *
 *     0  control  bit 0 error, 1 read, 2 skip, 3 select [31:16], 4 write
 *     4  length   8  address
 */

#include "vm/devices/fw_cfg.h"

#include "arch/bits.h"
#include "kernel/lib/string.h"
#include "kernel/pmm.h"
#include "vm/state.h"

enum { REG_DATA = 0x00, REG_SELECTOR = 0x08, REG_DMA = 0x10, REG_DMA_LOW = 0x14 };

#define ID_TRADITIONAL_AND_DMA 3
#define DMA_SIGNATURE 0x51454d5520434647 /* "QEMU CFG" */

#define DMA_ERROR BIT(0)
#define DMA_READ BIT(1)
#define DMA_SKIP BIT(2)
#define DMA_SELECT BIT(3)
#define DMA_WRITE BIT(4)

/* Reading past an item gives zeros, by DMA up to this many: firmware rounds, but not wildly. */
#define DMA_MAX_FILL 65536u

#define ITEMS (FW_CFG_FILE_FIRST + FW_CFG_MAX_FILES)

struct item {
    const uint8_t *data; /* NULL: not there, reads as empty */
    uint32_t bytes;
    uint8_t integer[8]; /* where small data lies */
};

/* The directory as the guest reads it: count, then one entry for each file. All big-endian. */
struct directory {
    uint32_t count;
    struct directory_entry {
        uint32_t bytes;
        uint16_t key;
        uint16_t reserved;
        char name[FW_CFG_NAME_BYTES];
    } files[FW_CFG_MAX_FILES];
};

_Static_assert(sizeof(struct directory_entry) == 64, "what a guest expects");

struct dma_request {
    uint32_t control, length;
    uint64_t address;
};

struct fw_cfg {
    struct vdev dev;
    struct fw_cfg_memory memory;
    struct item items[ITEMS];
    struct directory directory;
    unsigned file_count;
    uint16_t key;      /* selected */
    uint32_t position; /* in the selected item; not beyond its end */
    uint32_t dma_high; /* written, waiting for the other half */
};

static uint16_t be16(uint64_t value)
{
    return __builtin_bswap16((uint16_t)value);
}

static uint32_t be32(uint64_t value)
{
    return __builtin_bswap32((uint32_t)value);
}

static struct fw_cfg *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct fw_cfg, dev);
}

static const struct item *selected(const struct fw_cfg *cfg)
{
    static const struct item empty;

    return cfg->key < ITEMS ? &cfg->items[cfg->key] : &empty;
}

static void select(struct fw_cfg *cfg, uint16_t key)
{
    cfg->key = key;
    cfg->position = 0;
}

static uint64_t read_data(struct fw_cfg *cfg, unsigned size)
{
    const struct item *item = selected(cfg);
    uint64_t value = 0;

    for (unsigned i = 0; i < size && cfg->position < item->bytes; i++)
        value |= (uint64_t)item->data[cfg->position++] << (8 * i);
    return value;
}

static status_t fill_zeros(struct fw_cfg *cfg, gpa_t to, uint32_t bytes)
{
    static const uint8_t zeros[1024];
    status_t status = OK;

    for (uint32_t done = 0; status == OK && done < bytes; done += (uint32_t)sizeof(zeros))
        status = cfg->memory.write(cfg->memory.context, gpa_add(to, done), zeros,
                                   MIN((size_t)(bytes - done), sizeof(zeros)));
    return status;
}

/* One pass over what is left of the item, then a bounded number of zeros. */
static status_t dma_read(struct fw_cfg *cfg, gpa_t to, uint32_t length)
{
    const struct item *item = selected(cfg);
    uint32_t bytes = MIN(length, item->bytes - cfg->position);
    status_t status = OK;

    if (length - bytes > DMA_MAX_FILL || to.raw + length < to.raw)
        return ERR_INVALID_ARGS;
    if (bytes > 0)
        status = cfg->memory.write(cfg->memory.context, to, item->data + cfg->position, bytes);
    if (status == OK)
        status = fill_zeros(cfg, gpa_add(to, bytes), length - bytes);
    if (status == OK)
        cfg->position += bytes;
    return status;
}

static status_t dma_act(struct fw_cfg *cfg, const struct dma_request *request)
{
    uint32_t control = be32(request->control);
    uint32_t length = be32(request->length);

    if (control & DMA_SELECT)
        select(cfg, (uint16_t)(control >> 16));
    if (control & DMA_READ)
        return dma_read(cfg, gpa(__builtin_bswap64(request->address)), length);
    if (control & DMA_WRITE)
        return ERR_UNSUPPORTED; /* nothing here is the guest's to write */
    if (control & DMA_SKIP)
        cfg->position += MIN(length, selected(cfg)->bytes - cfg->position);
    return OK;
}

static void dma(struct fw_cfg *cfg, gpa_t where)
{
    const struct fw_cfg_memory *memory = &cfg->memory;
    struct dma_request request;
    uint32_t result;

    if (memory->read(memory->context, where, &request, sizeof(request)) != OK)
        return; /* nowhere to tell it */
    result = dma_act(cfg, &request) == OK ? 0 : be32(DMA_ERROR);
    memory->write(memory->context, where, &result, sizeof(result));
}

static uint64_t fw_cfg_read(struct vdev *dev, struct vdev_access access)
{
    uint64_t signature = __builtin_bswap64(DMA_SIGNATURE);

    if (access.offset < REG_SELECTOR)
        return read_data(from_vdev(dev), access.size);
    if (access.offset >= REG_DMA && access.offset < FW_CFG_BYTES)
        return signature >> (8 * (access.offset - REG_DMA));
    return 0;
}

static void fw_cfg_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct fw_cfg *cfg = from_vdev(dev);

    if (access.offset == REG_SELECTOR && access.size == 2) {
        select(cfg, be16(value));
    } else if (access.offset == REG_DMA && access.size == 8) {
        dma(cfg, gpa(__builtin_bswap64(value)));
    } else if (access.offset == REG_DMA && access.size == 4) {
        cfg->dma_high = be32(value);
    } else if (access.offset == REG_DMA_LOW && access.size == 4) {
        gpa_t where = gpa((uint64_t)cfg->dma_high << 32 | be32(value));

        cfg->dma_high = 0;
        dma(cfg, where);
    }
}

static void fw_cfg_reset(struct vdev *dev)
{
    struct fw_cfg *cfg = from_vdev(dev);

    select(cfg, FW_CFG_SIGNATURE);
    cfg->dma_high = 0;
}

static void fw_cfg_save(const struct vdev *dev, struct state_writer *out)
{
    const struct fw_cfg *cfg = from_vdev(dev);

    state_put_u16(out, cfg->key);
    state_put_u32(out, cfg->position);
    state_put_u32(out, cfg->dma_high);
}

static status_t fw_cfg_restore(struct vdev *dev, struct state_reader *in)
{
    struct fw_cfg *cfg = from_vdev(dev);

    select(cfg, state_get_u16(in));

    uint32_t position = state_get_u32(in);
    uint32_t dma_high = state_get_u32(in);

    if (state_status(in) != OK || position > selected(cfg)->bytes)
        return ERR_INVALID_ARGS;
    cfg->position = position;
    cfg->dma_high = dma_high;
    return OK;
}

static void fw_cfg_destroy(struct vdev *dev)
{
    pmm_free_wired(from_vdev(dev));
}

const struct vdev_ops fw_cfg_ops = {
    .name = "fw-cfg",
    .read = fw_cfg_read,
    .write = fw_cfg_write,
    .reset = fw_cfg_reset,
    .save = fw_cfg_save,
    .restore = fw_cfg_restore,
    .destroy = fw_cfg_destroy,
};

static status_t add_item(struct fw_cfg *cfg, unsigned key, const void *data, size_t bytes)
{
    struct item *item = &cfg->items[key];

    if (bytes > UINT32_MAX)
        return ERR_INVALID_ARGS;
    if (item->data != NULL)
        return ERR_ALREADY_EXISTS;
    item->data = data;
    item->bytes = (uint32_t)bytes;
    return OK;
}

status_t fw_cfg_add_bytes(struct vdev *dev, enum fw_cfg_key key, const void *data, size_t bytes)
{
    return key < FW_CFG_FILE_FIRST ? add_item(from_vdev(dev), key, data, bytes) : ERR_INVALID_ARGS;
}

status_t fw_cfg_add_integer(struct vdev *dev, enum fw_cfg_key key, uint64_t value, unsigned size)
{
    if (key >= FW_CFG_FILE_FIRST || size > sizeof(value))
        return ERR_INVALID_ARGS;

    uint8_t *integer = from_vdev(dev)->items[key].integer;
    status_t status = fw_cfg_add_bytes(dev, key, integer, size);

    for (unsigned i = 0; status == OK && i < size; i++)
        integer[i] = (uint8_t)(value >> (8 * i));
    return status;
}

status_t fw_cfg_add_file(struct vdev *dev, const char *name, const void *data, size_t bytes)
{
    struct fw_cfg *cfg = from_vdev(dev);
    struct directory *directory = &cfg->directory;
    size_t length = strnlen(name, FW_CFG_NAME_BYTES);
    unsigned key = FW_CFG_FILE_FIRST + cfg->file_count;

    if (length == 0 || length == FW_CFG_NAME_BYTES)
        return ERR_INVALID_ARGS;
    for (unsigned i = 0; i < cfg->file_count; i++)
        if (strcmp(directory->files[i].name, name) == 0)
            return ERR_ALREADY_EXISTS;
    if (cfg->file_count == FW_CFG_MAX_FILES)
        return ERR_NO_MEMORY;

    status_t status = add_item(cfg, key, data, bytes);

    if (status != OK)
        return status;

    struct directory_entry *entry = &directory->files[cfg->file_count++];

    entry->bytes = be32(bytes);
    entry->key = be16(key);
    memcpy(entry->name, name, length);
    directory->count = be32(cfg->file_count);
    cfg->items[FW_CFG_FILE_DIR].bytes += (uint32_t)sizeof(*entry);
    return OK;
}

status_t fw_cfg_create(struct vdev **out, const struct fw_cfg_memory *memory)
{
    struct fw_cfg *cfg = pmm_alloc_wired(sizeof(*cfg));

    if (cfg == NULL)
        return ERR_NO_MEMORY;
    cfg->dev.ops = &fw_cfg_ops;
    cfg->memory = *memory;
    fw_cfg_add_bytes(&cfg->dev, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_add_integer(&cfg->dev, FW_CFG_ID, ID_TRADITIONAL_AND_DMA, 4);
    fw_cfg_add_bytes(&cfg->dev, FW_CFG_FILE_DIR, &cfg->directory, sizeof(uint32_t));
    *out = &cfg->dev;
    return OK;
}
