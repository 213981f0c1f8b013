// SPDX-License-Identifier: GPL-2.0-only
/* The architecture's words for bits, and this language's for the rest. */
#include <stdio.h>
#include <string.h>

#include "program.h"

static const struct {
	uint32_t bit;
	const char *name;
} hcr_bits[] =
	{
		{VGIC_HCR_EN, "En"},
		{VGIC_HCR_UIE, "UIE"},
		{VGIC_HCR_LRENPIE, "LRENPIE"},
		{VGIC_HCR_NPIE, "NPIE"},
		{VGIC_HCR_VGRP0EIE, "VGrp0EIE"},
		{VGIC_HCR_VGRP0DIE, "VGrp0DIE"},
		{VGIC_HCR_VGRP1EIE, "VGrp1EIE"},
		{VGIC_HCR_VGRP1DIE, "VGrp1DIE"},
		{VGIC_HCR_VSGIEOICOUNT, "vSGIEOICount"},
		{VGIC_HCR_TC, "TC"},
		{VGIC_HCR_TALL0, "TALL0"},
		{VGIC_HCR_TALL1, "TALL1"},
		{VGIC_HCR_TDIR, "TDIR"},
},
  misr_bits[] = {
	  {VGIC_MISR_EOI, "EOI"},	{VGIC_MISR_U, "U"},	      {VGIC_MISR_LRENP, "LRENP"},
	  {VGIC_MISR_NP, "NP"},		{VGIC_MISR_VGRP0E, "VGrp0E"}, {VGIC_MISR_VGRP0D, "VGrp0D"},
	  {VGIC_MISR_VGRP1E, "VGrp1E"}, {VGIC_MISR_VGRP1D, "VGrp1D"},
};

#define N(array) (sizeof(array) / sizeof((array)[0]))

const char *const set_names[] = {"active", "pending", "stuck", "starved", "lost", "early", NULL};
const char *const state_names[] = {"out", "guest", "left", "asleep", "paused", NULL};
const char *const exit_names[] = {
	[VGIC_HOST_EXIT_MI] = "maintenance interrupt",
	[VGIC_HOST_EXIT_WFI] = "WFI",
	[VGIC_HOST_EXIT_MMIO] = "MMIO",
	[VGIC_HOST_EXIT_DIR] = "trapped DIR",
	[VGIC_HOST_EXIT_SGI] = "SGI",
	[VGIC_HOST_EXIT_KICK] = "IPI",
	[VGIC_HOST_EXIT_IRQ] = "host interrupt",
	[VGIC_HOST_EXIT_HALT] = "VM halted",
	[VGIC_HOST_EXIT_ELSE] = "host",
};

uint32_t hcr_bit(const char *name)
{
	for (size_t i = 0; i < N(hcr_bits); i++)
		if (!strcmp(name, hcr_bits[i].name))
			return hcr_bits[i].bit;
	return 0;
}

uint32_t misr_bit(const char *name)
{
	for (size_t i = 0; i < N(misr_bits); i++)
		if (!strcmp(name, misr_bits[i].name))
			return misr_bits[i].bit;
	return 0;
}

static void append(char *buf, size_t size, const char *word)
{
	size_t n = strlen(buf);

	snprintf(buf + n, size - n, "%s%s", n ? " " : "", word);
}

char *hcr_names(char *buf, size_t size, uint32_t hcr)
{
	buf[0] = '\0';
	for (size_t i = 0; i < N(hcr_bits); i++)
		if (hcr & hcr_bits[i].bit)
			append(buf, size, hcr_bits[i].name);
	if (!buf[0])
		append(buf, size, "none");
	return buf;
}

char *misr_names(char *buf, size_t size, uint32_t misr)
{
	buf[0] = '\0';
	for (size_t i = 0; i < N(misr_bits); i++)
		if (misr & misr_bits[i].bit)
			append(buf, size, misr_bits[i].name);
	if (!buf[0])
		append(buf, size, "none");
	return buf;
}
