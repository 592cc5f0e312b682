/* SPDX-License-Identifier: BSD-2-Clause */
/* A device's timer against calls that are on their way on another CPU. */
#include "vm/devices/vdev_timer.h"

#include "arch/fake/fake.h"
#include "kernel/percpu.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct cpu here, there;
static struct vdev dev;
static struct vdev_timer timer;
static unsigned fired;

static void fire(struct vdev *device)
{
    assert_ptr_equal(device, &dev);
    assert_int_equal(dev.lock.held, 1);
    fired++;
}

static int setup(void **unused)
{
    (void)unused;
    here = there = (struct cpu){ 0 };
    arch_set_this_cpu(&here);
    dev = (struct vdev){ 0 };
    fired = 0;
    fake_counter_set(0);
    vdev_timer_init(&timer, &dev, fire);
    return 0;
}

static void *interrupt_there(void *unused)
{
    (void)unused;
    arch_set_this_cpu(&there);
    timer_interrupt();
    return NULL;
}

/* Armed on the other CPU and due there; its call waits for the device's lock, which we hold. */
static pthread_t make_a_call_wait(void)
{
    pthread_t thread;

    spin_lock(&dev.lock);
    arch_set_this_cpu(&there);
    vdev_timer_arm(&timer, 10);
    arch_set_this_cpu(&here);
    fake_counter_set(10);
    assert_int_equal(pthread_create(&thread, NULL, interrupt_there, NULL), 0);
    while (__atomic_load_n(&timer.timer.cpu, __ATOMIC_ACQUIRE) != NULL)
        sched_yield();
    return thread;
}

static void it_fires_once_with_the_lock_held(void **unused)
{
    (void)unused;
    spin_lock(&dev.lock);
    vdev_timer_arm(&timer, 100);
    vdev_timer_arm(&timer, 10);
    spin_unlock(&dev.lock);
    fake_counter_set(100);
    timer_interrupt();
    timer_interrupt();
    assert_int_equal(fired, 1);
    vdev_timer_put_away(&timer);
}

static void a_call_on_its_way_is_forgotten_when_disarmed(void **unused)
{
    pthread_t thread = make_a_call_wait();

    (void)unused;
    vdev_timer_disarm(&timer);
    spin_unlock(&dev.lock);
    pthread_join(thread, NULL);
    assert_int_equal(fired, 0);
    vdev_timer_put_away(&timer);
}

static void a_call_on_its_way_does_not_stand_for_a_later_deadline(void **unused)
{
    pthread_t thread = make_a_call_wait();

    (void)unused;
    vdev_timer_arm(&timer, 20);
    spin_unlock(&dev.lock);
    pthread_join(thread, NULL);
    assert_int_equal(fired, 0);
    fake_counter_set(20);
    timer_interrupt();
    assert_int_equal(fired, 1);
    vdev_timer_put_away(&timer);
}

static void putting_away_waits_for_a_call_on_its_way(void **unused)
{
    pthread_t thread = make_a_call_wait();

    (void)unused;
    spin_unlock(&dev.lock);
    vdev_timer_put_away(&timer);
    assert_int_equal(timer.expected, 0);
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(it_fires_once_with_the_lock_held, setup),
        cmocka_unit_test_setup(a_call_on_its_way_is_forgotten_when_disarmed, setup),
        cmocka_unit_test_setup(a_call_on_its_way_does_not_stand_for_a_later_deadline, setup),
        cmocka_unit_test_setup(putting_away_waits_for_a_call_on_its_way, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
