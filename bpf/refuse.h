/* SPDX-License-Identifier: GPL-2.0-only */
/* Why something cannot be done here, in one line. */
#ifndef VGICSIM_BPF_REFUSE_H
#define VGICSIM_BPF_REFUSE_H

#include <stdarg.h>
#include <stdio.h>

#include <vgicsim/capture.h>

/* Writes the line and gives code. */
static inline __attribute__((format(printf, 3, 4))) int refuse(struct vgic_capture_error *err,
							       int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}

#endif
