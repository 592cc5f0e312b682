/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_guest_ram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

struct vm vm;

status_t vm_write_guest(struct vm *to_vm, gpa_t to, const void *from, size_t bytes)
{
    assert_ptr_equal(to_vm, &vm);
    memcpy(guest(to, bytes), from, bytes);
    return OK;
}

status_t vm_image_load_region(struct vm *to_vm, gpa_t to, const struct blob *image, size_t span)
{
    assert_ptr_equal(to_vm, &vm);
    assert_true(span >= image->bytes);
    memset(guest(to, span), 0, span);
    memcpy(guest(to, span), image->data, image->bytes);
    return OK;
}

const char *status_str(status_t status)
{
    return status == OK ? "ok" : "an error";
}
