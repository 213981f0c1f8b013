/* SPDX-License-Identifier: GPL-2.0-only */
/* Records as text for people and as one line of JSON for programs. */
#ifndef VGICSIM_CLI_TEXT_H
#define VGICSIM_CLI_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <vgicsim/records.h>

/*
 * One line. start: time (ns) that counts as 0. verbose: priorities, groups and all
 * bits of HCR too.
 */
void text_record(FILE *f, const struct vgr_rec *rec, uint64_t start, bool verbose);

/* One line of JSON; number is that of the record in the file. */
void json_record(FILE *f, const struct vgr_rec *rec, uint64_t number);

/* "32a", "36p", "40pa", "32-" (empty, INTID left over), "." (all zero). */
char *text_lr(char *buf, size_t size, uint64_t lr, bool verbose);

/* "32A", "36P", "36*" (on an LR) ... */
char *text_irq(char *buf, size_t size, const struct vgr_irq *irq, bool verbose);

/* Pending as KVM sees it: latch, or line of a level-sensitive one (OV-1). */
bool irq_pending(const struct vgr_irq *irq);

#endif
