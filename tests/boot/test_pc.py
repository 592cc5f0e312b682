# SPDX-License-Identifier: BSD-2-Clause
"""What is a PC's own: its bare-metal guests, the boot sector, ways to reset, a CPU without SVM."""

import re
import subprocess

import pytest
from bundles import GUESTS, Q35, ROOT, disk, guest, ide, vm
from conftest import EXIT_OK, EXIT_PANIC, EXIT_VM_CRASHED, free_pages, guests_said, survives


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


def run(socle, program, cpus=1, **choices):
    toml = guest(program, cpus=cpus, cmdline=f"cpus={cpus}", board=Q35)
    text = socle(toml, board=Q35, cpus=2, memory="512M", **choices).end(EXIT_OK)
    assert re.findall(r"FAIL .*", text) == []
    assert int(re.search(r"guest: done, (\d+) passed, 0 failed", text)[1]) > 0
    return text


@pytest.mark.parametrize("cpu", ["EPYC", "max"])
@pytest.mark.parametrize("program", ["fault", "watch"])
def test_exceptions(socle, program, cpu):
    run(socle, program, cpu=cpu)


@pytest.mark.parametrize("cpu", ["EPYC", "max"])
def test_device_accesses_of_every_form(socle, cpu):
    text = run(socle, "mmio", cpu=cpu)
    assert "abcdefghijklmnopqrstuvwxyz" in text and "zyxwvutsrqponmlkjihgfedcba" in text


@pytest.mark.parametrize("cpu", ["EPYC", "max"])
@pytest.mark.parametrize("program", ["modes", "v86", "segments", "nested"])
def test_every_exit_in_every_mode(socle, program, cpu):
    run(socle, program, cpu=cpu)


def test_virtual_8086_mode_with_vme(socle):
    """QEMU's CPU has none."""
    assert "v86: with vme" in run(socle, "v86", emulator="bochs")


@pytest.mark.parametrize("cpu", ["EPYC", "max"])
@pytest.mark.parametrize("program", ["registers", "features"])
def test_registers_and_features(socle, program, cpu):
    """Every MSR and every leaf of CPUID, as the policy has them."""
    run(socle, program, cpu=cpu)


@pytest.mark.parametrize(
    "emulator, cpu, features",
    [("qemu", "EPYC", ["smap"]), ("qemu", "max", ["smap"]), ("bochs", "corei7_skylake_x", ["smap", "pcid"])],
)
def test_paging_of_emulated_accesses(socle, emulator, cpu, features):
    text = run(socle, "paging", emulator=emulator, cpu=cpu)
    for feature in features:
        assert f"paging: with {feature}" in text


def test_registers_are_each_guests_own(socle):
    toml = "".join(
        guest(f"own{seed}", "registers", cmdline=f"seed={seed} rounds=500", board=Q35) for seed in (1, 2)
    )
    text = socle(toml, board=Q35, cpus=1, memory="512M").end(EXIT_OK)
    assert guests_said(text).count("PASS marks that others changed") == 2


def test_state_of_one_cpu_while_others_load_x87_state(socle):
    run(socle, "x87", 2)


@pytest.mark.parametrize("cpu", ["EPYC", "max"])
def test_code_that_changes_modes_and_itself(socle, cpu):
    run(socle, "switch", cpu=cpu)


def test_task_gate_stops_the_guest_only(socle):
    """The report shows the code where it runs, behind its segment's base."""
    toml = guest("switch", cmdline="taskgate", board=Q35)
    text = socle(toml, board=Q35, cpus=2, memory="512M", emulator="bochs").end(EXIT_VM_CRASHED)
    assert "an exception or interrupt leads to a hardware task switch" in text
    assert "code at 0x20000: 0f 0b" in text  # ud2


@pytest.mark.parametrize("cpu, choices", [("max", {}), slow("", {"emulator": "bochs"})])
def test_interrupt_commands_at_their_edges(socle, cpu, choices):
    run(socle, "ipi", 4, **({"cpu": cpu} if cpu else {}), **choices)


