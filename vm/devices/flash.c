/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parallel NOR flash with Intel's command set, found by the Common Flash Interface (JEDEC
 * JESD68, JEP137; commands as in Intel's StrataFlash data sheets).
 *
 * Two 16-bit chips stand side by side on a 32-bit bus. A command goes to both (the low lane
 * counts), and both give the same answer:
 *
 *     bus word  [31:16] chip 1  [15:0] chip 0       sector 256 KiB = 128 KiB of each
 *
 *     read array <--0xff-- status <--done-- program, buffered write, erase, lock
 *         |                  ^
 *         +--0x70, 0x90, 0x98--> status, read ID, CFI query
 *
 * In read array the guest reads the memory itself; in any other mode its reads trap. A bank
 * of which only the beginning is backed saves the memory of what nobody writes: behind it,
 * reads give 0xff and programming fails as a worn sector would.
 *
 * A snapshot keeps the contents with the VM's memory; the record here is the mode alone.
 */

#include "vm/devices/flash.h"

#include "arch/bits.h"
#include "arch/mem.h"
#include "arch/mmu.h"
#include "kernel/lib/string.h"
#include "kernel/pmm.h"
#include "vm/devices/flash_cfi.h"
#include "vm/state.h"

enum {
    CMD_PROGRAM_ALTERNATE = 0x10,
    CMD_ERASE = 0x20,
    CMD_PROGRAM = 0x40,
    CMD_CLEAR_STATUS = 0x50,
    CMD_LOCK = 0x60,
    CMD_READ_STATUS = 0x70,
    CMD_READ_ID = 0x90,
    CMD_CFI_QUERY = 0x98,
    CMD_CONFIRM = 0xd0, /* of erase, buffered write; unlock */
    CMD_BUFFERED_WRITE = 0xe8,
};

/* What reads give, and what the next write is. */
enum mode {
    MODE_ARRAY,
    MODE_STATUS,
    MODE_ID,
    MODE_CFI,
    MODE_PROGRAM,      /* next: the data */
    MODE_ERASE,        /* next: the confirmation */
    MODE_LOCK,         /* next: which way; nothing changes, sectors stay unlocked */
    MODE_BUFFER_COUNT, /* next: bus words to come, minus one */
    MODE_BUFFER_DATA,  /* next: one of them */
    MODE_BUFFER_CONFIRM,
    MODES,
};

#define STATUS_READY BIT(7)
#define STATUS_ERASE_FAILED BIT(5)
#define STATUS_PROGRAM_FAILED BIT(4)
#define STATUS_BAD_SEQUENCE (STATUS_ERASE_FAILED | STATUS_PROGRAM_FAILED)
#define STATUS_BITS (STATUS_READY | STATUS_BAD_SEQUENCE)

#define BUFFER_BYTES (2u << FLASH_BUFFER_LOG2)
#define BUFFER_WORDS (BUFFER_BYTES / FLASH_BANK_WIDTH)

/* What a snapshot records. */
struct flash_state {
    uint8_t mode; /* enum mode */
    uint8_t status;
    uint8_t words_left; /* of the buffered write */
    bool buffer_placed; /* its first word came */
    uint64_t buffer_base;
    uint8_t buffer[BUFFER_BYTES]; /* 0xff where nothing was written */
};

struct flash {
    struct vdev dev;
    vmo_t *memory;
    uint64_t backed, bytes;
    struct flash_reads reads;
    bool trapping;
    struct flash_state state;
};

static struct flash *from_vdev(const struct vdev *dev)
{
    return container_of(dev, struct flash, dev);
}

static void enter(struct flash *flash, enum mode mode)
{
    bool trap = mode != MODE_ARRAY;

    flash->state.mode = (uint8_t)mode;
    if (trap != flash->trapping && flash->reads.trap != NULL)
        flash->reads.trap(flash->reads.context, trap);
    flash->trapping = trap;
}

static void finish(struct flash *flash, uint64_t errors)
{
    flash->state.status |= (uint8_t)errors;
    enter(flash, MODE_STATUS);
}

/* The byte at `offset` and how many follow it contiguously; NULL: not backed, or no memory. */
static uint8_t *bytes_at(struct flash *flash, uint64_t offset, uint64_t *contiguous)
{
    struct vmo_extent extent;

    if (offset >= flash->backed || vmo_commit(flash->memory, offset, false, &extent) != OK)
        return NULL;

    uint64_t inside = offset & (extent.bytes - 1);

    *contiguous = extent.bytes - inside;
    return (uint8_t *)phys_to_virt(extent.base) + inside;
}

static uint64_t read_array(struct flash *flash, uint64_t offset, unsigned size)
{
    uint64_t value = ~0ull, contiguous;
    const uint8_t *from = bytes_at(flash, offset, &contiguous);

    if (from != NULL)
        memcpy(&value, from, MIN(size, contiguous));
    return value;
}

