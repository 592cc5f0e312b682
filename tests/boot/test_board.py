# SPDX-License-Identifier: BSD-2-Clause
"""How Socle itself starts and ends: bundles, firmware, the machine it finds."""

import subprocess

import pytest
from bundles import ROOT, UBOOT, guest, vm
from conftest import EXIT_NO_VM, EXIT_OK, EXIT_PANIC, EXIT_VM_CRASHED

FIRST_IMAGE = 0x1000  # in a bundle with a small tree
IMAGE_SIZE = 16  # in an arm64 Image's header


def bare_board(machine="virt", *words):
    """The board's emulator without what tools/socle-run gives it; its output."""
    command = ["qemu-system-aarch64", "-M", machine, "-cpu", "cortex-a57", "-m", "512M"]
    command += ["-display", "none", "-nic", "none", "-monitor", "none", "-serial", "stdio", *words]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        # Socle stops; the emulator does not end. Its first line is all there will be.
        return process.stdout.readline()
    finally:
        process.kill()
        process.wait()


def test_entered_at_el1_says_so(socle):
    line = bare_board("virt", "-kernel", "build/qemu-virt/socle.bin")
    assert "not entered at EL2" in line


def test_entered_at_el3_says_so(socle):
    """Without PSCI from the emulator's own firmware, a kernel starts at EL3."""
    image = "build/qemu-virt/socle.bin"
    line = bare_board(
        "virt,secure=on,virtualization=on",
        *("-device", f"loader,file={image},addr=0x40200000,cpu-num=0"),
    )
    assert "not entered at EL2" in line


def test_without_a_device_tree_says_so(socle):
    image = "build/qemu-virt/socle.bin"
    line = bare_board(
        "virt,virtualization=on", "-device", f"loader,file={image},addr=0x48000000,cpu-num=0"
    )
    assert "device tree" in line


def test_success_only_if_no_guest_crashed(socle):
    quits = guest("restart")
    machine = socle(quits + guest("fault", cmdline="call-null"), cpus=2, memory="512M")
    machine.expect("fault: crashed; ")
    machine.send("q")
    machine.end(EXIT_VM_CRASHED)


def damage(bundle, position, data):
    content = bytearray(bundle.read_bytes())
    content[position : position + len(data)] = data
    bundle.write_bytes(content)
    return bundle


def test_damaged_bundle_is_refused(socle, make_bundle):
    bundle = damage(make_bundle(guest("restart")), 0x80, b"\xff" * 16)
    text = socle("", bundle=bundle).end(EXIT_PANIC)
    assert "bundle cannot be used" in text and "damaged" in text


def test_truncated_bundle_is_refused(socle, make_bundle):
    bundle = make_bundle(guest("restart"))
    bundle.write_bytes(bundle.read_bytes()[:200])
    text = socle("", bundle=bundle).end(EXIT_PANIC)
    assert "bundle cannot be used" in text and "truncated" in text


def test_truncated_image_is_refused(socle, make_bundle):
    bundle = make_bundle(guest("restart"))
    bundle.write_bytes(bundle.read_bytes()[:-4096])
    text = socle("", bundle=bundle).end(EXIT_PANIC)
    assert "bundle cannot be used" in text and "truncated" in text


def test_file_that_is_no_bundle_is_refused(socle, tmp_path):
    file = tmp_path / "noise.itb"
    file.write_bytes(bytes(range(256)) * 64)
    text = socle("", bundle=file).end(EXIT_PANIC)
    assert "not a bundle" in text


def test_kernel_that_does_not_fit_names_the_vm_and_the_others_run(socle, make_bundle):
    """An Image header that asks for a terabyte, in a bundle whose tree is intact."""
    toml = guest("broken", "psci") + guest("restart")
    bundle = damage(make_bundle(toml), FIRST_IMAGE + IMAGE_SIZE, (1 << 40).to_bytes(8, "little"))
    machine = socle("", bundle=bundle, cpus=2, memory="512M")
    machine.expect(r"broken: .*kernel")
    machine.expect("waiting")
    machine.send("q")
    machine.end(EXIT_NO_VM)


def test_more_memory_than_the_machine_has(socle):
    toml = guest("huge", "restart", memory="4G", prefault=True)
    text = socle(toml, memory="512M").end(EXIT_NO_VM)
    assert "huge" in text


@pytest.mark.parametrize("gic", [2, 3])
def test_uboot_reaches_its_prompt_from_flash(socle, gic):
    machine = socle(
        vm("uboot", machine="virt", memory="256M", firmware=str(UBOOT)), cpus=2, gic=gic
    )
    machine.expect("Hit any key to stop autoboot")
    machine.send(" ")
    machine.expect("=> ")
    machine.send("version\r")
    machine.expect("U-Boot 20")
    machine.expect("=> ")
    machine.send("poweroff\r")
    machine.end(EXIT_OK)
