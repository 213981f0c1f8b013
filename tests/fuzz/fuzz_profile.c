// SPDX-License-Identifier: GPL-2.0-only
/* Any text: it is a profile that comes back as the same bytes, or refused with a reason. */
#include <stdlib.h>
#include <string.h>
#include <vgicsim/profile_file.h>
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vgic_profile_error error;
	struct vgic_profile_file p;
	char *text, *again;
	size_t n, m;

	if (vgic_profile_parse(&p, (const char *)data, size, &error)) {
		if (!error.text[0])
			abort();
		vgic_profile_finish(&p);
		return 0;
	}
	if (vgic_profile_format(&p, &text, &n))
		abort();
	vgic_profile_finish(&p);
	if (vgic_profile_parse(&p, text, n, &error) || vgic_profile_format(&p, &again, &m))
		abort();
	if (n != m || memcmp(text, again, n))
		abort();
	vgic_profile_finish(&p);
	free(again);
	free(text);
	return 0;
}
