// What a protocol's driver is opened with, for tests that play the server themselves.

import type { StorageOptions } from '../../agent/remotes/sync/storage.ts';
import { createRandom } from '../../emulator/device/random.ts';
import { type MemoryPlatform, memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { SyncKey } from '../../platform/ports.ts';

export const KB = 'a095c51c1c6e384e8d5777d97e3c487a4fc2128a00ab395a73d57fedf41631f0';
/** The first 16 bytes of SHA-256 of kB, as hex digits and in a key id. */
export const CLIENT_STATE = '5df0bd8c03aa4b92ba32a3fb5c9a2a34';
export const KEYS_CHANGED_AT_MS = 1_510_726_317_123;

export interface RemoteBench {
  readonly options: StorageOptions & { readonly platform: MemoryPlatform };
  /** What was asked so far. */
  readonly requests: Request[];
}

export interface RemoteBenchOptions {
  readonly serverUrl?: string;
  readonly syncKey?: SyncKey;
  readonly nowMs?: number;
}

/**
 * `answer` is the server; the account manager hands out `token 1`, and a new number whenever it
 * must be fresh.
 */
export function remoteBench(
  answer: (request: Request, count: number) => Response | Promise<Response>,
  { serverUrl = 'https://token.test', syncKey = { kB: KB }, nowMs = 0 }: RemoteBenchOptions = {},
): RemoteBench {
  const requests: Request[] = [];
  const random = createRandom(1);
  let tokens = 1;
  const platform = memoryPlatform({
    storage: new MemoryStorage(),
    fetch: async (request) => answer(request, requests.push(request)),
    identity: {
      account: async () => ({ uid: '1', email: 'user@example.test' }),
      assertion: async () => '',
      async accessToken(fresh) {
        if (fresh) tokens++;
        return { token: `token ${tokens}`, keysChangedAtMs: KEYS_CHANGED_AT_MS };
      },
      syncKey: async () => syncKey,
    },
    nowMs,
    random: (count) => random.bytes(count),
  });
  const options = {
    platform,
    config: {
      profile: 'test',
      remote: { protocol: 'sync15', serverUrl, audience: '', auth: 'bearer' as const },
      collections: {},
      intervalMs: 0,
      wifiOnly: false,
      historyRecordsMax: 0,
      recordCharsMax: 400_000,
    },
    keyName: CLIENT_STATE,
    memory: {},
    cache: new Map<string, unknown>(),
    notes: {
      requests: 0,
      waitMs: 0,
      alert: null,
      gone: false,
      quotaRemainingBytes: null,
      serverNowMs: 0,
    },
    abort: { aborted: false },
  };
  return { options, requests };
}

export function json(
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), { status, headers });
}
