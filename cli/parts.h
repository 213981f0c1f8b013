/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What commands find in a recording, as the JSON that they print: what a report is made of. Each
 * gives an exit code, and EXIT_OK also if something was found; otherwise the line is printed and
 * *o is untouched. After EXIT_OK *o may be NULL: out of memory.
 */
#ifndef VGICSIM_CLI_PARTS_H
#define VGICSIM_CLI_PARTS_H

#include <stdint.h>
#include <stdio.h>
#include <jansson.h>

/* cmd_info.c; starved: ns, as --starved. */
int info_json(const char *path, uint64_t starved, json_t **o);
/* cmd_verify.c, with the policy that fits. */
int verify_json(const char *path, json_t **o);
/* cmd_explain.c; worst: how many waits are told. */
int explain_json(const char *path, uint64_t worst, json_t **o);
/* cmd_replay.c, with 1 to 16 LRs and the policy of the recorded kernel: the result as text. */
int replay_json(const char *path, uint64_t threads, FILE *into);

#endif
