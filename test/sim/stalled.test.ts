// A server that keeps a pass by sending next to nothing: the pass ends by itself, and the next one
// is like any other.

import { expect, test } from 'vitest';
import { STALL_MS_MAX } from '../../agent/limits.ts';
import { syntheticAccount } from '../../emulator/servers/synthetic.ts';
import { testDevice, testServers } from '../support/device.ts';
import { ok } from '../support/sync15.ts';
import { disagreements } from './agreement.ts';
import { secondDevice } from './second-device.ts';

const SECOND_MS = 1_000;

/** The body in pieces; `before` each of them time goes by. */
function slowly(answer: Response, pieceBytes: number, before: () => void): Response {
  const all = answer.arrayBuffer();
  let at = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const bytes = new Uint8Array(await all).subarray(at, at + pieceBytes);
      before();
      at += pieceBytes;
      if (bytes.length === 0) controller.close();
      else controller.enqueue(bytes);
    },
  });
  return new Response(body, { status: answer.status, headers: answer.headers });
}

async function slowDevice(protocol: 'syncto' | 'sync15', pieceBytes: number, secondsEach: number) {
  const servers = testServers(syntheticAccount({ records: 20, seed: 4, passwords: 2 }));
  const device = testDevice(servers, {
    protocol,
    fetch: async (request) => {
      const answer = await servers.world.fetch(request);
      const isListing = request.method === 'GET' && request.url.includes('/history');
      if (!isListing || !isSlow) return answer;
      return slowly(answer, pieceBytes, () => {
        const { time } = device.platform;
        time.set(time.nowMs() + secondsEach * SECOND_MS);
      });
    },
  });
  let isSlow = true;
  await device.agent.start();
  const startMs = device.platform.clock.nowMs();
  return {
    ...{ ...device, servers },
    waitedMs: () => device.platform.clock.nowMs() - startMs,
    mend: () => {
      isSlow = false;
    },
  };
}

test.each(['syncto', 'sync15'] as const)('over %s, a byte every five seconds', async (protocol) => {
  const { agent, servers, waitedMs, mend } = await slowDevice(protocol, 1, 5);
  expect(await agent.enable()).toMatchObject({ ok: false, error: { code: 'timeout' } });
  expect(waitedMs()).toBeGreaterThan(STALL_MS_MAX);
  expect(waitedMs()).toBeLessThan(STALL_MS_MAX + 60 * SECOND_MS);
  mend();
  expect(await agent.sync()).toMatchObject(ok);
  expect(await disagreements(agent, secondDevice(servers))).toEqual([]);
});

test('a slow link on which records come is waited for, however long all of them take', async () => {
  const { agent, waitedMs } = await slowDevice('sync15', 100, 30);
  expect(await agent.enable()).toMatchObject(ok);
  expect(waitedMs()).toBeGreaterThan(2 * STALL_MS_MAX);
});

test('a clock that jumps by years ends no pass', async () => {
  const { agent } = await slowDevice('sync15', 40_000, 40 * 365 * 86_400);
  expect(await agent.enable()).toMatchObject(ok);
});