/* Programming turns ones into zeros, never back. */
static uint64_t program(struct flash *flash, uint64_t offset, const uint8_t *from, uint64_t bytes)
{
    uint64_t contiguous;
    uint8_t *to = bytes_at(flash, offset, &contiguous);

    if (to == NULL || contiguous < bytes)
        return STATUS_PROGRAM_FAILED;
    for (uint64_t i = 0; i < bytes; i++)
        to[i] &= from[i];
    arch_clean_for_guest(to, bytes);
    return 0;
}

/* [offset, offset + bytes) to ones. */
static status_t erase(struct flash *flash, uint64_t offset, uint64_t bytes)
{
    uint64_t contiguous;

    for (uint64_t end = offset + bytes; offset < end; offset += contiguous) {
        uint8_t *to = bytes_at(flash, offset, &contiguous);

        if (to == NULL)
            return ERR_NO_MEMORY;
        contiguous = MIN(contiguous, end - offset);
        asm_block_fill(to, ~0ull, contiguous);
        arch_clean_for_guest(to, contiguous);
    }
    return OK;
}

/* What a chip answers in other modes than read array. */
static uint8_t answer(const struct flash *flash, uint64_t word)
{
    switch (flash->state.mode) {
    case MODE_ID: return flash_id_byte(word);
    case MODE_CFI: return flash_cfi_byte(flash->bytes, word);
    default: return flash->state.status;
    }
}

static uint64_t bank_offset(const struct flash *flash, struct vdev_access access)
{
    return access.offset + (access.range == FLASH_RANGE_REST ? flash->backed : 0);
}

static uint64_t flash_read(struct vdev *dev, struct vdev_access access)
{
    struct flash *flash = from_vdev(dev);
    uint64_t offset = bank_offset(flash, access);

    if (offset >= flash->bytes)
        return 0;
    if (flash->state.mode == MODE_ARRAY)
        return read_array(flash, offset, access.size);

    uint64_t lanes = answer(flash, offset / FLASH_BANK_WIDTH) * 0x0001000100010001u;

    return lanes >> (8 * (offset & 1));
}

/* The first word decides which buffer-sized piece of the array it is; the others stay in it. */
static void buffer_word(struct flash *flash, uint64_t offset, uint64_t value, unsigned size)
{
    struct flash_state *state = &flash->state;

    if (!state->buffer_placed) {
        state->buffer_base = ALIGN_DOWN(offset, (uint64_t)BUFFER_BYTES);
        state->buffer_placed = true;
    }

    uint64_t at = offset - state->buffer_base;

    if (at > BUFFER_BYTES - size) {
        finish(flash, STATUS_BAD_SEQUENCE);
        return;
    }
    memcpy(&state->buffer[at], &value, size);
    if (--state->words_left == 0)
        enter(flash, MODE_BUFFER_CONFIRM);
}

static void start_buffer(struct flash *flash, uint8_t count)
{
    struct flash_state *state = &flash->state;

    if (count >= BUFFER_WORDS) {
        finish(flash, STATUS_BAD_SEQUENCE);
        return;
    }
    state->words_left = (uint8_t)(count + 1);
    state->buffer_placed = false;
    memset(state->buffer, 0xff, sizeof(state->buffer));
    enter(flash, MODE_BUFFER_DATA);
}

static void erase_sector(struct flash *flash, uint64_t offset)
{
    bool backed = offset < flash->backed;
    status_t status = backed
                          ? erase(flash, ALIGN_DOWN(offset, FLASH_SECTOR_BYTES), FLASH_SECTOR_BYTES)
                          : OK; /* erased it is, for ever */

    finish(flash, status == OK ? 0 : STATUS_ERASE_FAILED);
}

/* A command where none is in progress. */
static void start(struct flash *flash, uint8_t command)
{
    static const struct {
        uint8_t command, mode;
    } modes[] = {
        { CMD_PROGRAM, MODE_PROGRAM },
        { CMD_PROGRAM_ALTERNATE, MODE_PROGRAM },
        { CMD_BUFFERED_WRITE, MODE_BUFFER_COUNT },
        { CMD_ERASE, MODE_ERASE },
        { CMD_LOCK, MODE_LOCK },
        { CMD_READ_STATUS, MODE_STATUS },
        { CMD_READ_ID, MODE_ID },
        { CMD_CFI_QUERY, MODE_CFI },
    };

    if (command == CMD_CLEAR_STATUS) {
        flash->state.status = STATUS_READY;
        return;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        if (modes[i].command == command) {
            enter(flash, (enum mode)modes[i].mode);
            return;
        }
    }
    enter(flash, MODE_ARRAY); /* 0xff, and whatever it does not know */
}

