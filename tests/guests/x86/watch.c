/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Data breakpoints on what instructions touch that the hypervisor emulates: devices, and RAM
 * that such an instruction reads or writes beside them. A trap comes behind the instruction, or
 * behind the element of a string (SDM 3B 17.2, APM 2 13.1).
 */
#include "tests/guests/x86/lib/guest.h"

#define VGA 0xb9000UL /* text that is not on the screen */
#define RAM 0xa00000UL
#define PORT_NOTHING 0x300
#define PORT_DELAY 0x80
#define DR6_RESET 0xffff0ff0UL
#define DR6_BS (1UL << 14)
#define DR7_RESET 0x400UL
#define CR4_DE 8UL
#define EFLAGS_TF 0x100UL
#define EFLAGS_RF 0x10000UL

enum what { WRITES = 1, PORTS = 2, ALL = 3 };
enum length { ONE = 0, TWO = 1, EIGHT = 2, FOUR = 3 };

static uint64_t met;

static void note_dr6(void)
{
    met = read_dr6();
    write_dr7(DR7_RESET);
    write_dr6(DR6_RESET);
}

/* Breakpoint 1, or 3 as well. */
static void watch(uint64_t address, enum what what, enum length length)
{
    asm volatile("mov %0, %%dr1" ::"r"(address));
    write_dr7(DR7_RESET | 1u << 3 | (uint64_t)what << 20 | (uint64_t)length << 22);
}

static void watch_also(uint64_t address, enum what what, enum length length)
{
    asm volatile("mov %0, %%dr3" ::"r"(address));
    write_dr7(read_dr7() | 1u << 6 | (uint64_t)what << 28 | (uint64_t)length << 30);
}

/* Where the instruction is, and where the trap is to be. */
static uint64_t at_start, at_end;

#define WATCHED(name, code)                                                               \
    static void name(uint64_t address)                                                    \
    {                                                                                     \
        uint64_t si = VGA, count = 4;                                                     \
        asm volatile("lea 1f(%%rip), %%rax\n\tmov %%rax, %0\n\t"                          \
                     "lea 2f(%%rip), %%rax\n\tmov %%rax, %1\n\t"                          \
                     "1: " code "\n\t2: nop\n\tnop"                                       \
                     : "=m"(at_start), "=m"(at_end), "+D"(address), "+S"(si), "+c"(count) \
                     : "d"(PORT_NOTHING)                                                  \
                     : "rax", "memory", "cc");                                            \
    }
WATCHED(load, "movl (%%rdi), %%eax")
WATCHED(store, "movl %%eax, (%%rdi)")
WATCHED(store_word, "movw %%ax, (%%rdi)")
WATCHED(store_byte, "movb %%al, (%%rdi)")
WATCHED(change, "orl $1, (%%rdi)")
WATCHED(compare, "cmpl $1, (%%rdi)")
WATCHED(load_xmm, "movups (%%rdi), %%xmm1")
WATCHED(copy, "movsb")
WATCHED(copy_all, "rep movsb")
WATCHED(fill_all, "rep stosb")
WATCHED(input_all, "rep insb")
WATCHED(output, "outsb")

static void traps(const char *name, void (*run)(uint64_t address), uint64_t address, uint64_t which)
{
    check_equal(name, attempt(run, address), VECTOR_DB);
    check_equal("dr6", met & (15 | DR6_BS), which);
    check_equal("behind it", fault.rip, at_end);
    write_dr7(DR7_RESET);
}

static void passes(const char *name, void (*run)(uint64_t address), uint64_t address)
{
    check_equal(name, attempt(run, address), NO_FAULT);
    write_dr7(DR7_RESET);
}