LOCAL_APICS = [
    {"cpu": "EPYC"},
    {"cpu": "max"},
    {"emulator": "bochs"},
    {"emulator": "bochs", "cpu": "corei7_skylake_x"},
    {"emulator": "bochs", "cpu": "corei7_sandy_bridge_2600k"},  # helps with nothing but CR8
]


@pytest.mark.parametrize("choices", LOCAL_APICS, ids=lambda choices: choices.get("cpu", "haswell"))
@pytest.mark.parametrize("program", ["priority", "apicpage"])
def test_registers_of_the_local_apic(socle, program, choices):
    run(socle, program, **choices)


@pytest.mark.parametrize("choices", LOCAL_APICS[::2], ids=lambda choices: choices.get("cpu", "haswell"))
def test_local_apics_in_different_modes(socle, choices):
    run(socle, "apicpage", 2, **choices)


@pytest.mark.parametrize("choices", LOCAL_APICS[::2], ids=lambda choices: choices.get("cpu", "haswell"))
def test_code_in_the_local_apic_stops_the_guest_only(socle, choices):
    toml = guest("apicpage", cmdline="fetch=1", board=Q35) + guest("apic", board=Q35)
    text = socle(toml, board=Q35, cpus=2, memory="512M", **choices).end(EXIT_VM_CRASHED)
    assert "instruction fetch from where there is no memory" in text
    assert "apic: stopped" in text


@pytest.mark.parametrize("cpus", [2, 4])
def test_interrupts_between_cpus(socle, cpus):
    run(socle, "apic", cpus)


@pytest.mark.parametrize("cpu", ["EPYC", "max"])
def test_clocks_and_own_interrupts(socle, cpu):
    run(socle, "apic", cpu=cpu, icount=True)


@pytest.mark.parametrize(
    "program",
    ["fault", "watch", "mmio", "modes", "segments", "nested", "registers", "features", "switch", "apic"],
)
def test_guest_under_vmx(socle, program):
    run(socle, program, emulator="bochs")


@pytest.mark.slow
@pytest.mark.parametrize(
    "cpu, program, backend",
    [
        ("corei7_sandy_bridge_2600k", "fault", "VMX, xAPIC"),
        ("corei7_skylake_x", "fault", "VMX, x2APIC"),
        ("corei7_icelake_u", "mmio", "VMX, x2APIC"),
        ("tigerlake", "mmio", "VMX, x2APIC"),
        ("ryzen", "mmio", "SVM, xAPIC"),  # tells the next RIP, and can flush one tag alone
    ],
)
def test_cpu_models_of_bochs(socle, cpu, program, backend):
    assert f"socle: {backend}, 2 CPUs; " in run(socle, program, emulator="bochs", cpu=cpu)


def test_single_steps_on_an_svm_that_lets_them_through(socle):
    """This emulated CPU traps behind #VMEXIT for the guest's TF; its CR2 is wrong, too."""
    text = socle(guest("fault", board=Q35), board=Q35, emulator="bochs", cpu="ryzen", memory="512M").end(EXIT_OK)
    assert text.count("PASS dr6 says single step") == 3
    assert "socle: fault: stopped" in text


def test_vmx_without_ept_says_so(socle):
    """The machine stops with Socle's status for a panic."""
    machine = socle(guest("fault", board=Q35), board=Q35, emulator="bochs", cpu="core2_penryn_t9600")
    assert "socle: panic: this CPU has VMX but no EPT" in machine.end(EXIT_PANIC)


@pytest.mark.parametrize(
    "acts, choices",
    [
        (100_000, {"cpu": "EPYC"}),
        (100_000, {"cpu": "max"}),
        (10_000, {"emulator": "bochs"}),
        slow(10_000_000, {"cpu": "max"}),
        slow(1_000_000, {"cpu": "EPYC"}),  # the same acts
    ],
)
def test_hostile_guest(socle, acts, choices):
    """It does its worst and ends by itself; its neighbour still answers."""
    toml = guest("hostile", cpus=2, cmdline=f"acts={acts} memory=64", board=Q35)
    toml += guest("restart", board=Q35)
    survives(socle(toml, board=Q35, cpus=2, memory="512M", **choices), acts)


