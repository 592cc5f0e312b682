# SPDX-License-Identifier: BSD-2-Clause
src-y += $(addprefix arch/x86/svm/,svm.c exit.c event.c registers.c finish.c run.S)
