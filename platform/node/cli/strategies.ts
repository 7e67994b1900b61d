// What becomes of conflicts in a folder, by collection: `--strategy COLLECTION=STRATEGY` of a sync.
// What was said once stays with the folder's notes until something else is said, and conflicts that
// wait for somebody go on waiting, whatever becomes of the notes.

import { STRATEGIES, type Strategy } from '../../../agent/index.ts';
import { UsageError } from './complaint.ts';
import { contents } from './contents.ts';

/** By name of the collection. */
export interface StrategyNotes {
  readonly [collection: string]: Strategy;
}

/** The collection's own rule again. */
const DEFAULT = 'default';

/** Each device writes its own records there, and nobody else's. */
const WITHOUT: readonly string[] = ['tabs'];

/** What was typed, by collection; null: the collection's own rule. */
export type TypedStrategies = ReadonlyMap<string, Strategy | null>;

/** `collections`: those that are synced. Errors: `UsageError`. */
export function typedStrategies(
  texts: readonly string[],
  collections: readonly string[],
): TypedStrategies {
  const typed = new Map<string, Strategy | null>();
  for (const text of texts) {
    const [, written = '', word = ''] = /^([^=]*)=(.*)$/s.exec(text.trim()) ?? [];
    const name = /^generic\((.*)\)$/s.exec(written)?.[1] ?? written;
    if (written === '') throw new UsageError('--strategy must be COLLECTION=STRATEGY');
    if (!collections.includes(name) || WITHOUT.includes(name)) {
      const shown = JSON.stringify(name.slice(0, 80));
      const known = collections.filter((one) => !WITHOUT.includes(one));
      throw new UsageError(`--strategy: ${shown} is not one of ${known.join(', ')}`);
    }
    if (typed.has(name)) throw new UsageError(`--strategy ${name} is there twice`);
    const strategy = STRATEGIES.find((one) => one === word) ?? null;
    if (strategy === null && word !== DEFAULT) {
      const words = [...STRATEGIES, DEFAULT].join(', ');
      throw new UsageError(
        `--strategy ${name}: ${JSON.stringify(word.slice(0, 80))} is not one of ${words}`,
      );
    }
    const complaint = complaintOf(name, strategy);
    if (complaint !== null) throw new UsageError(`--strategy ${name}: ${complaint}`);
    typed.set(name, strategy);
  }
  return typed;
}

/** Why a collection cannot have this strategy; null: it can. */
function complaintOf(name: string, strategy: Strategy | null): string | null {
  const found = contents.collections.find((one) => one.name === name);
  if (found === undefined || strategy === null || strategy === 'merge') return null;
  if ('stamped' in found) {
    return `never ${strategy}: of two versions the later one counts, on every device`;
  }
  const isWhole = strategy === 'manual' && 'replace' in found;
  return isWhole ? 'never manual: its records are replaced all at once' : null;
}

/** What the folder has from now on. */
export function withTyped(kept: StrategyNotes, typed: TypedStrategies): StrategyNotes {
  const all = [...new Map<string, Strategy | null>([...Object.entries(kept), ...typed])];
  return Object.fromEntries(
    all.flatMap(([name, strategy]) => (strategy === null ? [] : [[name, strategy] as const])),
  );
}

/** Whether it can be what a sync has left. */
export function isStrategyNotes(value: object): value is StrategyNotes {
  return Object.values(value).every((word) => STRATEGIES.some((strategy) => strategy === word));
}
