/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One piece of code that goes round through the modes and rewrites itself as it goes: the far
 * jumps' targets, the values it loads, the instruction behind a change of mode. It exits in each
 * mode and between them, where CR0 says one thing and CS still another. Then task switches,
 * which are refused: `taskgate` on the command line makes one that cannot be.
 */
#include "tests/guests/x86/lib/snippet.h"

#define ROUNDS 40
#define RIGHTS_CODE 0x9b
#define RIGHTS_CODE_BIG 0x409b
#define RIGHTS_DATA 0x93
#define RIGHTS_TSS 0x89
#define SEL_CODE16 (MODE_SEL_FREE)
#define SEL_CODE32 (MODE_SEL_FREE + 8)
#define SEL_DATA (MODE_SEL_FREE + 16)
#define SEL_TSS (MODE_SEL_FREE + 24)
#define SOCLE 0x6c636f53u
#define INTEL 0x6c65746eu /* "ntel" */

/*
 * In real mode at 2000:0, DS is 2000 too. EBP counts rounds; ECX is changed by code that is
 * written anew in each: INC CX, DEC CX, ADD of a number that grows.
 */
asm(".pushsection .rodata\n"
    ".code16\n"
    "around: mov %cr0, %eax\n"
    "    or $1, %al\n"
    "    xorb $0x08, patched - around\n" /* INC CX and DEC CX in turns */
    "    mov %eax, %cr0\n"
    "    out %al, $0x80\n" /* protected, and CS is real mode's */
    "patched: inc %cx\n"
    "    movw $to16 - around, jump16 - around + 1\n"
    "jump16: ljmp $0xa0, $0\n"
    "to16: mov $0xb0, %ax\n"
    "    mov %ax, %ds\n"
    "    addb $1, number - around + 2\n"
    "    in $0x71, %al\n"
    "number: add $0x100, %cx\n"
    "    nop\n"
    "    movw $to32 - around, jump32 - around + 2\n"
    "jump32: ljmpl $0xa8, $0\n"
    ".code32\n"
    "to32: pushl %ecx\n"
    "    pushl %ebx\n"
    "    xor %eax, %eax\n"
    "    xor %ecx, %ecx\n"
    "    cpuid\n"
    "    popl %ebx\n"
    "    popl %ecx\n"
    "    incl grown - around + 1\n"
    "grown: movl $0, %esi\n"
    "    mov %esi, %gs:0x9010\n" /* a device's memory */
    "    mov %gs:0x9010, %edi\n"
    "    ljmp $0xa0, $back16 - around\n"
    ".code16\n"
    "back16: mov %cr0, %eax\n"
    "    and $0xfe, %al\n"
    "    mov %eax, %cr0\n"
    "    in $0x71, %al\n" /* real, and CS is protected mode's */
    "    ljmp $0x2000, $really - around\n"
    "really: mov $0x2000, %ax\n"
    "    mov %ax, %ds\n"
    "    dec %bp\n"
    "    jnz around\n"
    "    int3\n"
    "around_end:\n"
    ".code64\n"
    ".popsection");
extern const uint8_t around[], around_end[];

static const struct mode real = { .name = "real", .real = true, .bits = 16 };

static void go_around(void)
{
    volatile uint8_t *to = (volatile uint8_t *)(uint64_t)MODE_CODE;

    mode_select(&real);
    mode_gdt[SEL_CODE16 / 8] = mode_descriptor(MODE_CODE, 0xffff, RIGHTS_CODE);
    mode_gdt[SEL_CODE32 / 8] = mode_descriptor(MODE_CODE, 0xffff, RIGHTS_CODE_BIG);
    mode_gdt[SEL_DATA / 8] = mode_descriptor(MODE_CODE, 0xffff, RIGHTS_DATA);
    for (const uint8_t *from = around; from < around_end; from++)
        *to++ = *from;
    mode_state.ds = MODE_CODE >> 4;
    mode_state.ebp = ROUNDS;
    mode_run();
    check_equal("around through the modes", mode_state.vector, VECTOR_BP);
    check_equal("rounds left", mode_state.ebp, 0);
    /* DEC and INC, as often one as the other, and ADD of 0x101, 0x102, … */
    check_equal("what was written ran", mode_state.ecx, ROUNDS * 0x100 + ROUNDS * (ROUNDS + 1) / 2);
    check_equal("a number that grew", mode_state.esi, ROUNDS);
    check_equal("went through a device", mode_state.edi, ROUNDS);
    check_equal("real mode in the end", mode_state.cs, MODE_CODE >> 4);
}

