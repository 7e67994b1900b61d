import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import {
  credentialsOf,
  run,
  serveAccount,
  serveNewAccount,
  testTerminal,
} from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { manualClock } from '../../memory/platform.ts';
import type { Fetch } from '../../web/fetch-network.ts';
import { main } from './main.ts';

let serving: Serving;
let folder: string;
let credentials: string;

beforeAll(async () => {
  serving = await serveAccount(30);
});
afterAll(() => serving.close());
beforeEach(async () => {
  folder = temporaryFolder();
  credentials = await credentialsOf(serving, join(folder, 'credentials.json'));
});

/** The longest that a pass is away. */
const INTERVAL_MS = 17 * 60_000;
/** The agent sets its next alarm when it has told how a pass went. */
const settled = () => new Promise((resolve) => setImmediate(resolve));
const data = (name = 'data') => join(folder, name);
const syncArgs = (directory = data(), ...more: string[]) => [
  ...['sync', '--token-server', serving.world.urls.token],
  ...['--credentials', credentials, '--data', directory, ...more],
];
const once = (directory = data(), ...more: string[]) => run(syncArgs(directory, '--once', ...more));
const listed = async (collection: string, directory = data()) => {
  const { out } = await run(['list', collection, '--data', directory, '--limit', '100', '--json']);
  return JSON.parse(out) as { guid: string; title?: string }[];
};

describe('kitsync sync', () => {
  it('fetches all, and asks little when nothing has changed', async () => {
    const first = await once();
    expect(first).toMatchObject({ code: 0, complaints: '' });
    expect(first.out).toMatch(
      /in sync: clients 0 received, 1 sent; history \d+ received, 0 sent; /,
    );
    expect(first.out).toMatch(/history \d+ received, 0 sent; passwords 12 received, 0 sent/);
    const second = await once();
    expect(second.out).toMatch(/in sync: nothing new \(2 requests\)\n$/);
    expect(readdirSync(data()).sort()).toEqual(['device.key', 'notes.json', 'store']);
  });

  it('says what waits although the sync went well', async () => {
    await once();
    await run(['put', 'history', '--data', data(), '{"url": "https://waits.example/"}']);
    const { code, out } = await once(data(), '--read-only');
    expect(code).toBe(0);
    expect(out).toMatch(/in sync: .*\n.*changes that wait here: history 1 - kitsync status and/);
    expect((await once()).out).not.toContain('wait');
  });

  it('carries edits from folder to folder, by either protocol', async () => {
    const syncto = (directory: string) =>
      run([
        ...['sync', '--protocol', 'syncto', '--token-server', serving.world.urls.syncto],
        ...['--credentials', credentials, '--data', directory, '--once'],
      ]);
    await Promise.all([once(data('a')), syncto(data('b'))]);
    const page = JSON.stringify({ url: 'https://put.example/', title: 'Größe' });
    const { out: id } = await run(['put', 'history', page, '--data', data('a')]);
    expect((await run(['status', '--data', data('a')])).out).toMatch(/history .* 1 to send/);
    expect((await once(data('a'))).out).toContain('history 0 received, 1 sent');
    expect((await syncto(data('b'))).out).toContain('history 1 received, 0 sent');
    const found = await run(['list', 'history', '--prefix', 'https://put', '--data', data('b')]);
    expect(found.out).toBe(`${id.trim()}\thttps://put.example/\tGröße\n`);
    await run(['delete', 'history', '--data', data('b'), '--', id.trim()]);
    await syncto(data('b'));
    await once(data('a'));
    expect((await listed('history', data('a'))).map(({ guid }) => guid)).not.toContain(id.trim());
  });

  it('sends nothing with --read-only, and takes no edits either', async () => {
    await once(data(), '--read-only');
    const { code, complaints } = await run([
      'put',
      'history',
      '{"url":"https://x.example/"}',
      '--data',
      data(),
    ]);
    expect([code, complaints]).toEqual([
      1,
      expect.stringMatching(
        /^kitsync: history: .*\(readOnly\) - the folder was synced with --read-only.*\n$/,
      ),
    ]);
  });

  it('syncs what is named and nothing else', async () => {
    await once(data(), '--collections', 'passwords');
    const { out } = await run(['status', '--data', data(), '--json']);
    expect(JSON.parse(out)).toMatchObject({
      account: serving.world.account.email,
      isRunning: false,
      collections: { history: { enabled: false, held: 0 }, passwords: { enabled: true, held: 12 } },
    });
  });

  it('makes the first data of an account only when somebody has agreed', async () => {
    const empty = await serveNewAccount();
    await credentialsOf(empty, credentials);
    const args = [
      ...['sync', '--token-server', empty.world.urls.token, '--credentials', credentials],
      ...['--data', data(), '--once'],
    ];
    const asked = async (answer: string) => {
      const terminal = testTerminal({ input: async () => answer });
      const code = await main(
        [...args, '--initialize'],
        Object.assign(terminal, { isInteractive: true }),
      );
      return { code, complaints: terminal.complaints };
    };
    const refused = await run(args);
    expect([refused.code, refused.complaints]).toEqual([
      1,
      expect.stringMatching(/\(noSyncData\) - .*`kitsync sync --initialize`\n$/),
    ]);
    expect(await run([...args, '--initialize'])).toMatchObject({
      code: 2,
      complaints: expect.stringContaining('say --yes'),
    });
    const denied = await asked('no\n');
    expect([denied.code, denied.complaints]).toEqual([
      1,
      expect.stringMatching(/crypto\/keys.*meta\/global.*kitsync: nothing was changed\n$/s),
    ]);
    const collections = [...empty.world.store.users.values()][0]?.collections.keys() ?? [];
    expect([...collections]).toEqual([]);
    expect(await asked('yes\n')).toMatchObject({
      code: 0,
      complaints: expect.stringMatching(/created .* meta\/global with .*passwords.*history/),
    });
    expect(await run([...args, '--initialize', '--yes'])).toEqual({
      code: 0,
      out: expect.stringContaining('in sync'),
      complaints: '',
    });
    await empty.close();
  });

  it('prints the events as JSON, a line each', async () => {
    const { out } = await once(data(), '--json');
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.at(-1)).toMatchObject({ kind: 'pass', report: { ok: true } });
  });

  it('fails when there is no server, and when the token is refused', async () => {
    const down = await run([
      ...['sync', '--token-server', 'http://127.0.0.1:9', '--once'],
      ...['--credentials', credentials, '--data', data()],
    ]);
    expect([down.code, down.complaints]).toEqual([
      1,
      expect.stringMatching(/sync failed: .*\(offline\)/),
    ]);
    const file = JSON.parse(readFileSync(credentials, 'utf8'));
    writeFileSync(credentials, JSON.stringify({ ...file, accessToken: 'worthless' }));
    const refused = await once();
    expect([refused.code, refused.complaints]).toEqual([
      1,
      expect.stringMatching(/\(invalid-credentials .*\) \(unauthorized\) - sign in again; .*\n$/),
    ]);
    expect(refused.out + refused.complaints).not.toContain('worthless');
  });

  it('never mixes two accounts in a folder', async () => {
    await once();
    const file = JSON.parse(readFileSync(credentials, 'utf8'));
    writeFileSync(credentials, JSON.stringify({ ...file, email: 'other@example.test' }));
    const { code, complaints } = await once();
    expect([code, complaints]).toEqual([1, expect.stringContaining('not of other@example.test')]);
    expect(await listed('passwords')).toHaveLength(12);
  });
});

