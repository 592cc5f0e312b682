# SPDX-License-Identifier: BSD-2-Clause
#
# All tests: unit/ and fuzz/ on the host, tools/ for the host's tools, boot/ on the emulated boards with
# Linux and the bare-metal guests of guests/, bench/ for speed.

include tests/unit/unit.mk
include tests/fuzz/fuzz.mk
include tests/guests/guests.mk

PYTEST := /usr/bin/python3 -B -m pytest -c tests/pytest.ini --rootdir=tests
TESTS ?=
built := boards guests

# The tests run on both boards, whichever BOARD is.
.PHONY: boards
boards:
	$(Q)$(MAKE) --no-print-directory BOARD=qemu-virt all
	$(Q)$(MAKE) --no-print-directory BOARD=q35 all

.PHONY: test test-all boot-tests bench
test: unit fuzz $(built)
	$(Q)$(PYTEST) -m 'not slow' tests/tools tests/boot $(TESTS)

test-all: export FUZZ_ROUNDS := 20
test-all: unit fuzz $(built)
	$(Q)$(PYTEST) tests/tools tests/boot $(TESTS)

boot-tests: $(built)
	$(Q)$(PYTEST) -m 'not slow' tests/boot $(TESTS)

bench: $(built)
	$(Q)/usr/bin/python3 -B tests/bench/bench.py $(BOARD)
