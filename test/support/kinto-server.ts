// A server of a test's own words, and the agent's way to ask it as a Kinto.

import { openServer } from '../../agent/remotes/kinto/http.ts';
import type { RemoteOptions } from '../../agent/remotes/remote.ts';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';

export interface Answered {
  readonly status: number;
  readonly json: unknown;
}

/** `answer`: what the server says to a request; hello says what it takes in a batch. */
export function serverThat(
  answer: (path: string, authorization: string, body: string) => Answered,
  auth: 'basic' | 'bearer' = 'basic',
) {
  const passwords = ['old', 'new'];
  let fresh = 0;
  const platform = memoryPlatform({
    storage: new MemoryStorage(),
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      const given = request.headers.get('authorization') ?? '';
      const { status, json } = answer(pathname, given, await request.text());
      return new Response(JSON.stringify(json), { status });
    },
    identity: {
      account: async () => ({ uid: '1', email: '' }),
      assertion: async () => '',
      accessToken: async () => ({ token: 'access' }),
      ...(auth === 'basic' && {
        credentials: async (isFresh: boolean) => {
          if (isFresh) fresh++;
          return { name: 'ü', password: passwords[Math.min(fresh, 1)] ?? '' };
        },
      }),
      syncKey: async () => ({ kB: '00'.repeat(32) }),
    },
    nowMs: 1,
    random: (count) => new Uint8Array(count),
  });
  const memory: Record<string, number> = {};
  const notes = { requests: 0, waitMs: 0, alert: null, gone: false, serverNowMs: 0 };
  const config = { remote: { serverUrl: 'https://kinto.test', auth } };
  const options = { ...{ platform, memory, notes, config }, abort: { aborted: false } };
  return {
    server: openServer(options as unknown as RemoteOptions, () => 'b'),
    memory,
    notes,
  };
}

export const HELLO = { settings: { batch_max_requests: 2 } };