/* ---- an instruction that writes over the next one ---- */

#define CODE 0xc00000UL /* of execute(), in 16-bit code the segment's base, too */
#define CODE16 2

void execute(uint64_t mode);

/*
 * QEMU runs INS all the same, and tells its exit; what is there by then is no INS. The 16 bytes
 * that are written end where it stands. Elsewhere CS cannot be written.
 */
static void overwrite(void)
{
    static const uint8_t code[] = { 0xde, 0x53, 0xb9,             /* ficom */
                                    0xb9, 0x1c, 0x3b,             /* mov cx */
                                    0x9f,                         /* lahf */
                                    0x0f, 0x12, 0x22,             /* movlps xmm4, [bp+si] */
                                    0x60,                         /* pusha */
                                    0x2e, 0x0f, 0x2b, 0x32,       /* movntps cs:[bp+si], xmm6 */
                                    0x6d, 0xcc, 0xcc, 0xcc, 0xcc, /* insw, int3 */
                                    0xcc, 0xcc, 0xcc, 0xcc };
    static const uint8_t nops[16] = { [0 ... 15] = 0x90 };
    volatile uint8_t *to = (volatile uint8_t *)CODE;
    unsigned vector;

    for (unsigned i = 0; i < sizeof(code); i++)
        to[i] = code[i];
    asm volatile("movups %0, %%xmm6" ::"m"(nops));
    vector = attempt(execute, CODE16);
    check(vector == VECTOR_BP || vector == VECTOR_GP, "written over in time");
}

/* ---- task switches ---- */

SNIPPET(jump_to_task, "ljmp $0xb8, $0");
SNIPPET(call_task, "lcall $0xb8, $0");
SNIPPET(invalid, "ud2");

static void run(const struct mode *mode, const struct snippet *snippet, unsigned vector)
{
    static struct mode_tss other;

    mode_select(mode);
    mode_gdt[SEL_TSS / 8] =
        mode_descriptor((uint32_t)(uint64_t)&other, sizeof(other) - 1, RIGHTS_TSS);
    snippet_load(snippet, mode->bits);
    mode_run();
    check_equal(mode->name, mode_state.vector, vector);
}

static void tasks(void)
{
    static const struct mode modes[] = {
        { .name = "task switch in 16 bits", .bits = 16 },
        { .name = "task switch in 32 bits", .bits = 32 },
        { .name = "task switch with paging", .bits = 32, .paging = MODE_PAGED_32 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        run(&modes[i], &jump_to_task, VECTOR_GP);
        run(&modes[i], &call_task, VECTOR_GP);
        check_equal("eip", mode_state.eip, 0);
    }
}

static void task_gate(void)
{
    static const struct mode mode = { .name = "task gate", .bits = 32 };

    mode_idt[VECTOR_UD] = (uint64_t)SEL_TSS << 16 | 0x8500UL << 32;
    run(&mode, &invalid, NO_FAULT);
}

void guest_main(void)
{
    mode_prepare();
    go_around();
    overwrite();
    /* QEMU's SVM does not intercept them. */
    if (cpuid(0x40000000, 0).ebx != SOCLE || cpuid(0, 0).ecx != INTEL)
        return;
    tasks();
    if (option_given("taskgate"))
        task_gate();
}
