// kinto.js against the Syncto API of `kitsync serve`, and of `kitsync gateway` before it.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { killCommands, startCommand } from '../../platform/node/cli/testing.ts';
import { startServers } from '../support/served.ts';
import { kintoSteps, signedInUser } from './kinto-steps.ts';

const { kB } = JSON.parse(
  readFileSync(new URL('../fixtures/corpus-a.json', import.meta.url), 'utf8'),
) as { kB: string };

type Servers = Awaited<ReturnType<typeof startServers>>;
let servers: Servers;

beforeAll(async () => {
  await startCommand(['help']).ended;
  servers = await startServers('--port', '0');
});
afterAll(killCommands);

/** Where the API of a gateway is. */
async function startGateway(...args: string[]): Promise<string> {
  const gateway = startCommand(['gateway', '--token-server', `${servers.url}/token`, ...args]);
  await Promise.race([gateway.saw('"listening"'), gateway.ended]);
  expect(gateway.complained()).toBe('');
  return `${JSON.parse(gateway.printed().split('\n')[0] ?? '').url}/v1`;
}

test.each([
  ['serve', 'BrowserID'],
  ['serve', 'Bearer'],
  ['gateway', 'BrowserID'],
  ['gateway', 'Bearer'],
] as const)('kinto.js syncs through %s with %s', async (way, scheme) => {
  const remote = way === 'serve' ? `${servers.url}/syncto/v1` : await startGateway();
  const user = await signedInUser(servers.url, kB, scheme);
  const problems: string[] = [];
  const steps = kintoSteps(remote, user);
  for (const [name, step] of steps)
    await step().catch((error: Error) => problems.push(`${name}: ${error.message}`));
  expect(problems).toEqual([]);
  console.log(`kinto.js through ${way}, ${scheme}: ${steps.length} of ${steps.length} steps`);
});

test('what a gateway erases for good, kinto.js does not understand', async () => {
  const remote = await startGateway('--write', 'history', '--erase', 'history');
  const { client, headers, other } = await signedInUser(servers.url, kB, 'Bearer');
  const history = client(remote).collection('history');
  const sync = async () => history.sync({ headers: await headers() });
  await sync();
  const [first, second] = (await history.list()).data.map(({ id }) => id);
  // Kinto says what it has deleted; Syncto says 204.
  history.remoteTransformers = [];
  await history.delete(first ?? '');
  await expect(sync()).rejects.toThrow(TypeError);
  const left = await other.ids('history');
  expect([left.has(first ?? ''), left.has(second ?? '')]).toEqual([false, true]);
  await expect(sync()).rejects.toThrow('Server has been flushed');
});