describe('kitsync sync as a service', () => {
  it('answers the other commands, sends what they change, and stops when it is told', async () => {
    const clock = manualClock(Date.now());
    const terminal = testTerminal({ machine: { clock } });
    const ended = main(syncArgs(), terminal);
    await terminal.saw('in sync');
    expect((await run(['status', '--data', data()])).out).toMatch(/sync +running \(enabled\)/);
    expect(await listed('passwords')).toHaveLength(12);
    const second = await once();
    expect([second.code, second.complaints]).toEqual([1, `kitsync: ${data()} is in use\n`]);

    const put = await run(['put', 'history', '--data', data()], '[{"url":"https://y.example/"}]');
    expect(put).toMatchObject({ code: 0, complaints: '' });
    await clock.advance(10_000);
    await terminal.saw('in sync', 2);
    expect(terminal.out).toContain('history 0 received, 1 sent');
    const gone = await run(['delete', 'history', '--data', data(), '--json', '--', put.out.trim()]);
    expect(JSON.parse(gone.out)).toEqual({ ids: [put.out.trim()] });
    const refused = await run(['delete', 'history', 'nothing', '--data', data()]);
    expect([refused.code, refused.complaints]).toEqual([
      1,
      'kitsync: there is no such record (notFound)\n',
    ]);
    await clock.advance(INTERVAL_MS);
    await terminal.saw('in sync', 3);

    terminal.stop();
    expect(await ended).toBe(0);
    expect(readdirSync(data()).sort()).toEqual(['device.key', 'notes.json', 'store']);
  });

  const refusing = async () => new Response('{"status":"invalid-credentials"}', { status: 401 });

  it('ends when a first sync needs somebody to act', async () => {
    const terminal = testTerminal({ machine: { fetch: refusing } });
    expect(await main(syncArgs(), terminal)).toBe(1);
    expect(terminal.complaints).toMatch(/sync failed: .*\(unauthorized\) - .*\n$/);
  });

  it('waits for a server that is down, or that refuses it after a sync', async () => {
    const clock = manualClock(Date.now());
    const noNetwork = () => Promise.reject(new TypeError());
    const network: { fetch: Fetch } = { fetch: noNetwork };
    const machine = { clock, fetch: (request: Request) => network.fetch(request) };
    const terminal = testTerminal({ machine });
    const ended = main(syncArgs(), terminal);
    await terminal.saw('(offline)');
    network.fetch = fetch;
    await settled();
    await clock.advance(INTERVAL_MS);
    await terminal.saw('in sync');
    await settled();
    network.fetch = refusing;
    await clock.advance(INTERVAL_MS);
    await terminal.saw('(unauthorized)');
    expect(terminal.complaints).toMatch(/sync failed: .*\(unauthorized\) - .*\n$/);
    network.fetch = fetch;
    await settled();
    await clock.advance(24 * 3_600_000);
    await terminal.saw('in sync', 2);
    terminal.stop();
    expect(await ended).toBe(0);
  });
});
