// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <vgicsim/cpuif.h>
#include <vgicsim/gich.h>

/* Numbers written out by hand from the register descriptions, not from the masks. */
static const struct {
	uint32_t gich;
	uint64_t ich;
} same[] = {
	{0, 0},
	/* SPI 40, group 0, pending, priority 0xa0 */
	{0x1a000028, 0x40a0000000000028},
	/* SPI 40, group 1, active, priority 0xf8, EOI */
	{0x6f880028, 0x90f8020000000028},
	/* PPI 27 mapped to physical 27, pending and active */
	{0xb0006c1b, 0xe000001b0000001b},
	/* physical INTID 1019 has bit 19 set, which is not EOI then */
	{0x900fec2a, 0x600003fb0000002a},
	/* SGI 5 from CPU 6, pending, EOI because other sources wait */
	{0x10081805, 0x4000020000001805},
	/* empty again: EOI still unserved */
	{0x00080033, 0x0000020000000033},
	/* spurious INTID: all bits of the field */
	{0x000003ff, 0x00000000000003ff},
};

static void known_values(void **state)
{
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		assert_int_equal(vgic_gich_lr_decode(same[i].gich), same[i].ich);
		assert_int_equal(vgic_gich_lr_encode(same[i].ich), same[i].gich);
	}
}

/* Every register without reserved bits survives the way there and back. */
static void there_and_back(void **state)
{
	uint32_t lr = 1;

	for (int i = 0; i < 200000; i++) {
		uint32_t clean = lr & ~0x00700000u;

		if (!(clean & VGIC_GICH_LR_HW))
			clean &= ~0x0007e000u;
		assert_int_equal(vgic_gich_lr_encode(vgic_gich_lr_decode(clean)), clean);
		assert_int_equal(vgic_gich_lr_decode(lr), vgic_gich_lr_decode(clean));
		lr = lr * 1664525u + 1013904223u;
	}
}

static void no_room(void **state)
{
	/* priority 0xa7 loses its lower bits; bits 12:10 are the source CPU */
	assert_int_equal(vgic_gich_lr_encode(0x40a7000000000428), 0x1a000428);
	/* LPIs cannot be expressed: 8192 becomes 0 */
	assert_int_equal(vgic_gich_lr_encode(0x4000000000002000), 0x10000000);
	/* physical INTID 0x1400 + 32 */
	assert_int_equal(vgic_gich_lr_encode(0x6000142000000020), 0x90008020);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
