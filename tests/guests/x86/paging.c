/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What CR4 adds to paging, as far as the hypervisor has to know it: its own walk through the
 * guest's tables, for operands of instructions that it emulates, obeys SMAP and RFLAGS.AC, SMEP,
 * CR0.WP and process-context identifiers, and leaves accessed and dirty bits as the CPU does.
 * SDM 3A 4.6 to 4.8 and 4.10.
 */
#include "tests/guests/x86/lib/guest.h"

#define VGA 0xb8000UL
#define RAM 0xa00000UL /* a page that nobody uses */
#define OTHER 0xa01000UL
#define PORT_NOTHING 0x300
#define SELECTOR_USER_DATA 0x2b
#define SELECTOR_USER_CODE 0x33

#define CR0_WP (1UL << 16)
#define CR4_PCIDE (1UL << 17)
#define CR4_SMEP (1UL << 20)
#define CR4_SMAP (1UL << 21)
#define EFLAGS_AC (1UL << 18)
#define CR3_KEEP (1UL << 63)

enum { PAGE_WRITE = 2, PAGE_USER = 4, PAGE_ACCESSED = 0x20, PAGE_DIRTY = 0x40 };
enum { PF_PRESENT = 1, PF_WRITE = 2, PF_USER = 4 };

extern uint64_t page_directories[4 * 512];

static bool has(uint32_t leaf, unsigned word, unsigned bit)
{
    const struct cpuid words = cpuid(leaf, 0);
    const uint32_t by_place[] = { words.eax, words.ebx, words.ecx, words.edx };

    return by_place[word] >> bit & 1;
}

static void set_cr4(uint64_t value)
{
    write_cr4(value);
}

/* The supervisor's, all of it. */
static void take_from_user(void)
{
    for (unsigned i = 0; i < 4 * 512; i++)
        page_directories[i] &= ~(uint64_t)PAGE_USER;
    write_cr3(read_cr3());
}

static void set_bits(uint64_t address, uint64_t clear, uint64_t set)
{
    uint64_t *const entry = page_entry(address);

    *entry = (*entry & ~clear) | set;
    flush_page(address);
}

/* ---- instructions with a device, and with memory at `address` ---- */

static void load(uint64_t address)
{
    mmio_read32(address);
}

static void to_memory(uint64_t address)
{
    asm volatile("movsb" : "+D"(address) : "S"(VGA) : "memory");
}

static void from_memory(uint64_t address)
{
    asm volatile("movsb" : "+S"(address) : "D"(VGA) : "memory");
}

static void port_to_memory(uint64_t address)
{
    asm volatile("insb" : "+D"(address) : "d"(PORT_NOTHING) : "memory");
}

static void port_from_memory(uint64_t address)
{
    asm volatile("outsb" : "+S"(address) : "d"(PORT_NOTHING) : "memory");
}

static void push_to_memory(uint64_t address)
{
    address += 8;
    asm volatile("xchg %0, %%rsp\n\tpushq (%1)\n\txchg %0, %%rsp" : "+r"(address) : "r"(VGA));
}

static void pop_from_memory(uint64_t address)
{
    asm volatile("xchg %0, %%rsp\n\tpopq (%1)\n\txchg %0, %%rsp" : "+r"(address) : "r"(VGA));
}

static const struct {
    const char *name;
    void (*run)(uint64_t address);
    bool writes;
} accesses[] = {
    { "device itself", load, false },       { "movs to", to_memory, true },
    { "movs from", from_memory, false },    { "ins", port_to_memory, true },
    { "outs", port_from_memory, false },    { "push to", push_to_memory, true },
    { "pop from", pop_from_memory, false },
};

static void (*with_ac)(uint64_t address);

static void run_with_ac(uint64_t address)
{
    asm volatile("pushfq\n\torl %0, (%%rsp)\n\tpopfq" ::"i"(EFLAGS_AC) : "memory", "cc");
    with_ac(address);
    asm volatile("pushfq\n\tandl %0, (%%rsp)\n\tpopfq" ::"i"(~EFLAGS_AC) : "memory", "cc");
}

/* ---- SMAP ---- */

static void smap_of(unsigned i)
{
    const uint64_t address = accesses[i].run == load ? VGA : RAM;
    const uint32_t error = PF_PRESENT | (accesses[i].writes ? PF_WRITE : 0);

    set_bits(address, 0, PAGE_USER);
    check_equal(accesses[i].name, attempt(accesses[i].run, address), VECTOR_PF);
    check_equal("its error code", fault.error, error);
    check_equal("its address", fault_address, address);
    with_ac = accesses[i].run;
    check_equal("with ac", attempt(run_with_ac, address), NO_FAULT);
    set_bits(address, PAGE_USER, 0);
    check_equal("what is the supervisor's", attempt(accesses[i].run, address), NO_FAULT);
}

static void smap(void)
{
    if (!has(7, 1, 20))
        return;
    print("paging: with smap\n");
    write_cr4(read_cr4() | CR4_SMAP);
    for (unsigned i = 0; i < ARRAY_SIZE(accesses); i++)
        smap_of(i);
    write_cr4(read_cr4() & ~CR4_SMAP);
    set_bits(RAM, 0, PAGE_USER);
    check_equal("without smap again", attempt(to_memory, RAM), NO_FAULT);
    set_bits(RAM, PAGE_USER, 0);
}

/* ---- CR0.WP ---- */

static void read_only(void)
{
    set_bits(RAM, PAGE_WRITE, 0);
    for (unsigned i = 1; i < ARRAY_SIZE(accesses); i++)
        check_equal(accesses[i].name, attempt(accesses[i].run, RAM),
                    accesses[i].writes ? VECTOR_PF : (unsigned)NO_FAULT);
    write_cr0(read_cr0() & ~CR0_WP);
    for (unsigned i = 1; i < ARRAY_SIZE(accesses); i++)
        check_equal("without wp", attempt(accesses[i].run, RAM), NO_FAULT);
    write_cr0(read_cr0() | CR0_WP);
    set_bits(RAM, 0, PAGE_WRITE);
}

