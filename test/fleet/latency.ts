// How long a page and a write take, through a gateway and straight at the storage, both behind the
// same front: one of each at a time, all through a run.

import { performance } from 'node:perf_hooks';
import { clientState } from '../../emulator/servers/sync-keys.ts';
import type { User } from './user.ts';

const WAYS = ['GET, gateway', 'GET, storage', 'POST, gateway', 'POST, storage'] as const;
type Way = (typeof WAYS)[number];

interface Latencies {
  /** Asks once each way. */
  measure(): Promise<void>;
  lines(): string[];
}

export function latenciesOf(user: User): Latencies {
  const times = new Map<Way, number[]>(WAYS.map((way) => [way, []]));
  let refused = 0;
  const bucket = clientState(user.kB);
  const records = `/buckets/${bucket}/collections/probe/records`;
  const payload = 'x'.repeat(300);
  const syncto = async (path: string, method: string, body?: object): Promise<number> => {
    const headers = {
      Authorization: `BrowserID ${await user.assertion(false)}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    };
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    const answer = await fetch(`${user.url}/syncto/v1${path}`, init);
    await answer.text();
    return answer.status;
  };
  const path = `/v1${records}/one`;
  const requests = [{ method: 'PUT', path, body: { data: { payload } } }];
  const ask: Readonly<Record<Way, () => Promise<number>>> = {
    'POST, gateway': () => syncto('/batch', 'POST', { requests }),
    'POST, storage': async () =>
      (await user.storage('POST', 'storage/probe', { body: [{ id: 'two', payload }] })).status,
    'GET, gateway': () => syncto(`${records}?_limit=10`, 'GET'),
    'GET, storage': async () => (await user.storage('GET', 'storage/probe?full=1&limit=10')).status,
  };
  return {
    async measure() {
      for (const way of WAYS) {
        const startMs = performance.now();
        const status = await ask[way]().catch(() => 0);
        if (status === 200) times.get(way)?.push(performance.now() - startMs);
        else refused++;
      }
    },
    lines: () => [
      ...WAYS.map((way) => `${way.padEnd(13)}  ${spread(times.get(way) ?? [])}`),
      `${refused} of these requests had another answer than 200`,
    ],
  };
}

function spread(times: readonly number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(sorted.length * share)]?.toFixed(1) ?? '-';
  return `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, ${sorted.length} times`;
}
