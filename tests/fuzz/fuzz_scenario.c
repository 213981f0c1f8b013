// SPDX-License-Identifier: GPL-2.0-only
/* Any text: it is understood and run to its end under two policies, or refused with a reason. */
#include <stdlib.h>
#include <string.h>
#include <vgicsim/scenario.h>
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"linux-6.12", "newest"};
	struct vgic_scenario_error error;
	struct vgic_scenario_result r;
	struct vgic_scenario *s;

	if (vgic_scenario_parse(&s, (const char *)data, size, &error)) {
		if (!error.text[0])
			abort();
		return 0;
	}
	for (unsigned int i = 0; i < 2; i++) {
		struct vgic_scenario_options o = {.policy = vgic_policy_find(names[i]),
						  .check = true};

		if (!vgic_scenario_run(s, &o, &r, &error))
			vgic_scenario_result_finish(&r);
		else if (!error.text[0])
			abort();
	}
	vgic_scenario_free(s);
	return 0;
}
