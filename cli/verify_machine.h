/* SPDX-License-Identifier: GPL-2.0-only */
/* What verify has to know of the recorded host. */
#ifndef VGICSIM_CLI_VERIFY_MACHINE_H
#define VGICSIM_CLI_VERIFY_MACHINE_H

#include <vgicsim/recording.h>
#include <vgicsim/verify.h>

/* By the header of a recording; nobody is told of mismatches. */
struct vgic_verify_config verify_machine(const struct vgr_header *h,
					 const struct vgic_policy *policy);

#endif
