// Sends the table to the real Syncto, and gives what it answered and what it asked for.

import { TEST_NOW_MS } from '../../emulator/servers/testing.ts';
import { type Answered, type Case, fill, type Outcome, shortened, unfill } from './case.ts';
import { type RealSyncto, startSyncto } from './real.ts';
import type { Recording } from './recording.ts';
import { startUpstream } from './upstream.ts';
import { send } from './wire.ts';
import { wordsOf } from './words.ts';

/** What may be written there, and what may be erased. */
export const WRITABLE = ['history', 'passwords', 'clients'];
export const ERASABLE = ['history'];

const SETTINGS = [
  ...WRITABLE.map((name) => `syncto.record_${name}_put_enabled=true`),
  ...ERASABLE.map((name) => `syncto.record_${name}_delete_enabled=true`),
];

export async function record(python: string, cases: readonly Case[]): Promise<Recording> {
  const upstream = await startUpstream();
  const tokenUrl = `${upstream.url}/token`;
  let syncto: RealSyncto | undefined;
  try {
    syncto = await startSyncto(python, { tokenUrl, nowMs: TEST_NOW_MS, settings: SETTINGS });
    const recorded: [string, Outcome[]][] = [];
    for (const [index, { name, steps, trouble }] of cases.entries()) {
      const words = wordsOf({ nowMs: TEST_NOW_MS, upstream: upstream.url, index, steps });
      upstream.begin(trouble, words);
      const outcomes: Outcome[] = [];
      for (const step of steps) {
        const answered = await send(syncto.url, fill(step, words)).catch((error: unknown) => {
          throw new Error(`${name}: ${String(error)}`);
        });
        const answer = told(answered, syncto.url, words);
        outcomes.push({ answered: answer, exchanges: upstream.take() });
      }
      recorded.push([name, outcomes]);
    }
    return Object.fromEntries(recorded);
  } finally {
    await syncto?.close();
    upstream.close();
  }
}

/** An answer of a gateway at this origin, as it is written down. */
export function told(
  { status, headers, body }: Answered,
  origin: string,
  words: ReadonlyMap<string, string>,
): Answered {
  const said = new Map([...words, ['syncto', origin] as const]);
  const pairs = Object.entries(headers).map(([name, value]) => [name, unfill(value, said)]);
  return { status, headers: Object.fromEntries(pairs), body: shortened(unfill(body, said)) };
}
