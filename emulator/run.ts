// A run while it goes on: the device in its surroundings, its books, what is known of each of its
// remotes. A power cut ends nothing: the device is started again and goes on from what its flash
// kept.

import { PowerCut } from './device/flash.ts';
import type { Fault } from './device/flash-image.ts';
import { createLedger, type Ledger, type PassReport } from './ledger.ts';
import { type Part, partAt, partsOf } from './part.ts';
import type { Progress } from './progress.ts';
import type { SetAside } from './quarantine.ts';
import { createSetup, type Setup, type SetupOptions } from './setup.ts';

interface RunOptions extends Omit<SetupOptions, 'onEvent' | 'onStep'> {
  readonly cutsAt?: readonly number[];
  readonly cutFault?: Fault;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Run {
  readonly options: RunOptions;
  readonly setup: Setup;
  readonly ledger: Ledger;
  /** One for each remote, the device's first one in front. */
  readonly parts: readonly [Part, ...Part[]];
  /** Of no remote more than of another. */
  readonly problems: string[];
  powerCuts: number;
  /** Something has ended it early. */
  hasEnded: boolean;
  /** Why the device has killed the agent; null: it has not. */
  killed: string | null;
  /** That a device has made or was given; null: none. */
  recoveryCode: string | null;
  say(text: string, kind?: Progress['kind']): void;
  /** A line about a part, which names it where there are several. */
  named(part: Part, line: string): string;
}

export function createRun(options: RunOptions): Run {
  const say = (text: string, kind: Progress['kind'] = 'step') =>
    options.onProgress?.({ kind, virtualMs: setup.clock.nowNs() / 1e6, text });
  const setup: Setup = createSetup({
    ...options,
    onStep: () => ledger.step(),
    onEvent: (json) => heard(run, JSON.parse(json) as AgentEvent),
  });
  const ledger = createLedger(setup, options.profile.flash.pageBytes);
  setup.flash().cutAt = options.cutsAt?.[0] ?? null;
  const parts = partsOf(setup);
  const run: Run = {
    ...{ options, setup, ledger, parts, say },
    problems: [],
    powerCuts: 0,
    ...{ hasEnded: false, killed: null },
    recoveryCode: null,
    named: ({ remote }, line) => (parts.length > 1 ? `${remote.name}: ${line}` : line),
  };
  return run;
}

type AgentEvent = { readonly remote?: string } & (
  | { readonly kind: 'pass'; readonly report: PassReport }
  | {
      readonly kind: 'progress';
      readonly collection: string;
      readonly pulled: number;
      readonly pushed: number;
    }
  | ({ readonly kind: 'quarantine' } & SetAside)
  | { readonly kind: 'state'; readonly state: string }
  | { readonly kind: 'record' }
);

function heard({ ledger, parts, say }: Run, event: AgentEvent): void {
  const part = partAt(parts, event.remote);
  const { address } = part.remote;
  switch (event.kind) {
    case 'state':
      if (event.state === 'syncing') ledger.passBegun(address);
      return;
    case 'pass':
      part.last = event.report;
      ledger.passOver(event.report, address);
      return;
    case 'quarantine':
      part.reported.push(event);
      return;
    case 'progress':
      say(`${event.collection}: ${event.pulled} received, ${event.pushed} sent`, 'count');
  }
}

/** Runs a step until it has been done without a power cut. */
export async function withPower<T>(run: Run, step: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await step();
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      await restart(run);
    }
  }
}

async function restart(run: Run): Promise<void> {
  const { setup, ledger, options } = run;
  for (;;) {
    run.say('the power was cut');
    setup.losePower(options.cutFault);
    ledger.powerCut();
    run.powerCuts++;
    setup.flash().cutAt = options.cutsAt?.[run.powerCuts] ?? null;
    try {
      await setup.device.boot();
      run.say('switched on again');
      return;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
    }
  }
}
