// Runs against servers of another process, as far as the emulator can tell: it knows of them only
// what a client of the account can ask. They hold more than the shipped account, and others write
// to them all the while.

import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { secondDevice } from '../test/sim/second-device.ts';
import { main } from './cli.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import { loadProfile } from './profiles.ts';
import { runScenario, type ScenarioOptions } from './scenario.ts';
import { type Serving, serveOnLoopback } from './servers/serve.ts';
import { readAccount } from './servers/store-file.ts';

const CORPUS = readFileSync(new URL('../test/fixtures/corpus-a.json', import.meta.url), 'utf8');
const TV = loadProfile('panasonic-cx700');
const WRITE_EVERY_MS = 250;
const PAGES_EVERY = 6;

let firmware: Firmware;
let serving: Serving;
let timer: NodeJS.Timeout;

beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

beforeEach(async () => {
  serving = await serveOnLoopback({ port: 0, account: readAccount(JSON.parse(CORPUS)) });
  const page = { histUri: 'https://before.example/', title: 'Before', visits: [visit()] };
  other().put('history', { id: 'beforeTheRun', ...page });
});
afterEach(async () => {
  clearInterval(timer);
  await serving.close();
});

const visit = () => ({ date: Date.now() * 1000, type: 1 });
const other = () => secondDevice({ world: serving.world, nowMs: Date.now() });

/** Another client that writes a new page, one of ever the same id, and a login, again and again. */
function othersWrite(): void {
  let count = 0;
  timer = setInterval(() => {
    count++;
    const login = { hostname: 'https://again.example', formSubmitURL: '', username: 'ada' };
    other().put('passwords', { id: 'loginChanges', ...login, password: `${count}` });
    // A device that makes an edit needs a while without news.
    if (count % PAGES_EVERY !== 1) return;
    const id = `new${count}`.padEnd(12, '_');
    const histUri = `https://new${count}.example/`;
    other().put('history', { id, histUri, title: 'New', visits: [visit()] });
    const again = { histUri: 'https://again.example/', title: `${count}`, visits: [visit()] };
    other().put('history', { id: 'everTheSame_', ...again });
  }, WRITE_EVERY_MS);
}

function run(change: Partial<ScenarioOptions>) {
  return runScenario({
    ...{ profile: TV, firmware, account: readAccount(JSON.parse(CORPUS)), serverUrl: serving.url },
    ...{ auth: 'bearer', crypto: 'device', seed: 1, ...change },
  });
}

test('the command compares with these servers, not with an account of its own', async () => {
  other().delete('history', [...other().live('history').keys()][0] ?? '');
  let out = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    out += text;
    return true;
  });
  expect(await main(['emulate', '--server', serving.url, '--crypto', 'device', '--json'])).toBe(0);
  vi.restoreAllMocks();
  expect(JSON.parse(out)).toMatchObject({ ok: true, replay: { account: null } });
});

test('servers that cannot be read end the run with one line', async () => {
  const { problems, compared } = await run({ serverUrl: 'http://127.0.0.1:9' });
  const why = 'the account cannot be read: the accounts server cannot be reached';
  expect([problems, compared]).toEqual([[`the run ended early: ${why}`], []]);
});

describe.each(['syncto', 'sync15'] as const)('over %s', (protocol) => {
  test('the device agrees with servers that others write to, and comes again', async () => {
    othersWrite();
    const visits = [{ date: 1_795_330_000_000_000, type: 1 }];
    const record = { url: 'https://mine.example/', title: 'Mine', visits };
    for (const seed of [1, 2]) {
      const edits = [{ collection: 'history', op: 'put', record } as const];
      const { problems, compared, records } = await run({ protocol, seed, edits });
      expect(problems).toEqual([]);
      expect(compared).toEqual([
        'what the server held when the run began: 0 differences',
        'what the server holds in the end: 0 differences',
      ]);
      expect(records.history?.held).toBeGreaterThan(65);
    }
    expect(other().live('history').size).toBeGreaterThan(67);
  });

  test('a device that does not take what was there is found out', async () => {
    const { problems } = await run({ protocol, collections: ['passwords'] });
    expect(problems).toContain(
      'in the end, page beforeTheRun: the server has it, the device does not',
    );
    expect(problems).toHaveLength(2 * 65);
  });
});
