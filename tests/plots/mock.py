#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Make result files for the tests of 'vgicsim plot', the same on every machine.

A toy of one vCPU: bursts of interrupts and a timer, list registers filled by priority, an
underflow interrupt when interrupts wait outside. It is no model of any vgic; it makes files whose
parts agree with one another (histograms sum to their n, occupancy to guest time) and whose curves
look like real ones. Kinds: burst, mixed, dry (nothing ever happens).
"""
import argparse
import hashlib
import json

MASK = (1 << 64) - 1


class Random:
    """splitmix64: Python's own generator may change between versions."""

    def __init__(self, seed):
        self.state = seed

    def bits(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, n):
        return self.bits() % n

    def skewed(self, base):
        """base, with a tail: each further doubling has a quarter of the chance."""
        value = base + self.below(base // 2 + 1)
        while self.below(4) == 0:
            value += base // 2 + self.below(base)
        return value


def hdr(value):
    """Highest value equivalent to this one with three significant digits."""
    shift = max(0, value.bit_length() - 11)
    return ((value >> shift) << shift) + (1 << shift) - 1


class Latency:
    def __init__(self):
        self.values = []

    def add(self, value):
        self.values.append(value)

    def to_json(self):
        if not self.values:
            return None
        hist = {}
        for value in self.values:
            hist[hdr(value)] = hist.get(hdr(value), 0) + 1
        return {"n": len(self.values), "min_ns": min(self.values), "max_ns": max(self.values),
                "mean_ns": sum(self.values) // len(self.values),
                "hist": [[v, hist[v]] for v in sorted(hist)]}


class Irq:
    def __init__(self, intid, prio):
        self.intid, self.prio = intid, prio
        self.pending = self.active = False
        self.raised = self.first_lr = self.acked = None


class Machine:
    ENTRY, EXIT, MI_DELAY = 900, 1100, [300, 450, 700]

    def __init__(self, nr_lr, seed, events, intids):
        self.nr_lr, self.random, self.events = nr_lr, Random(seed), events
        self.irqs = {i: Irq(i, 0x80 + 0x10 * (i % 4)) for i in intids}
        self.now = self.next_event = self.guest = 0
        self.lrs, self.open_segment = [None] * nr_lr, [None] * nr_lr
        self.stack = []
        self.exits = dict.fromkeys(("mi", "dir", "sgi", "wfi", "mmio", "other_irq", "other"), 0)
        self.mi = dict.fromkeys(("eoi", "u", "lrenp", "np", "grp0e", "grp0d", "grp1e", "grp1d"), 0)
        self.mi_total = self.eoicount = self.lr_writes = self.lr_reads = self.flushes = 0
        self.interrupts = self.inversions = self.inversion_ns = self.lost = 0
        self.occupancy = {k: [0] * 17 for k in ("pending_ns", "active_ns", "used_ns", "entries")}
        self.depth, self.depth_ns, self.depth_max, self.overflowed = 0, {}, 0, 0
        self.latency = {k: Latency() for k in
                        ("raise_to_lr", "raise_to_ack", "ack_to_eoi", "raise_to_deactivate")}
        self.segments, self.mis, self.depths = [], [], []

    def spend(self, ns, in_guest):
        if in_guest:
            used = [irq for irq in self.lrs if irq and (irq.pending or irq.active)]
            self.occupancy["used_ns"][len(used)] += ns
            self.occupancy["pending_ns"][sum(i.pending for i in used)] += ns
            self.occupancy["active_ns"][sum(i.active for i in used)] += ns
            self.guest += ns
            self.depth_ns[self.depth] = self.depth_ns.get(self.depth, 0) + ns
            waiting = [i.prio for i in self.irqs.values() if i.pending and i not in self.lrs]
            inside = [i.prio for i in used if i.pending]
            if waiting and inside and min(waiting) < max(inside):
                self.inversion_ns += ns
        self.now += ns
        while self.next_event < len(self.events) and self.events[self.next_event][0] <= self.now:
            at, intid = self.events[self.next_event]
            self.next_event += 1
            irq = self.irqs[intid]
            if not irq.pending:
                irq.pending, irq.raised, irq.first_lr = True, at, None
                self.interrupts += 1
            if in_guest:
                self.kicked = True

    def segment(self, lr):
        irq = self.lrs[lr]
        state = irq and {(1, 0): "pending", (0, 1): "active", (1, 1): "both"}.get(
            (int(irq.pending), int(irq.active)))
        new = (irq.intid, state) if state else None
        old = self.open_segment[lr]
        if old and old[:2] != new:
            if self.now > old[2]:
                self.segments.append({"lr": lr, "intid": old[0], "state": old[1],
                                      "t0_ns": old[2], "t1_ns": self.now})
            old = None
        if new and not old:
            old = new + (self.now,)
        self.open_segment[lr] = old

    def enter(self):
        self.spend(self.ENTRY, False)
        wanted = sorted((i for i in self.irqs.values() if i.pending or i.active),
                        key=lambda i: (not i.active, i.prio, i.intid))
        chosen = wanted[:self.nr_lr]
        self.lrs = [i if i in chosen else None for i in self.lrs]
        for irq in chosen:
            if irq not in self.lrs:
                self.lrs[self.lrs.index(None)] = irq
            if irq.pending and irq.first_lr is None:
                irq.first_lr = self.now
                self.latency["raise_to_lr"].add(self.now - irq.raised)
        depth = len(wanted) - len(chosen)
        if depth != self.depth:
            self.depths.append([self.now, depth])
        self.depth = depth
        self.depth_max = max(self.depth_max, depth)
        self.overflowed += depth > 0
        self.inversions += depth > 0 and any(
            w.pending and any(c.prio > w.prio for c in chosen) for w in wanted[self.nr_lr:])
        self.lr_writes += len(chosen)
        self.flushes += 1
        self.occupancy["entries"][len(chosen)] += 1
        for lr in range(self.nr_lr):
            self.segment(lr)
        self.kicked = False

    def leave(self, reason):
        self.exits[reason] += 1
        self.lr_reads += sum(i is not None for i in self.lrs)
        self.spend(self.EXIT, False)

    def maintenance(self):
        """True after an exit that the maintenance interrupt forced."""
        used = sum(1 for i in self.lrs if i and (i.pending or i.active))
        sources = []
        if self.depth and used <= 1:
            sources.append("u")
        if self.depth and self.eoicount_live:
            sources.append("lrenp")
        if self.depth and not any(i and i.pending for i in self.lrs):
            sources.append("np")
        if not sources:
            return False
        self.spend(self.MI_DELAY[self.random.below(3)], True)
        self.mi_total += 1
        for source in sources:
            self.mi[source] += 1
        self.mis.append({"t_ns": self.now, "sources": sources})
        self.eoicount_live = 0
        self.leave("mi")
        return True

    def run(self, until):
        self.eoicount_live = 0
        self.enter()
        while self.now < until:
            if self.kicked:
                self.leave("other_irq")
                self.enter()
                continue
            if self.maintenance():
                self.enter()
                continue
            ready = sorted((i for i in self.lrs if i and i.pending and not i.active),
                           key=lambda i: (i.prio, self.lrs.index(i)))
            if ready and (not self.stack or ready[0].prio < self.stack[-1][0].prio):
                irq = ready[0]
                self.spend(180, True)
                irq.pending, irq.active, irq.acked = False, True, self.now
                self.latency["raise_to_ack"].add(self.now - irq.raised)
                self.stack.append([irq, self.random.skewed(2200), irq.raised])
                self.segment(self.lrs.index(irq))
                if self.random.below(9) == 0:
                    self.leave("mmio")
                    self.enter()
            elif self.stack:
                irq, left, raised = self.stack[-1]
                step = min(left, 700)
                self.spend(step, True)
                self.stack[-1][1] -= step
                if irq in self.lrs:
                    self.segment(self.lrs.index(irq))
                if self.stack[-1][1] == 0:
                    self.stack.pop()
                    irq.active = False
                    self.latency["ack_to_eoi"].add(self.now - irq.acked)
                    self.latency["raise_to_deactivate"].add(self.now - raised)
                    if irq in self.lrs:
                        self.segment(self.lrs.index(irq))
                    else:
                        self.eoicount += 1
                        self.eoicount_live = 1
                    if self.random.below(40) == 0:
                        self.leave("sgi")
                        self.enter()
            else:
                self.leave("wfi")
                if self.next_event < len(self.events):
                    self.now = max(self.now, self.events[self.next_event][0])
                    self.spend(0, False)
                else:
                    self.now = until
                self.enter()
        for lr in range(self.nr_lr):
            old = self.open_segment[lr]
            if old and old[2] < self.now:
                self.segments.append({"lr": lr, "intid": old[0], "state": old[1],
                                      "t0_ns": old[2], "t1_ns": self.now})

    def cell(self, outcome="completed", detail=None, timeline=None):
        line = None
        if timeline:
            t0, t1 = timeline
            before = [d for t, d in self.depths if t < t0]
            line = {"t0_ns": t0, "t1_ns": t1, "vcpu": 0,
                    "lrs": sorted(({**s, "t0_ns": max(s["t0_ns"], t0),
                                    "t1_ns": min(s["t1_ns"], t1)} for s in self.segments
                                   if s["t1_ns"] > t0 and s["t0_ns"] < t1),
                                  key=lambda s: (s["t0_ns"], s["lr"])),
                    "mi": [m for m in self.mis if t0 <= m["t_ns"] < t1],
                    "overflow": [[t0, before[-1] if before else 0]] +
                                [d for d in self.depths if t0 <= d[0] < t1]}
        return {"nr_lr": self.nr_lr, "outcome": outcome, "detail": detail,
                "guest_time_ns": self.guest, "wall_time_ns": self.now,
                "exits": {"total": sum(self.exits.values()), **self.exits},
                "mi": {"total": self.mi_total, **self.mi},
                "dir_traps": self.exits["dir"], "eoicount_deactivations": self.eoicount,
                "kicks": self.exits["other_irq"], "lr_writes": self.lr_writes,
                "lr_reads": self.lr_reads, "interrupts": self.interrupts,
                "excess_exits": self.exits["mi"] + self.exits["dir"],
                "bound": {"mi": self.mi_total // 2, "lr_exits": self.mi_total // 2},
                "occupancy": self.occupancy,
                "overflow": {"max": self.depth_max, "entries": self.overflowed,
                             "depth_ns": [[d, self.depth_ns[d]] for d in sorted(self.depth_ns)]},
                "latency": {k: v.to_json() for k, v in self.latency.items()},
                "inversions": {"count": self.inversions, "ns": self.inversion_ns},
                "spurious": 0, "lost": self.lost, "starved": [], "timeline": line}


def demand(kind, random, repeats):
    """[(time, intid)] and the length of the run."""
    events, at = [], 40_000
    if kind == "dry":
        return [], 1_000_000
    for number in range(repeats):
        if kind == "burst":
            size = 10 + random.below(14)
            events += [(at + 12 * k, 32 + k) for k in range(size)]
            at += 110_000 + random.below(60_000)
        else:
            for intid in (27, 33 + random.below(12), 48 + random.below(20)):
                events.append((at + random.below(9_000), intid))
            if number % 7 == 0:
                events += [(at + 30 * k, 70 + k) for k in range(random.below(9))]
            at += 9_000 + random.below(14_000)
    return sorted(events), at + 100_000


def livelock(cell):
    """What a cell that never ends looks like: its counts are where the detector gave up."""
    cell.update(outcome="livelock", timeline=None,
                detail="the same interrupt was injected and removed 4096 times without an "
                       "acknowledge")
    return cell


def starve(cell):
    cell.update(outcome="starved", lost=0,
                detail="an interrupt stood pending outside the list registers to the end",
                starved=[{"vcpu": 0, "intid": 61, "since_ns": 1_204_500},
                         {"vcpu": 0, "intid": 62, "since_ns": 1_204_512}])
    return cell


def measured(cell):
    """The view of a recording: what the host cannot see is null."""
    truth = json.loads(json.dumps(cell))
    for key in ("excess_exits", "spurious"):
        truth[key] = None
    truth["inversions"] = {"count": None, "ns": None}
    for key in ("raise_to_ack", "ack_to_eoi"):
        truth["latency"][key] = None
    truth["exits"]["total"] += truth["exits"]["total"] // 40
    truth["exits"]["other_irq"] += truth["exits"]["total"] - sum(
        v for k, v in truth["exits"].items() if k != "total")
    return truth


def result(args):
    events, until = demand(args.kind, Random(args.seed), args.repeats)
    cells, recorded = [], None
    for nr_lr in args.lrs:
        machine = Machine(nr_lr, args.seed + nr_lr, events, {i for _, i in events})
        machine.run(until)
        middle = until // 2
        cell = machine.cell(timeline=(middle, min(until, middle + args.timeline)))
        if nr_lr == args.recorded:
            recorded = measured(cell)
        if nr_lr in args.livelock:
            cell = livelock(cell)
        elif nr_lr in args.starved:
            cell = starve(cell)
        cells.append(cell)
    return {"format": "vgicsim-result", "version": 1,
            "tool": {"name": "vgicsim", "version": "0.1.0"},
            "input": {"file": args.file or "%s.vgr" % args.kind, "hash": hashlib.sha1(repr(
                          (args.kind, args.seed, args.repeats, args.kernel)).encode()
                          ).hexdigest()[:16],
                      "kernel": args.kernel, "cpu": "Cortex-A76 (0x414fd0b1)",
                      "nr_lr": args.recorded, "pairs": recorded and sum(
                          recorded["occupancy"]["entries"]), "lost": args.lost,
                      "guest": "guest-%s --repeats %d" % (args.kind, args.repeats),
                      "duration_ns": until},
            "config": {"policy": args.policy, "seed": args.seed, "arrivals": "open",
                       "profile": {"entry_ns": Machine.ENTRY, "exit_ns": Machine.EXIT,
                                   "mi_delay_ns": Machine.MI_DELAY},
                       "estimator": "midpoint of the run in which the state changed"},
            "recorded": recorded, "cells": cells}


def numbers(text):
    return [int(n) for n in text.split(",") if n]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["burst", "mixed", "dry"])
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lrs", type=numbers, default=list(range(1, 17)))
    parser.add_argument("--recorded", type=int, default=4)
    parser.add_argument("--livelock", type=numbers, default=[])
    parser.add_argument("--starved", type=numbers, default=[])
    parser.add_argument("--timeline", type=int, default=1_500_000, help="its length in ns")
    parser.add_argument("--kernel", default="7.3.4+deb13-arm64")
    parser.add_argument("--policy", default="linux-7.3")
    parser.add_argument("--file")
    parser.add_argument("--lost", type=int, default=0)
    print(json.dumps(result(parser.parse_args()), indent=1))


if __name__ == "__main__":
    main()