def chaos(socle, first, acts, cpu):
    """One machine; the number of an act to go on with, or None: all are done."""
    kernel = str(GUESTS / "x86/chaos.elf")
    line = f"acts={acts} first={first} cpus=2"
    toml = vm("chaos", machine="pc", cpus=2, memory="64M", kernel=kernel, cmdline=line, restart="on-crash")
    machine = socle(toml + guest("restart", board=Q35), board=Q35, cpus=2, memory="512M", cpu=cpu)
    end = machine.expect(f"chaos: (done {acts}|crashed 5 times)")[1]
    machine.expect(r"chaos: (stopped|crashed); \d+ of")
    machine.send("q")
    if not end.startswith("done"):
        text = machine.end(EXIT_VM_CRASHED)
        return int(re.findall(r"chaos: from (\d+)", text)[-1]) + 1
    counts = free_pages(machine.end(EXIT_OK))
    assert counts[0] == counts[-1]
    return None


@pytest.mark.parametrize("acts, cpu", [(400, "EPYC"), (400, "max"), slow(20_000, "max"), slow(20_000, "EPYC")])
def test_random_code_in_every_mode(socle, acts, cpu):
    """Its neighbour still answers. Too many crashes in a row leave it crashed: on with the next."""
    first = 0
    while first is not None:
        first = chaos(socle, first, acts, cpu)


@pytest.mark.parametrize("emulator", ["qemu", "bochs"])
def test_every_way_to_reset(socle, emulator):
    """Ports 0xcf9, 0x64 and 0x92; triple faults in each mode, with each kind of paging."""
    toml = guest("restart", board=Q35)
    machine = socle(toml, board=Q35, emulator=emulator, memory="512M", cpus=2)
    for key in "rkft1234":
        machine.expect("restart: fresh, waiting")
        machine.send(key)
        machine.expect("restart: restarted")
    machine.expect("restart: fresh, waiting")
    machine.send("q")
    counts = free_pages(machine.end(EXIT_OK))
    assert counts[0] == counts[-1]


def test_guest_that_says_it_failed_is_reported(socle):
    machine = socle(guest("restart", board=Q35), board=Q35, memory="512M", cpus=1)
    machine.expect("restart: fresh, waiting")
    machine.send("c")
    assert "the guest says that it has failed" in machine.end(EXIT_VM_CRASHED)


def sector(name):
    kernel = str(GUESTS / "x86/sector.bin")
    return vm(name, machine="pc", memory="4M", kernel=kernel) + ide("data")


@pytest.mark.parametrize("choices", [{}, {"emulator": "bochs"}], ids=["svm", "vmx"])
def test_boot_sector_and_its_disk(socle, tmp_path, choices):
    """By keyboard, COM1, screen and disk; what one VM writes another reads."""
    image = tmp_path / "disk.img"
    image.write_bytes(bytes(512) + b"A sector of words; ".ljust(512, b"\0") + bytes(62 * 512))
    toml = disk("data", 64 * 512) + f'image = "{image}"\n' + sector("first") + sector("second")
    machine = socle(toml, board=Q35, memory="512M", cpus=1, **choices)
    machine.expect("sector: hello;")
    machine.expect(r"\[second\] sector: hello;")
    machine.send("x\r")
    machine.expect("key2D")
    machine.expect("A sector of words; bye")  # COM1
    machine.expect("sector: hello; key2DA sector of words; bye")  # the screen
    machine.send("\x1dn")
    machine.expect("terminal: second")
    machine.send("y\r")
    machine.expect("key15")
    machine.expect("B sector of words; bye")


@pytest.mark.parametrize(
    "cpu, words", [("qemu64", "no nested paging"), ("qemu64,-svm", "neither VMX nor SVM")]
)
def test_cpu_without_virtualization_says_so(cpu, words):
    command = ["qemu-system-x86_64", "-M", "q35", "-cpu", cpu, "-m", "512M", "-display", "none"]
    command += ["-nic", "none", "-monitor", "none", "-serial", "stdio", "-no-reboot"]
    process = subprocess.Popen(
        [*command, "-kernel", ROOT / "build/q35/socle.elf"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        # Socle stops; the emulator does not end. Its first line is all there will be.
        assert words in process.stdout.readline()
    finally:
        process.kill()
        process.wait()
