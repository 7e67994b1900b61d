// Gateway processes as they are started, before Sync 1.5 servers on loopback.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { killCommands, startCommand } from '../../../platform/node/cli/testing.ts';
import { type Front, startFront } from '../../../test/support/front.ts';
import { type Firmware, freshFirmware } from '../../firmware.ts';
import { loadProfile } from '../../profiles.ts';
import { runScenario } from '../../scenario.ts';
import { type Serving, serveOnLoopback } from '../serve.ts';
import { syntheticAccount } from '../synthetic.ts';

const TV = loadProfile('panasonic-cx700');
const account = () => syntheticAccount({ records: 600, seed: 1 });

let firmware: Firmware;
let front: Front;
let serving: Serving;

beforeAll(async () => {
  // A checkout builds the command first: once, and not for every process.
  await startCommand(['gateway', '--help']).ended;
  firmware = await freshFirmware(TV.name);
  front = await startFront();
  serving = await serveOnLoopback({ port: 0, origin: front.url, account: account() });
  front.servers.push(serving.port);
});
afterEach(killCommands);
afterAll(async () => {
  await front.close();
  await serving.close();
});

/** A gateway that has said that it listens. */
async function startGateway(...args: string[]) {
  const command = startCommand([
    ...['gateway', '--token-server', `${front.url}/token`, '--public-url', `${front.url}/syncto`],
    ...args,
  ]);
  await Promise.race([command.saw('"listening"'), command.ended]);
  expect(command.complained()).toBe('');
  const [first = ''] = command.printed().split('\n');
  return { ...command, port: Number(JSON.parse(first).port) };
}

test('a device syncs through three processes, one of which is killed in mid-answer', async () => {
  const gateways = await Promise.all([startGateway(), startGateway(), startGateway()]);
  front.gateways.push(...gateways.map(({ port }) => port));
  let pieces = 0;
  let killed = 0;
  front.onPiece = (port) => {
    pieces += 1;
    if (pieces !== 9) return;
    killed = port;
    gateways.find((gateway) => gateway.port === port)?.child.kill('SIGKILL');
  };
  const visits = [{ date: 1_795_330_000_000_000, type: 1 }];
  const record = { url: 'https://mine.example/', title: 'Mine', visits };
  const { problems, compared, records } = await runScenario({
    ...{ profile: TV, firmware, account: account(), serverUrl: front.url, protocol: 'syncto' },
    ...{ auth: 'bearer', crypto: 'device', seed: 1 },
    edits: [{ collection: 'history', op: 'put', record }],
  });
  expect(problems).toEqual([]);
  expect(compared).toEqual([
    'what the server held when the run began: 0 differences',
    'what the server holds in the end: 0 differences',
  ]);
  expect(records.history).toMatchObject({ held: 601, pushed: 1 });
  expect(killed).toBeGreaterThan(0);
  expect([...front.answered.keys()].sort()).toEqual(gateways.map(({ port }) => port).sort());
});
