// The main job, end to end: the built firmware in the emulated television, against the servers.

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { readExpected } from './expected.ts';
import { type Firmware, freshFirmware } from './firmware.ts';
import type { Edit } from './options.ts';
import { loadProfile } from './profiles.ts';
import { runScenario, type ScenarioOptions, type ScenarioResult } from './scenario.ts';
import { serveOnLoopback } from './servers/serve.ts';
import { readAccount } from './servers/store-file.ts';
import { syntheticAccount } from './servers/synthetic.ts';

const CORPUS = JSON.parse(
  readFileSync(new URL('../test/fixtures/corpus-a.json', import.meta.url), 'utf8'),
) as { readonly kB: string; readonly expected: unknown };
const TV = loadProfile('panasonic-cx700');

let firmware: Firmware;
beforeAll(async () => {
  firmware = await freshFirmware(TV.name);
});

/** Firefox's account on the television, with the device's own cryptography. */
function run(change: Partial<ScenarioOptions> = {}): Promise<ScenarioResult> {
  return runScenario({
    profile: TV,
    firmware,
    account: readAccount(structuredClone(CORPUS)),
    expected: readExpected(CORPUS.expected),
    auth: 'browserid',
    crypto: 'device',
    seed: 1,
    ...change,
  });
}

/** A few records, for runs that are repeated often. */
function runSmall(change: Partial<ScenarioOptions> = {}): Promise<ScenarioResult> {
  return run({
    account: syntheticAccount({ records: 5, passwords: 2, seed: 3 }),
    expected: null,
    ...change,
  });
}