/* ---- ring 3, with SMEP and SMAP ---- */

extern const uint8_t user_code[], user_landed[];
asm(".balign 4096\n"
    "user_code: movsb\n"
    "user_landed: ud2\n"
    ".balign 4096\n");

static void to_user(uint64_t destination)
{
    asm volatile("pushq %2\n\tpushq %%rsp\n\tpushq $2\n\tpushq %3\n\tpushq %4\n\tiretq"
                 : "+D"(destination)
                 : "S"(VGA), "i"(SELECTOR_USER_DATA), "i"(SELECTOR_USER_CODE), "r"(user_code)
                 : "memory");
}

static void user(void)
{
    const uint64_t before = read_cr4();
    const uint64_t code = (uint64_t)user_code;

    write_cr4(before | (has(7, 1, 7) ? CR4_SMEP : 0) | (has(7, 1, 20) ? CR4_SMAP : 0));
    set_bits(code, 0, PAGE_USER);
    set_bits(VGA, 0, PAGE_USER);
    set_bits(RAM, 0, PAGE_USER);
    check_equal("movs in ring 3", attempt(to_user, RAM), VECTOR_UD);
    check_equal("went through", fault.rip, (uint64_t)user_landed);
    set_bits(RAM, PAGE_USER, 0);
    check_equal("movs to what is the supervisor's", attempt(to_user, RAM), VECTOR_PF);
    check_equal("its error code", fault.error, PF_PRESENT | PF_WRITE | PF_USER);
    check_equal("its address", fault_address, RAM);
    check_equal("its instruction", fault.rip, code);
    if (has(7, 1, 7))
        check_equal("smep", attempt((void (*)(uint64_t))code, RAM), VECTOR_PF);
    set_bits(VGA, PAGE_USER, 0);
    set_bits(code, PAGE_USER, 0);
    write_cr4(before);
}

/* ---- accessed and dirty ---- */

static void marks(void)
{
    const uint64_t both = PAGE_ACCESSED | PAGE_DIRTY;

    set_bits(RAM, both, 0);
    attempt(from_memory, RAM);
    check_equal("after a read", *page_entry(RAM) & both, PAGE_ACCESSED);
    set_bits(RAM, both, 0);
    attempt(to_memory, RAM);
    check_equal("after a write", *page_entry(RAM) & both, both);
    set_bits(RAM, both | PAGE_WRITE, 0);
    attempt(to_memory, RAM);
    check_equal("after a write that is refused", *page_entry(RAM) & PAGE_DIRTY, 0);
    set_bits(RAM, 0, PAGE_WRITE);
}

/* ---- PCID ---- */

static void invpcid(uint64_t type, uint64_t pcid, uint64_t address)
{
    const struct {
        uint64_t pcid, address;
    } what = { pcid, address };

    asm volatile("invpcid %0, %1" ::"m"(what), "r"(type) : "memory");
}

static void stop_paging(uint64_t unused)
{
    (void)unused;
    write_cr0(read_cr0() & ~(1UL << 31));
}

/* The page moves from one frame to another; the CPU and the hypervisor are to see it alike. */
static void moves(const char *name, uint64_t type)
{
    const uint64_t before = *page_entry(RAM);
    volatile uint8_t *const byte = (volatile uint8_t *)RAM;

    *(volatile uint8_t *)OTHER = 0x11;
    *byte = 0x22;
    *page_entry(RAM) = *page_entry(OTHER);
    invpcid(type, read_cr3() & 0xfff, RAM);
    check_equal(name, *byte, 0x11);
    attempt(from_memory, RAM);
    check_equal("by the hypervisor, too", *(volatile uint8_t *)VGA, 0x11);
    *page_entry(RAM) = before;
    invpcid(type, read_cr3() & 0xfff, RAM);
    check_equal("and back", *byte, 0x22);
    attempt(from_memory, RAM);
    check_equal("for both", *(volatile uint8_t *)VGA, 0x22);
}

static void pcid(void)
{
    const uint64_t cr3 = read_cr3();

    if (!has(1, 2, 17))
        return;
    print("paging: with pcid\n");
    write_cr3(cr3 | 8); /* PWT */
    check_equal("pcide with a pcid", attempt(set_cr4, read_cr4() | CR4_PCIDE), VECTOR_GP);
    write_cr3(cr3);
    check_equal("pcide", attempt(set_cr4, read_cr4() | CR4_PCIDE), NO_FAULT);
    check_equal("no paging with it", attempt(stop_paging, 0), VECTOR_GP);
    write_cr3(cr3 | 0x123);
    check_equal("cr3 with a pcid", read_cr3(), cr3 | 0x123);
    check_equal("movs under a pcid", attempt(to_memory, RAM), NO_FAULT);
    write_cr3(cr3 | 0x456 | CR3_KEEP);
    check_equal("cr3 that keeps translations", read_cr3(), cr3 | 0x456);
    check_equal("movs under another", attempt(to_memory, RAM), NO_FAULT);
    if (has(7, 1, 10)) {
        moves("invpcid of an address", 0);
        moves("invpcid of a pcid", 1);
        moves("invpcid of all", 2);
        moves("invpcid of all that is not global", 3);
    }
    write_cr3(cr3);
    write_cr4(read_cr4() & ~CR4_PCIDE);
}

void guest_main(void)
{
    take_from_user();
    page_entry(RAM);
    page_entry(VGA);
    smap();
    read_only();
    user();
    marks();
    pcid();
}
