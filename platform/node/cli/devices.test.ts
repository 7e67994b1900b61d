// This computer among the account's devices: who sees it, what it is told to do, and how it leaves.

import { readdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { type SecondDevice, secondDevice } from '../../../test/sim/second-device.ts';
import { credentialsOf, run, serveAccount, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { manualClock } from '../../memory/platform.ts';
import { main } from './main.ts';

let serving: Serving;
let other: SecondDevice;
let folder: string;
let credentials: string;

beforeEach(async () => {
  serving = await serveAccount(5);
  other = secondDevice({ world: serving.world, nowMs: Date.now() });
  folder = temporaryFolder();
  credentials = await credentialsOf(serving, join(folder, 'credentials.json'));
});
afterEach(() => serving.close());

const data = (name = 'data') => join(folder, name);
const syncArgs = (directory: string, ...more: string[]) => [
  ...['sync', '--token-server', serving.world.urls.token],
  ...['--credentials', credentials, '--data', directory, ...more],
];
const once = (directory = data(), ...more: string[]) => run(syncArgs(directory, '--once', ...more));
const devices = () => [...other.live('clients').values()];
/** What Firefox leaves in the record of the device that it means. */
const command = (...commands: { command: string; args: string[] }[]) => {
  const [own = { id: '' }] = devices() as { id: string }[];
  other.put('clients', { ...own, commands });
};

describe('the other devices', () => {
  it('see this one under the name of the host, or the one that it is given', async () => {
    await once();
    expect(devices()).toEqual([
      expect.objectContaining({
        name: hostname(),
        application: 'Kitsync',
        version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
        protocols: ['1.5'],
      }),
    ]);
    await once(data(), '--device-name', 'Küche');
    expect(devices().map(({ name }) => name)).toEqual(['Küche']);
    expect((await run(['status', '--data', data()])).out).toMatch(/^this device +Küche$/m);
  });

  it('do not see one that wishes so', async () => {
    await once(data(), '--no-device');
    expect(devices()).toEqual([]);
    const { code, complaints } = await run(['devices', '--data', data()]);
    expect([code, complaints]).toEqual([1, expect.stringContaining('--no-device')]);
  });

  it('are listed, also while a sync runs', async () => {
    await once(data('a'), '--device-name', 'Attic');
    await once(data('b'), '--device-name', 'Basement');
    const { out } = await run(['devices', '--data', data('b')]);
    expect(out).toMatch(/^Attic\tdesktop\t\S+\tKitsync\t\d{4}-\d\d-\d\d\n$/);
    const terminal = testTerminal();
    const ended = main(syncArgs(data('a'), '--device-name', 'Attic'), terminal);
    await terminal.saw('in sync');
    const listed = await run(['devices', '--data', data('a'), '--json']);
    expect(JSON.parse(listed.out)).toEqual([
      expect.objectContaining({ name: 'Basement', type: 'desktop' }),
    ]);
    terminal.stop();
    expect(await ended).toBe(0);
  });
});

it('writes nothing on the server with --read-only, earlier edits included', async () => {
  await once(data(), '--no-device');
  await run(['put', 'history', '{"url":"https://edited.example/"}', '--data', data()]);
  const asked: string[] = [];
  const fetchLogged = (request: Request) => {
    asked.push(request.method);
    return fetch(request);
  };
  const before = JSON.stringify(serving.world.dump());
  const terminal = testTerminal({ machine: { fetch: fetchLogged } });
  expect(await main(syncArgs(data(), '--once', '--read-only'), terminal)).toBe(0);
  expect(await main(syncArgs(data('new'), '--once', '--read-only'), terminal)).toBe(0);
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((method) => method !== 'GET')).toEqual([]);
  expect(JSON.stringify(serving.world.dump())).toBe(before);
});

describe('another device', () => {
  it('sends a page, which is printed and never obeyed by the terminal', async () => {
    await once();
    const args = ['https://sent.example/', 'sender', 'A \u001b[2Jtitle\u009b2J'];
    command({ command: 'displayURI', args });
    const { out } = await once();
    expect(out).toContain(
      'another device sends a page: A \\u001b[2Jtitle\\u009b2J https://sent.example/',
    );
    command({ command: 'displayURI', args });
    const lines = (await once(data(), '--json')).out;
    expect(lines).not.toMatch(/[^\n\P{Cc}]/u);
    const events = lines.trimEnd().split('\n');
    expect(events.map((line) => JSON.parse(line))).toContainEqual(
      expect.objectContaining({ kind: 'page', url: 'https://sent.example/', title: args[2] }),
    );
    expect(devices()[0]?.commands).toEqual([]);
  });

  it('has a collection dropped and read anew', async () => {
    await once();
    command({ command: 'wipeEngine', args: ['history'] });
    expect((await once()).out).toContain('history: dropped here and read anew');
    expect((await run(['status', '--data', data()])).out).toMatch(/history +5 held/);
  });

  it.each(['--once', '--interval=60'])('signs this one out (%s): its data goes', async (mode) => {
    await once();
    command({ command: 'logout', args: [] });
    const clock = manualClock(Date.now());
    const terminal = testTerminal({ machine: { clock } });
    expect(await main(syncArgs(data(), mode), terminal)).toBe(3);
    expect(terminal.complaints).toContain(
      `another device has signed this one out: no data is left in ${data()}; the access token`,
    );
    expect(readdirSync(data())).toEqual([]);
    const later = secondDevice({ world: serving.world, nowMs: Date.now() + 2_000 });
    expect(later.ids('clients')).toEqual([]);
    expect(other.live('history').size).toBe(5);
  });

  it('signs this one out: the web apps that the account has brought go, too', async () => {
    const there = data('there');
    const apps = ['--once', '--collections', 'apps'];
    const manifest = join(temporaryFolder(), 'm.json');
    writeFileSync(manifest, '{"name":"A"}');
    const install = (to: string, origin: string) =>
      run(['apps', 'install', origin, manifest, '--data', to]);
    await run(syncArgs(there, ...apps, '--no-device'));
    await install(there, 'https://theirs.example');
    await run(syncArgs(there, ...apps, '--no-device'));
    await run(syncArgs(data(), ...apps));
    await install(data(), 'https://ours.example');
    expect(readdirSync(join(data(), 'apps'))).toHaveLength(3);
    command({ command: 'logout', args: [] });
    expect(await run(syncArgs(data(), ...apps))).toMatchObject({ code: 3 });
    const left = readdirSync(join(data(), 'apps')).map(decodeURIComponent);
    expect(left).toEqual(['.mark', 'https://ours.example.json']);
  });
});
