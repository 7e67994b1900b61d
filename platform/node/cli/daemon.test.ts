// A sync that runs on a folder, and what other commands know of it and have it do.

import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Serving, serveOnLoopback } from '../../../emulator/servers/serve.ts';
import { syntheticAccount } from '../../../emulator/servers/synthetic.ts';
import { credentialsOf, run, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { withForeignRecords } from '../../../test/support/foreign.ts';
import { freePort } from '../../../test/support/ports.ts';
import { turnsAfter } from '../../../test/support/turns.ts';
import { manualClock } from '../../memory/platform.ts';
import type { Fetch } from '../../web/fetch-network.ts';
import { main } from './main.ts';
import { TRY_INTERVAL_MS } from './network-return.ts';

const FOREIGN = 600;
let serving: Serving;
let credentials: string;
let data: string;

beforeAll(async () => {
  const account = withForeignRecords(syntheticAccount({ records: FOREIGN + 5, seed: 1 }), FOREIGN);
  serving = await serveOnLoopback({ port: 0, account });
  credentials = await credentialsOf(serving, join(temporaryFolder(), 'credentials.json'));
});
afterAll(() => serving.close());
beforeEach(() => {
  data = join(temporaryFolder(), 'data');
});

const args = (url = serving.world.urls.token) => [
  ...['sync', '--token-server', url, '--no-device'],
  ...['--credentials', credentials, '--data', data],
];
const on = (command: string, ...more: string[]) => run([command, '--data', data, ...more]);
const lastSyncMs = async () => JSON.parse((await on('status', '--json')).out).lastSyncMs;
const offline: Fetch = () => Promise.reject(new TypeError('fetch failed'));

describe('the time of the last sync', () => {
  it('moves with every one that was good, also where nothing was new', async () => {
    await run([...args(), '--once']);
    const first = await lastSyncMs();
    const before = Date.now();
    await run([...args(), '--once']);
    const second = await lastSyncMs();
    expect(first).toBeLessThanOrEqual(before);
    expect(second).toBeGreaterThanOrEqual(before);
    const terminal = testTerminal({ machine: { fetch: offline } });
    expect(await main([...args(), '--once'], terminal)).toBe(1);
    expect(await lastSyncMs()).toBe(second);
  });
});

describe('a wait', () => {
  it('of our own is told where a sync runs on, and nowhere else', async () => {
    await run([...args(), '--once']);
    const clock = manualClock(Date.now());
    const terminal = testTerminal({ machine: { fetch: offline, clock } });
    const ended = main(args(), terminal);
    await terminal.saw('(offline)');
    expect((await on('status')).out).toMatch(/^waiting +no request goes out for another \d+ /m);
    terminal.stop();
    await ended;
    const { out } = await on('status');
    expect(out).toMatch(/^error +.*\(offline\)$/m);
    expect(out).not.toContain('waiting');
  });
});

describe('kitsync sync-now', () => {
  it('wakes the sync that runs, and tells how it went', async () => {
    const network: { fetch: Fetch } = { fetch };
    const machine = { fetch: (request: Request) => network.fetch(request) };
    const terminal = testTerminal({ machine });
    const ended = main(args(), terminal);
    await terminal.saw('in sync');
    await run(['put', 'history', '{"url":"https://now.example/"}', '--data', data]);
    const good = await on('sync-now');
    expect([good.code, good.complaints]).toEqual([0, '']);
    expect(good.out).toMatch(/in sync: history \d+ received, 1 sent/);
    const asJson = await on('sync-now', '--json');
    expect(JSON.parse(asJson.out)).toMatchObject({ ok: true, error: null });
    network.fetch = offline;
    const bad = await on('sync-now');
    expect([bad.code, bad.out]).toEqual([1, '']);
    expect(bad.complaints).toMatch(/sync failed: .*\(offline\) - .+\n$/);
    terminal.stop();
    expect(await ended).toBe(0);
  });

  it('says where none runs', async () => {
    expect(await on('sync-now')).toMatchObject({
      code: 1,
      complaints: expect.stringMatching(/^kitsync: no sync runs on .*: start one with [^\n]*\n$/),
    });
  });
});

describe('kitsync quarantine', () => {
  const rows = async (...more: string[]) => (await on('quarantine', ...more)).out.split('\n');

  it('shows what was set aside and why, with a sync on the folder and without', async () => {
    const terminal = testTerminal();
    const ended = main(args(), terminal);
    await terminal.saw('in sync');
    const running = await rows();
    terminal.stop();
    await ended;
    const alone = await rows();
    expect(running).toEqual(alone);
    expect(alone).toHaveLength(FOREIGN + 1);
    expect(new Set(alone).size).toBe(FOREIGN + 1);
    expect(alone[0]).toMatch(/^history\t\S{12}\tbadMac\t\d{4}-\d\d-\d\d\tit does not prove itself/);
    const asJson = await rows('--json', 'history');
    expect(JSON.parse(asJson[0] ?? '')).toMatchObject({ collection: 'history', code: 'badMac' });
    expect(await rows('passwords')).toEqual(['']);
    expect(await on('quarantine', 'recipes')).toMatchObject({ code: 2 });
  });
});

describe('a sync that has found no way to the server', () => {
  let gate: Server | null = null;

  /** A port that leads to the token server, once it is open. */
  async function openGate(port: number): Promise<void> {
    const target = Number(new URL(serving.world.urls.token).port);
    gate = createServer((socket) => {
      const there = connect(target, '127.0.0.1');
      for (const one of [socket, there]) one.on('error', () => one.destroy());
      socket.pipe(there).pipe(socket);
    }).listen(port, '127.0.0.1');
    await once(gate, 'listening');
  }

  it('goes on soon after there is one again, whatever its own caution says', async () => {
    const port = await freePort();
    const clock = manualClock(Date.now());
    const terminal = testTerminal({ machine: { clock } });
    const { pathname } = new URL(serving.world.urls.token);
    const ended = main(args(`http://127.0.0.1:${port}${pathname}`), terminal);
    await terminal.saw('(offline)');
    // Hours of failures: the agent alone would wait for hours.
    for (let times = 2; times < 8; times++) {
      await turnsAfter(20);
      await clock.advance(17 * 3_600_000);
      await terminal.saw('(offline)', times);
    }
    await turnsAfter(200);
    await clock.advance(TRY_INTERVAL_MS);
    await turnsAfter(200);
    expect(terminal.complaints.split('(offline)')).toHaveLength(8);
    await openGate(port);
    await clock.advance(TRY_INTERVAL_MS);
    await terminal.saw('in sync');
    terminal.stop();
    expect(await ended).toBe(0);
    gate?.close();
  });
});
