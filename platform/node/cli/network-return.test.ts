import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, it, test } from 'vitest';
import type { PassReport } from '../../../agent/index.ts';
import { freePort } from '../../../test/support/ports.ts';
import { turnsAfter } from '../../../test/support/turns.ts';
import { manualClock } from '../../memory/platform.ts';
import { TRY_INTERVAL_MS, watchReturn } from './network-return.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A port with somebody behind it; how often it was connected to. */
async function open(port = 0) {
  const server = createServer((socket) => {
    tries.count++;
    socket.destroy();
  });
  const tries = { count: 0, port: 0 };
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  tries.port = (server.address() as AddressInfo).port;
  return { tries };
}

const ended = (code: string | null): PassReport =>
  ({ error: code === null ? null : { code, message: '' } }) as PassReport;

function watching(port: number, scheme = 'http') {
  const clock = manualClock(0);
  const seen = { returns: 0 };
  const watch = watchReturn({
    url: `${scheme}://127.0.0.1:${port}/1.0/sync`,
    clock,
    returned: () => {
      seen.returns++;
    },
  });
  /** Lets so much time go by, and what was begun meanwhile end. */
  const wait = async (ms: number) => {
    await clock.advance(ms);
    await turnsAfter(20);
  };
  return { watch, seen, wait };
}

it('tells that there is a way again, within half a minute and once', async () => {
  const port = await freePort();
  const { watch, seen, wait } = watching(port);
  watch.passEnded(ended('offline'));
  await wait(0);
  await wait(TRY_INTERVAL_MS);
  expect(seen.returns).toBe(0);
  const { tries } = await open(port);
  await wait(TRY_INTERVAL_MS - 1);
  expect([tries.count, seen.returns]).toEqual([0, 0]);
  await wait(1);
  expect([tries.count, seen.returns]).toEqual([1, 1]);
  await wait(10 * TRY_INTERVAL_MS);
  expect([tries.count, seen.returns]).toEqual([1, 1]);
  watch.stop();
});

test.each(['timeout', 'truncated'])('watches after a pass that ended in %s, too', async (code) => {
  const port = await freePort();
  const { watch, seen, wait } = watching(port);
  watch.passEnded(ended(code));
  await wait(0);
  await open(port);
  await wait(TRY_INTERVAL_MS);
  expect(seen.returns).toBe(1);
  watch.stop();
});

test.each([null, 'unauthorized', 'backoff'])('tries nothing after a pass with %s', async (code) => {
  const { tries } = await open();
  const { watch, wait, seen } = watching(tries.port);
  watch.passEnded(ended(code));
  await wait(0);
  await wait(TRY_INTERVAL_MS);
  expect([tries.count, seen.returns]).toEqual([0, 0]);
  watch.stop();
});

it('leaves to the agent what fails although the server can be reached', async () => {
  const { tries } = await open();
  const { watch, seen, wait } = watching(tries.port);
  watch.passEnded(ended('offline'));
  await wait(0);
  await wait(TRY_INTERVAL_MS);
  expect([tries.count, seen.returns]).toEqual([1, 0]);
  watch.stop();
});

it.each(['the next pass', 'a stop'])('ends with %s', async (end) => {
  const port = await freePort();
  const { watch, seen, wait } = watching(port);
  watch.passEnded(ended('offline'));
  await wait(0);
  if (end === 'a stop') watch.stop();
  else watch.passEnded(ended(null));
  const { tries } = await open(port);
  await wait(TRY_INTERVAL_MS);
  await wait(TRY_INTERVAL_MS);
  expect([tries.count, seen.returns]).toEqual([0, 0]);
  watch.stop();
});

it('tells nothing of a try that was under way when a pass ended', async () => {
  const port = await freePort();
  const { watch, seen, wait } = watching(port);
  watch.passEnded(ended('offline'));
  await wait(0);
  await open(port);
  const trying = wait(TRY_INTERVAL_MS);
  await Promise.resolve();
  watch.passEnded(ended(null));
  await trying;
  expect(seen.returns).toBe(0);
  watch.stop();
});

it('connects to the port of the scheme where the address has none, and to addresses in []', () => {
  // Nobody is there, or somebody is: nothing is thrown.
  for (const url of ['http://[::1]:9/', 'https://127.0.0.1/', 'http://127.0.0.1/']) {
    const watch = watchReturn({ url, clock: undefined, returned: () => undefined });
    watch.passEnded(ended('offline'));
    watch.stop();
  }
});
