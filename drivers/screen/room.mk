# SPDX-License-Identifier: BSD-2-Clause
src-x86 += drivers/screen/screen.c drivers/screen/screen_text.c drivers/screen/screen_pixels.c
src-x86 += drivers/screen/font.S

$(OUT)/drivers/screen/font.o: $(OUT)/font.bin
$(OUT)/font.bin: tools/socle-font $(SYSROOT)/.done
	@mkdir -p $(@D)
	$(Q)tools/socle-font $(SYSROOT)/usr/share/consolefonts/Lat15-VGA16.psf.gz $@