describe('the account that Firefox wrote', () => {
  test.each([
    ['syncto', 'browserid', 'software', 720_000],
    ['syncto', 'bearer', 'device', 665_000],
    ['sync15', 'bearer', 'software', 720_000],
  ] as const)('is on the device as Firefox has it, by %s, %s and %s crypto', async (...by) => {
    const [protocol, auth, crypto, peakBytesMax] = by;
    const result = await run({ protocol, auth, crypto });
    expect(result.problems).toEqual([]);
    expect(result.compared).toEqual([
      "what the account's own client says: 0 differences",
      'what the server holds in the end: 0 differences',
    ]);
    expect(result.records).toEqual({
      history: { held: 64, quarantined: 0, pushed: 0 },
      passwords: { held: 11, quarantined: 0, pushed: 0 },
    });
    expect(result.device).toMatchObject({ type: 'tv', others: 1, pushed: 1 });
    expect(result.peakBytes).toBeLessThanOrEqual(peakBytesMax);
  });

  test.each([
    ['syncto', 'browserid', 4_900_000],
    ['syncto', 'bearer', 4_900_000],
    ['sync15', 'bearer', 4_900_000],
  ] as const)(
    'costs one request of %s, no flash write and little work when nothing has changed',
    async (protocol, auth, instructionsMax) => {
      const { passes } = await run({ protocol, auth });
      expect(passes).toHaveLength(2);
      expect(passes[1]).toMatchObject({
        ok: true,
        network: { requests: 1, payloadBytesIn: 0 },
        flash: { pagesWritten: 0 },
      });
      expect(passes[1]?.cpu.instructions).toBeLessThanOrEqual(instructionsMax);
    },
  );

  test('gives one trace for one seed, and another for another', async () => {
    const traceOf = async (seed: number) => {
      const lines: string[] = [];
      await run({ seed, trace: (line) => lines.push(line) });
      return lines.join('');
    };
    const trace = await traceOf(7);
    expect(await traceOf(7)).toBe(trace);
    expect(await traceOf(8)).not.toBe(trace);
    expect(trace).not.toContain(CORPUS.kB);
    expect(trace).not.toMatch(/ciphertext|password"/);
  });

  test('syncs with servers outside too, over real sockets', async () => {
    const account = readAccount(structuredClone(CORPUS));
    const serving = await serveOnLoopback({ port: 0, account });
    try {
      const result = await run({ serverUrl: serving.url });
      expect(result.problems).toEqual([]);
      expect(result.records.history?.held).toBe(64);
    } finally {
      await serving.close();
    }
  });
});

test('local edits arrive on the server, and nothing else changes there', async () => {
  const edits: Edit[] = [
    {
      collection: 'history',
      op: 'put',
      record: {
        url: 'https://new.example/ü',
        title: 'Neu',
        visits: [{ date: 1795323300000000, type: 1 }],
      },
    },
    { collection: 'history', op: 'delete', record: { id: '-hp7W39Ad7aa' } },
    {
      collection: 'passwords',
      op: 'put',
      record: {
        origin: 'https://new.example',
        formActionOrigin: 'https://new.example',
        username: 'zoë',
        password: 'pä',
      },
    },
    {
      collection: 'passwords',
      op: 'delete',
      record: { id: '{29efa3b4-1f56-4763-8ea5-950b8fe90824}' },
    },
  ];
  const result = await run({ edits });
  expect(result.problems).toEqual([]);
  expect(result.records).toMatchObject({
    history: { held: 64, pushed: 2 },
    passwords: { held: 11, pushed: 2 },
  });
  const before = readAccount(structuredClone(CORPUS)).store.users.get(1)?.collections;
  const after = result.setup.servers?.store.users.get(1)?.collections;
  for (const name of ['meta', 'crypto', 'tabs', 'bookmarks', 'addresses']) {
    expect(after?.get(name)?.modifiedMs).toBe(before?.get(name)?.modifiedMs);
  }
  expect(after?.get('history')?.count(0)).toBe(69);
  expect(after?.get('clients')?.count(0)).toBe(2);
});

test('an edit that the device refuses is reported', async () => {
  const edits: Edit[] = [{ collection: 'history', op: 'put', record: { url: 'nonsense' } }];
  expect((await runSmall({ edits })).problems).toEqual([
    expect.stringMatching(/^edit 1 was refused: put: badInput/),
  ]);
});

test('a record that does not prove itself is set aside, named, and breaks no promise', async () => {
  const file = structuredClone(CORPUS) as unknown as {
    store: {
      users: { 1: { collections: { history: { bsos: { id: string; payload: string }[] } } } };
    };
  };
  const [bso] = file.store.users[1].collections.history.bsos;
  if (bso) bso.payload = bso.payload.replace(/"hmac":"../, '"hmac":"00');
  const result = await run({ account: readAccount(file), expected: null });
  expect(result.records.history?.quarantined).toBe(1);
  expect(result.quarantine).toEqual([{ collection: 'history', id: bso?.id, code: 'badMac' }]);
  expect(result.problems).toEqual([]);
});

test('a device with too little memory kills the agent', async () => {
  const result = await run({ profile: { ...TV, ramCapBytes: 400 * 1024 } });
  expect(result.killed).toBe('memory');
  expect(result.problems).toHaveLength(1);
});

describe('the power', () => {
  test('may go at a flash write: device and server agree in the end', async () => {
    const { total } = await runSmall();
    const step = Math.ceil(total.flash.pagesWritten / 6);
    for (let cutAt = 2; cutAt <= total.flash.pagesWritten; cutAt += step) {
      const { problems, powerCuts } = await runSmall({ cutsAt: [cutAt] });
      expect({ cutAt, problems, powerCuts }).toEqual({ cutAt, problems: [], powerCuts: 1 });
    }
  });

  test('may go before a deletion that is done has been answered', async () => {
    const [page] =
      syntheticAccount({ records: 5, seed: 3 })
        .store.users.get(1)
        ?.collections.get('history')
        ?.inArrivalOrder(0) ?? [];
    const edits: Edit[] = [{ collection: 'history', op: 'delete', record: { id: page?.id } }];
    const { passes, total } = await runSmall({ edits });
    const [first, ...later] = passes.map(({ flash }) => flash.pagesWritten);
    const afterEdit = total.flash.pagesWritten - later.reduce((sum, pages) => sum + pages, 0);
    expect(afterEdit).toBeGreaterThan(first ?? 0);
    for (const cutAt of [afterEdit - 2, afterEdit - 1, afterEdit]) {
      const { problems, powerCuts } = await runSmall({ edits, cutsAt: [cutAt], cutFault: 'kept' });
      expect({ cutAt, problems, powerCuts }).toEqual({ cutAt, problems: [], powerCuts: 1 });
    }
  });

  test('may go twice', async () => {
    const result = await runSmall({ cutsAt: [20, 24] });
    expect(result).toMatchObject({ problems: [], powerCuts: 2, boots: 3 });
  });
});

describe('the connection', () => {
  test('may break in any response: the next pass goes on', async () => {
    for (const [index, cutAfterBytes] of [
      [0, 0],
      [1, 100],
      [1, 300],
      [2, 3000],
      [3, 500],
    ] as const) {
      const result = await runSmall({
        fault: (exchange) => (exchange === index ? { cutAfterBytes } : null),
      });
      expect({ index, cutAfterBytes, problems: result.problems }).toEqual({
        index,
        cutAfterBytes,
        problems: [],
      });
    }
  });

  test('that stays away is reported', async () => {
    const result = await runSmall({ fault: () => 'refused' });
    expect(result.problems[0]).toMatch(/^the sync failed: offline/);
  });
});

test.each([
  ['syncto', 'browserid'],
  ['sync15', 'bearer'],
] as const)('a made-up account by %s is compared by number and by a sample', async (...by) => {
  const [protocol, auth] = by;
  const result = await run({
    protocol,
    auth,
    account: syntheticAccount({ records: 1_000, seed: 1 }),
    expected: null,
    compare: 'sample',
  });
  expect(result.problems).toEqual([]);
  expect(result.compared).toEqual(['a sample of 100 pages on the server: 0 differences']);
  expect(result.records.history?.held).toBe(1_000);
  expect(result.peakBytes).toBeLessThanOrEqual(680_000);
});
