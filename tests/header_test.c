/* SPDX-License-Identifier: GPL-2.0-only */
/* Compiled once for each public header: it must stand alone, and twice over. */
#include VGIC_HEADER
#include VGIC_HEADER

int main(void)
{
	return 0;
}
