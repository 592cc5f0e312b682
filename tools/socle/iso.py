# SPDX-License-Identifier: BSD-2-Clause
"""A CD-ROM image that boots Socle with a bundle by GRUB, from a BIOS and from UEFI."""

import shutil
import subprocess
import tempfile
from pathlib import Path

# The serial line is GRUB's console too, beside the screen.
GRUB_CFG = """\
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
insmod all_video
set timeout=0
menuentry "Socle" {{
    multiboot2 /boot/socle.elf {arguments}
    module2 /boot/bundle.itb
}}
"""
WITHOUT_BUNDLE = "    module2 /boot/bundle.itb\n"

def make(image, bundle, arguments, output):
    """`bundle` may be None: Socle then says that there is none."""
    config = GRUB_CFG.format(arguments=arguments)
    with tempfile.TemporaryDirectory() as folder:
        boot = Path(folder) / "boot"
        (boot / "grub").mkdir(parents=True)
        # What a debugger reads stays here.
        subprocess.run(["objcopy", "--strip-debug", image, boot / "socle.elf"], check=True)
        if bundle:
            shutil.copy(bundle, boot / "bundle.itb")
        else:
            config = config.replace(WITHOUT_BUNDLE, "")
        (boot / "grub/grub.cfg").write_text(config, encoding="ascii")
        subprocess.run(
            ["grub-mkrescue", "-o", output, "--locales=", "--fonts=", "--themes=", folder],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
