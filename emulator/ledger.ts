// The books of a run: what was executed, sent and written, in all and for each sync pass.
// What the emulator itself asks the device in order to check it (listings) is booked apart, so that
// it is never taken for the work of a sync.

import { FIRST } from './remote.ts';
import type { Setup } from './setup.ts';

export interface Cpu {
  /** WebAssembly instructions of the agent. */
  readonly instructions: number;
  readonly longestSlice: number;
  /** Device time. */
  readonly virtualMs: number;
  /** Instructions of SQLite. */
  readonly storageInstructions: number;
}

export interface Traffic {
  readonly requests: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Bytes of the records in listings, as sent. */
  readonly payloadBytesIn: number;
}

export interface FlashUse {
  readonly pagesWritten: number;
  readonly bytesWritten: number;
  /** Bytes of keys and values that the agent stored. */
  readonly payloadBytes: number;
  /** Bytes written for one byte stored; 0 when nothing was stored. */
  readonly writeAmplification: number;
}

export interface Use {
  readonly cpu: Cpu;
  readonly network: Traffic;
  readonly flash: FlashUse;
}

export interface CollectionCounts {
  readonly pulled: number;
  readonly pushed: number;
  readonly quarantined: number;
  readonly merged: number;
  readonly evicted: number;
}

/** The agent's own report of a pass. */
export interface PassReport {
  readonly ok: boolean;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly collections: Readonly<Record<string, CollectionCounts>>;
}

export interface Pass extends PassReport, Use {
  /** Which remote it asked, as the device calls it. */
  readonly remote: string;
}

export interface Ledger {
  readonly passes: readonly Pass[];
  /** A pass is asked for: what happened since the last one is not part of it. */
  beginPass(): void;
  /** The agent has begun a pass with this remote. */
  passBegun(remote: string): void;
  /** The agent said that a pass is over; it is booked at the end of the present event. */
  passOver(report: PassReport, remote: string): void;
  /** An event of the device is worked off. */
  step(): void;
  /** The power was cut: a pass that was running ends here. */
  powerCut(): void;
  /** Runs `work` in the books of the inspection. */
  inspect<T>(work: () => Promise<T>): Promise<T>;
  /** Everything so far, inspection not included. */
  total(): Use;
  inspection(): Use;
}

export function createLedger(setup: Setup, pageBytes: number): Ledger {
  const passes: Pass[] = [];
  let passFrom = NOTHING;
  let isRunning = false;
  let over: [report: PassReport, remote: string][] = [];
  let asked = FIRST;
  let longestSlice = 0;
  let inspected = NOTHING;
  let inspectedSlice = 0;

  /** The longest slice since the last look. */
  function takeSlice(): number {
    const slice = setup.device.counters().longestSlice;
    setup.device.resetSlices();
    return slice;
  }

  function book(report: PassReport, remote: string): void {
    const now = totalsOf(setup);
    const slice = takeSlice();
    longestSlice = Math.max(longestSlice, slice);
    passes.push({ ...report, remote, ...useOf(difference(now, passFrom), slice, pageBytes) });
    passFrom = now;
    isRunning = false;
  }

  return {
    passes,
    beginPass() {
      longestSlice = Math.max(longestSlice, takeSlice());
      passFrom = totalsOf(setup);
      isRunning = true;
    },
    passBegun(remote) {
      asked = remote;
      isRunning = true;
    },
    passOver(report, remote) {
      over.push([report, remote]);
    },
    step() {
      for (const pass of over) book(...pass);
      over = [];
    },
    powerCut() {
      if (!isRunning) return;
      const error = { code: 'powerCut', message: 'the power was cut' };
      book({ ok: false, error, collections: {} }, asked);
    },
    async inspect(work) {
      longestSlice = Math.max(longestSlice, takeSlice());
      const before = totalsOf(setup);
      try {
        return await work();
      } finally {
        inspected = sum(inspected, difference(totalsOf(setup), before));
        inspectedSlice = Math.max(inspectedSlice, takeSlice());
      }
    },
    total() {
      const slice = Math.max(longestSlice, setup.device.counters().longestSlice);
      return useOf(difference(totalsOf(setup), inspected), slice, pageBytes);
    },
    inspection: () => useOf(inspected, inspectedSlice, pageBytes),
  };
}

interface Totals extends Traffic {
  readonly instructions: number;
  readonly virtualMs: number;
  readonly storageInstructions: number;
  readonly pagesWritten: number;
  readonly payloadBytes: number;
}

const NOTHING: Totals = {
  instructions: 0,
  virtualMs: 0,
  storageInstructions: 0,
  requests: 0,
  bytesIn: 0,
  bytesOut: 0,
  payloadBytesIn: 0,
  pagesWritten: 0,
  payloadBytes: 0,
};

function totalsOf({ device, network, clock, flash }: Setup): Totals {
  const { instructions, storageInstructions, payloadBytes } = device.counters();
  return {
    instructions,
    storageInstructions,
    payloadBytes,
    virtualMs: clock.nowNs() / 1e6,
    ...network.counters(),
    pagesWritten: flash().events,
  };
}

function combine(a: Totals, b: Totals, sign: 1 | -1): Totals {
  const names = Object.keys(NOTHING) as (keyof Totals)[];
  const members = names.map((name): [string, number] => [name, a[name] + sign * b[name]]);
  return Object.fromEntries(members) as unknown as Totals;
}

const sum = (a: Totals, b: Totals) => combine(a, b, 1);
const difference = (a: Totals, b: Totals) => combine(a, b, -1);

function useOf(totals: Totals, longestSlice: number, pageBytes: number): Use {
  const { instructions, storageInstructions, pagesWritten, payloadBytes } = totals;
  const { requests, bytesIn, bytesOut, payloadBytesIn } = totals;
  const bytesWritten = pagesWritten * pageBytes;
  const writeAmplification = payloadBytes === 0 ? 0 : round(bytesWritten / payloadBytes, 3);
  return {
    cpu: { instructions, longestSlice, virtualMs: round(totals.virtualMs, 3), storageInstructions },
    network: { requests, bytesIn, bytesOut, payloadBytesIn },
    flash: { pagesWritten, bytesWritten, payloadBytes, writeAmplification },
  };
}

function round(value: number, digits: number): number {
  return Math.round(value * 10 ** digits) / 10 ** digits;
}
