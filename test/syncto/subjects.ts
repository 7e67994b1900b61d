// Our two Synctos: the emulated one as a function, and `kitsync gateway` as a process.

import { memoryCacheStore, SealedCache } from '../../emulator/servers/syncto/sealed-cache.ts';
import { createSyncto } from '../../emulator/servers/syncto/syncto.ts';
import { countingRandom, TEST_NOW_MS } from '../../emulator/servers/testing.ts';
import { startCommand } from '../../platform/node/cli/testing.ts';
import type { Answered, Sent } from './case.ts';
import { ERASABLE, WRITABLE } from './record.ts';
import { Replay, type Subject } from './replay.ts';
import { listen, send } from './wire.ts';

export interface Running {
  readonly subject: Subject;
  readonly replay: Replay;
  close(): Promise<void>;
}

export function startEmulated(): Running {
  const origin = 'https://syncto.test';
  const replay = new Replay();
  const nowMs = (): number => TEST_NOW_MS;
  const random = countingRandom();
  const handler = createSyncto({
    baseUrl: origin,
    tokenUrl: `${replay.origin}/token`,
    fetch: async (request) => {
      const answer = await replay.answer(request);
      if (answer === null) throw new TypeError('fetch failed');
      return answer;
    },
    cache: new SealedCache({ store: memoryCacheStore(nowMs), secret: random(32), random }),
    nowMs,
    random,
    enabled: [
      ...WRITABLE.map((name) => `record_${name}_put_enabled`),
      ...ERASABLE.map((name) => `record_${name}_delete_enabled`),
    ],
  });
  const answer = async (sent: Sent): Promise<Answered | null> => {
    const request = requestOf(origin, sent);
    return request && answeredBy(await handler(request));
  };
  return { subject: { origin, nowMs, answer }, replay, close: async () => {} };
}

/** Null: such a request is none that a function can be given. */
function requestOf(origin: string, { method, target, headers, body }: Sent): Request | null {
  try {
    const hasBody = body !== undefined && method !== 'GET' && method !== 'HEAD';
    return new Request(origin + target, { method, headers, ...(hasBody ? { body } : {}) });
  } catch {
    return null;
  }
}

/** What a client has of an answer without its end. */
const BROKEN_OFF: Answered = { status: 0, headers: {}, body: 'broken off' };

async function answeredBy(response: Response): Promise<Answered> {
  const { status, headers } = response;
  const body = await response.text().catch(() => null);
  if (body === null) return BROKEN_OFF;
  return { status, headers: Object.fromEntries(headers), body };
}

export async function startGateway(): Promise<Running> {
  const replay = new Replay();
  const behind = await listen(replay.answer);
  replay.origin = behind.url;
  const command = startCommand([
    ...['gateway', '--token-server', `${behind.url}/token`],
    ...WRITABLE.flatMap((name) => ['--write', name]),
    ...ERASABLE.flatMap((name) => ['--erase', name]),
  ]);
  await Promise.race([command.saw('"listening"'), command.ended]);
  const [first = ''] = command.printed().split('\n');
  const { url: origin } = JSON.parse(first) as { url: string };
  return {
    subject: {
      origin,
      nowMs: Date.now,
      answer: (sent) => send(origin, sent).catch(() => BROKEN_OFF),
    },
    replay,
    async close() {
      command.child.kill('SIGTERM');
      await command.ended;
      behind.close();
    },
  };
}
