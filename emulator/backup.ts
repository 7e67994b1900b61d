// A device that is lost: the apps of a first one make records, which it backs up on a Kinto; a
// second one, as it comes from the factory, has nothing but its user's sign-in, or the recovery
// code that the first has shown, and restores all of it. Both are runs with every promise of one.

import { createHash } from 'node:crypto';
import { ownOf } from './checks.ts';
import { compareBodies } from './compare.ts';
import type { Edit } from './options.ts';
import { runScenario, type ScenarioOptions, type ScenarioResult } from './scenario.ts';
import { syntheticAccount } from './servers/synthetic.ts';
import { ownRecord } from './servers/synthetic-own.ts';

export interface BackupOptions extends Omit<ScenarioOptions, 'account' | 'edits' | 'elsewhere'> {
  /** That apps make in each collection. */
  readonly records: number;
}

export interface BackupResult {
  readonly first: ScenarioResult;
  /** Null: the first one has backed up nothing. */
  readonly second: ScenarioResult | null;
}

export async function runBackup(options: BackupOptions): Promise<BackupResult> {
  const { seed, serverUrl = null, onProgress } = options;
  const account = syntheticAccount({ records: 0, passwords: 0, seed });
  const say = (text: string) => onProgress?.({ kind: 'step', virtualMs: 0, text });
  say('the first device');
  const first = await runScenario({
    ...options,
    account,
    edits: madeUp(options),
    wantsHoldings: true,
  });
  const [{ kinto, view }] = first.setup.remotes;
  const kept = kinto?.dump() ?? null;
  if ((kept === null && serverUrl === null) || first.killed !== null)
    return { first, second: null };
  say('the second device');
  const second = await runScenario({
    ...options,
    // The user is the same; what they have is on the server alone.
    account: { kB: account.kB, store: (await view()).store },
    ...{ seed: seed + 1, cutsAt: [], wantsHoldings: true },
    ...(kept !== null && { kept }),
    ...(first.recoveryCode !== null && { recoveryCode: first.recoveryCode }),
  });
  return { first, second };
}

/** What the second lacks of the first, or has besides, in words. */
export function differencesOf({ first, second }: BackupResult): string[] {
  const [one, two] = [first.parts[0], second?.parts[0]];
  if (one === undefined || two === undefined) return [];
  return ownOf(one).flatMap((name) =>
    compareBodies(name, two.others[name] ?? [], one.others[name] ?? []).map((line) =>
      line.replace('the server has', 'the first device has'),
    ),
  );
}

function madeUp({ collections = [], records, seed }: BackupOptions): Edit[] {
  return collections.flatMap((collection) =>
    Array.from({ length: records }, (_, index): Edit => {
      const drawn = createHash('sha256').update(`backup ${seed} ${collection} ${index}`).digest();
      return { collection, op: 'put', record: ownRecord(collection, index, drawn, NEWEST_MS) };
    }),
  );
}

const NEWEST_MS = Date.UTC(2026, 10, 1);