static void devices(void)
{
    for (unsigned i = 0; i < 3; i++) { /* the hypervisor is not to recall them meanwhile */
        watch(VGA + 4, ALL, FOUR);
        traps("load", load, VGA + 4, 2);
        watch(VGA + 4, WRITES, FOUR);
        passes("load of what is watched for stores", load, VGA + 4);
        watch(VGA + 4, WRITES, FOUR);
        traps("store", store, VGA + 4, 2);
    }
    watch(VGA + 4, WRITES, FOUR);
    traps("change", change, VGA + 4, 2);
    watch(VGA + 4, WRITES, FOUR);
    passes("compare", compare, VGA + 4);
    watch(VGA + 4, ALL, FOUR);
    traps("compare, of all", compare, VGA + 4, 2);
    watch(VGA + 15, ALL, ONE);
    traps("last byte of sixteen", load_xmm, VGA, 2);
}

static void lengths(void)
{
    watch(VGA + 8, WRITES, EIGHT);
    traps("first of eight", store_byte, VGA + 8, 2);
    watch(VGA + 8, WRITES, EIGHT);
    traps("last of eight", store_byte, VGA + 15, 2);
    watch(VGA + 8, WRITES, EIGHT);
    passes("behind eight", store_byte, VGA + 16);
    watch(VGA + 8, WRITES, TWO);
    traps("over the start", store, VGA + 5, 2);
    watch(VGA + 8, WRITES, TWO);
    passes("before it", store_word, VGA + 6);
    watch(VGA + 8, WRITES, ONE);
    watch_also(VGA + 10, ALL, TWO);
    traps("two at once", store, VGA + 8, 10);
}

static void beside_devices(void)
{
    watch(RAM, WRITES, ONE);
    traps("movs to", copy, RAM, 2);
    watch(VGA, ALL, ONE);
    traps("movs from", copy, RAM, 2);
    watch(RAM + 1, WRITES, ONE);
    check_equal("rep movs", attempt(copy_all, RAM), VECTOR_DB);
    check_equal("at itself", fault.rip, at_start);
    check_equal("with the rest to do", fault.rcx, 2);
    check_equal("and resumed", fault.rflags & EFLAGS_RF, EFLAGS_RF);
    check_equal("dr6", met & 15, 2);
    watch(RAM + 3, WRITES, ONE);
    traps("the last of rep movs", copy_all, RAM, 2);
    watch(VGA + 2, WRITES, TWO);
    check_equal("rep stos", attempt(fill_all, VGA), VECTOR_DB);
    check_equal("its rest", fault.rcx, 1);
    watch(RAM + 1, WRITES, ONE);
    check_equal("rep ins", attempt(input_all, RAM), VECTOR_DB);
    check_equal("its rest too", fault.rcx, 2);
}

/* Ports, where CR4.DE says so: of strings alone. */
static void ports(void)
{
    write_cr4(read_cr4() | CR4_DE);
    watch(PORT_NOTHING, PORTS, ONE);
    check_equal("port of rep ins", attempt(input_all, RAM), VECTOR_DB);
    check_equal("after one element", fault.rcx, 3);
    check_equal("dr6", met & 15, 2);
    watch(PORT_NOTHING, PORTS, ONE);
    check_equal("port of outs", attempt(output, RAM), VECTOR_DB);
    watch(PORT_DELAY, PORTS, ONE);
    passes("another port", input_all, RAM);
    write_cr4(read_cr4() & ~CR4_DE);
}

/* ---- single steps ---- */

static void step_over(uint64_t address)
{
    uint64_t si = VGA, count = 3;

    asm volatile("pushfq\n\torq %3, (%%rsp)\n\tpopfq\n\t"
                 "rep movsb\n\tnop"
                 : "+D"(address), "+S"(si), "+c"(count)
                 : "i"(EFLAGS_TF)
                 : "memory", "cc");
}

static void steps(void)
{
    check_equal("step over rep movs", attempt(step_over, RAM), VECTOR_DB);
    check_equal("is over one element", fault.rcx, 2);
    check_equal("dr6", met & (15 | DR6_BS), DR6_BS);
    watch(RAM, WRITES, ONE);
    check_equal("step, and a watched place", attempt(step_over, RAM), VECTOR_DB);
    check_equal("are one trap", met & (15 | DR6_BS), DR6_BS | 2);
}

void guest_main(void)
{
    on_fault = note_dr6;
    devices();
    lengths();
    beside_devices();
    ports();
    steps();
}