static void flash_write(struct vdev *dev, struct vdev_access access, uint64_t value)
{
    struct flash *flash = from_vdev(dev);
    struct flash_state *state = &flash->state;
    uint64_t offset = bank_offset(flash, access);
    uint8_t command = (uint8_t)value;

    if (offset >= flash->bytes)
        return;
    switch (state->mode) {
    case MODE_PROGRAM:
        finish(flash, program(flash, offset, (const uint8_t *)&value, access.size));
        break;
    case MODE_ERASE:
        if (command == CMD_CONFIRM)
            erase_sector(flash, offset);
        else
            finish(flash, STATUS_BAD_SEQUENCE);
        break;
    case MODE_LOCK: finish(flash, 0); break;
    case MODE_BUFFER_COUNT: start_buffer(flash, command); break;
    case MODE_BUFFER_DATA: buffer_word(flash, offset, value, access.size); break;
    case MODE_BUFFER_CONFIRM:
        if (command == CMD_CONFIRM)
            finish(flash, program(flash, state->buffer_base, state->buffer, BUFFER_BYTES));
        else
            finish(flash, STATUS_BAD_SEQUENCE);
        break;
    default: start(flash, command); break;
    }
}

static void flash_reset(struct vdev *dev)
{
    struct flash *flash = from_vdev(dev);

    flash->state = (struct flash_state){ .status = STATUS_READY };
    enter(flash, MODE_ARRAY);
}

static void flash_save(const struct vdev *dev, struct state_writer *out)
{
    const struct flash_state *state = &from_vdev(dev)->state;

    state_put_u8(out, state->mode);
    state_put_u8(out, state->status);
    state_put_u8(out, state->words_left);
    state_put_u8(out, state->buffer_placed);
    state_put_u64(out, state->buffer_base);
    state_put_bytes(out, state->buffer, sizeof(state->buffer));
}

static bool state_is_possible(const struct flash *flash, const struct flash_state *state)
{
    unsigned least = state->mode == MODE_BUFFER_DATA ? 1 : 0;

    return state->mode < MODES && state->words_left >= least && state->words_left <= BUFFER_WORDS &&
           (state->status & ~STATUS_BITS) == 0 && (state->status & STATUS_READY) != 0 &&
           state->buffer_base < flash->bytes && IS_ALIGNED(state->buffer_base, BUFFER_BYTES);
}

static status_t flash_restore(struct vdev *dev, struct state_reader *in)
{
    struct flash *flash = from_vdev(dev);
    struct flash_state state = { .mode = MODE_ARRAY };
    uint8_t placed;

    state.mode = state_get_u8(in);
    state.status = state_get_u8(in);
    state.words_left = state_get_u8(in);
    placed = state_get_u8(in);
    state.buffer_base = state_get_u64(in);
    state_get_bytes(in, state.buffer, sizeof(state.buffer));
    if (state_status(in) != OK || placed > 1 || !state_is_possible(flash, &state))
        return ERR_INVALID_ARGS;
    state.buffer_placed = placed;
    flash->state = state;
    enter(flash, (enum mode)state.mode);
    return OK;
}

static void flash_destroy(struct vdev *dev)
{
    pmm_free_wired(from_vdev(dev));
}

const struct vdev_ops flash_ops = {
    .name = "flash",
    .read = flash_read,
    .write = flash_write,
    .reset = flash_reset,
    .save = flash_save,
    .restore = flash_restore,
    .destroy = flash_destroy,
};

status_t flash_erase_all(struct vdev *dev)
{
    struct flash *flash = from_vdev(dev);

    return erase(flash, 0, flash->backed);
}

status_t flash_create(struct vdev **out, vmo_t *memory, uint64_t bank_bytes,
                      const struct flash_reads *reads)
{
    uint64_t backed = memory != NULL ? memory->size : 0;

    if (!is_power_of_two(bank_bytes) || bank_bytes < 2 * FLASH_SECTOR_BYTES ||
        bank_bytes > FLASH_BANK_BYTES || backed > bank_bytes ||
        !IS_ALIGNED(backed, FLASH_SECTOR_BYTES))
        return ERR_INVALID_ARGS;

    struct flash *flash = pmm_alloc_wired(sizeof(*flash));

    if (flash == NULL)
        return ERR_NO_MEMORY;
    flash->dev.ops = &flash_ops;
    flash->memory = memory;
    flash->backed = backed;
    flash->bytes = bank_bytes;
    if (reads != NULL)
        flash->reads = *reads;
    flash_reset(&flash->dev);
    if (flash_erase_all(&flash->dev) != OK) {
        flash_destroy(&flash->dev);
        return ERR_NO_MEMORY;
    }
    *out = &flash->dev;
    return OK;
}
