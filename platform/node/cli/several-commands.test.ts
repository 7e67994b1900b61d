// Each command on a folder of two services: what it does, it does for both, or for the one that it
// is told, and the name of one that is not there is refused in words.

import { afterEach, beforeEach, expect, it, test } from 'vitest';
import { run, testTerminal } from '../../../test/support/commands.ts';
import { twoServices } from '../../../test/support/two-services.ts';
import { openNodeStorage } from '../storage.ts';
import { main } from './main.ts';

let two: Awaited<ReturnType<typeof twoServices>>;

beforeEach(async () => {
  two = await twoServices();
  expect(await run(two.args)).toMatchObject({ code: 0, complaints: '' });
});
afterEach(() => two.close());

/** Something that nobody has sealed. */
const spoil = (which: 'home' | 'work', collection: string, id: string) => {
  const [user] = two[which].world.store.users.values();
  user?.write(collection, [{ id, payload: '{}' }], Date.now() + 1_000);
};

it.each(['status', 'devices', 'quarantine', 'check', 'sync-now', 'sign-out'])(
  '%s refuses the name of a service that is not there',
  async (command) => {
    expect(await two.on(command, '--remote', 'wrok')).toEqual({
      code: 2,
      out: '',
      complaints: 'kitsync: --remote: the folder has no service "wrok", but first, work\n',
    });
  },
);

it.each([
  ['put', 'notes', '{"title":"x"}'],
  ['delete', 'notes', 'AAAAAAAAAAAA'],
  ['list', 'notes'],
  ['export'],
])('%s finds a collection by itself: a service is no option of it', async (...words) => {
  const { code, complaints } = await two.on(...(words as [string]), '--remote', 'work');
  expect([code, complaints]).toEqual([2, expect.stringContaining("'--remote'")]);
});

test('status keeps the last good sync and the words of each service', async () => {
  const before = Date.now();
  await run(two.args);
  const good = (await two.status()).remotes;
  expect(good.work.lastSyncMs).toBeGreaterThanOrEqual(before);
  expect(good.first.lastSyncMs).toBeGreaterThanOrEqual(before);
  await two.work.close();
  await run(two.args);
  const { remotes, lastSyncMs } = await two.status();
  expect(remotes.work.lastSyncMs).toBe(good.work.lastSyncMs);
  expect(remotes.work.error.cause).toContain('ECONNREFUSED');
  expect([remotes.first.error, remotes.first.lastSyncMs]).toEqual([null, lastSyncMs]);
  expect(lastSyncMs).toBeGreaterThan(good.first.lastSyncMs);
  expect((await two.on('status', '--remote', 'work')).out).toMatch(/\nerror .*ECONNREFUSED/);
  const alone = JSON.parse((await two.on('status', '--remote', 'work', '--json')).out);
  expect([alone.account, alone.lastSyncMs]).toEqual(['work@example.test', good.work.lastSyncMs]);
});

test('notes that an earlier version wrote of a service are read', async () => {
  two.changeNotes(({ remotes }) => {
    remotes.work = { remote: remotes.work.remote, collections: ['notes'] };
  });
  expect((await two.on('status')).out).toMatch(/\nservice +work\n[\s\S]*\nnotes +4 held/);
  expect((await two.status()).remotes.work.lastSyncMs).toBeGreaterThan(0);
});

test.each(['{}', '{"error":7}', '3'])('notes with %s of a service stop nothing', async (said) => {
  two.changeNotes(({ remotes }) => {
    remotes.work.said = JSON.parse(said);
  });
  expect(await two.on('status')).toMatchObject({ code: 0, complaints: '' });
});

it.each([
  [['notes'], 0, 4],
  [['history'], 5, 0],
  [['--remote', 'work'], 0, 4],
  [['--remote', 'first'], 5, 0],
  [[], 5, 4],
] as const)('check --repair %j has the next sync fetch these anew', async (more, pages, notes) => {
  const { code, out } = await two.on('check', '--repair', ...more);
  expect(code).toBe(0);
  expect(out).toContain('to be fetched again by the next sync');
  const checked = JSON.parse((await two.on('check', '--json')).out);
  expect(checked.collections.history.damaged > 0).toBe(pages > 0);
  expect(checked.collections.notes.damaged > 0).toBe(notes > 0);
  const again = await run(two.args);
  expect(/history 5 received/.test(again.out)).toBe(pages > 0);
  expect(/work: in sync: notes 4 received/.test(again.out)).toBe(notes > 0);
  expect(await two.on('check')).toMatchObject({ code: 0, complaints: '' });
  expect(JSON.parse((await two.on('export')).out).notes).toHaveLength(4);
});

test('check knows the collections of all services, or of the one that it is told', async () => {
  expect((await two.on('check', 'notes', 'history')).code).toBe(0);
  expect((await two.on('check', '--remote', 'work')).out).toBe('notes\t4 held\n');
  const wrong = await two.on('check', 'history', '--remote', 'work');
  expect([wrong.code, wrong.complaints]).toEqual([
    2,
    'kitsync: there is no collection "history": notes\n',
  ]);
});

test.each([
  ['work', ':work:s', 'history\t5 held'],
  ['first', 's', 'notes\t4 held'],
])('check goes on where it is lost whose data %s is, and says so', async (name, key, other) => {
  const storage = await openNodeStorage(two.data);
  await storage.commit([[key, '?']]);
  storage.close();
  const { code, out, complaints } = await two.on('check');
  expect([code, out]).toEqual([1, expect.stringContaining(other)]);
  expect(complaints).toMatch(new RegExp(`^kitsync: ${name}: .*sign-out --remote ${name}`));
  expect((await two.on('sign-out', '--remote', name, '--yes')).code).toBe(0);
  expect(await run(two.args)).toMatchObject({ code: 0, complaints: '' });
  expect(await two.on('check')).toMatchObject({ code: 0, complaints: '' });
});

test('what is unsent of a collection that another service got is told', async () => {
  const page = '{"url":"https://mine.example/","title":"mine"}';
  expect((await two.on('put', 'history', page)).code).toBe(0);
  const moved = two.args.map((arg) => (arg === 'work=sync15:notes' ? `${arg},history` : arg));
  expect(await run(moved)).toMatchObject({ code: 0, complaints: '' });
  const { unsent, remotes } = await two.status();
  expect([unsent, remotes.first.unsent, remotes.work.unsent]).toEqual([
    ...[{ history: 1 }, { history: 1 }, undefined],
  ]);
  const [first, work] = (await two.on('status')).out.split('\n\n');
  expect(first).toMatch(/\nhistory +another service has it now; .* wait here for it: 1\n?$/);
  expect(work).toMatch(/\nhistory +0 held/);
  for (const more of [[], ['--remote', 'first']]) {
    const terminal = testTerminal({ input: async () => 'no' });
    await main(
      ['sign-out', '--data', two.data, ...more],
      Object.assign(terminal, { isInteractive: true }),
    );
    expect(terminal.complaints).toContain('Not sent yet, and lost then: 1 of your changes.');
  }
});

test('devices lists those of each account', async () => {
  const ids = (out: string) => out.trim().split('\n').filter(Boolean);
  const more = ['--device-name', 'Other', '--data', `${two.folder}/other`];
  expect((await run(['sync', '--once', ...more, ...two.places])).code).toBe(0);
  await run(two.args);
  const all = await two.on('devices');
  expect(
    ids(all.out).map((line) => line.split('\t').filter((_, at) => [0, 5].includes(at))),
  ).toEqual([
    ['Other', 'first'],
    ['Other', 'work'],
  ]);
  const one = JSON.parse((await two.on('devices', '--remote', 'work', '--json')).out);
  expect(one).toEqual([expect.objectContaining({ name: 'Other', service: 'work' })]);
});

test('quarantine shows what was set aside of each, the lists of devices as well', async () => {
  spoil('home', 'history', 'PAGEPAGEPAGE');
  spoil('work', 'notes', 'NOTENOTENOTE');
  spoil('work', 'clients', 'THEIRDEVICE0');
  await run(two.args);
  const idsOf = async (...more: string[]) =>
    (await two.on('quarantine', ...more)).out.split('\n').map((line) => line.split('\t')[1] ?? '');
  expect(await idsOf()).toEqual(['PAGEPAGEPAGE', 'NOTENOTENOTE', 'THEIRDEVICE0', '']);
  expect(await idsOf('--remote', 'work')).toEqual(['NOTENOTENOTE', 'THEIRDEVICE0', '']);
  expect(await idsOf('--remote', 'first')).toEqual(['PAGEPAGEPAGE', '']);
  expect(await idsOf('notes')).toEqual(['NOTENOTENOTE', '']);
});

test('doctor looks at each', async () => {
  const terminal = testTerminal();
  expect(await main(['doctor', '--data', two.data, ...two.places], terminal)).toBe(0);
  expect(terminal.out.match(/^ok {6}storage/gm)).toHaveLength(2);
  expect(terminal.out).toMatch(/^- {7}service {8}work$/m);
  await two.work.close();
  const { code, out } = await two.on('doctor', '--json', ...two.places);
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(code).toBe(1);
  expect(lines.filter(({ ok }) => ok === false)).toEqual([
    expect.objectContaining({ service: 'work', check: 'connection' }),
  ]);
  expect(lines.filter(({ service, ok }) => service === 'first' && !ok)).toEqual([]);
  const wrong = await two.on('doctor', ...two.places.slice(0, -2));
  expect([wrong.code, wrong.complaints]).toEqual([
    2,
    'kitsync: --credentials work=FILE is missing\n',
  ]);
});

test('sync-now says of each how it went', async () => {
  const args = two.args.filter((arg) => arg !== '--once');
  const terminal = testTerminal();
  const running = main(args, terminal);
  await terminal.saw('in sync', 2);
  const good = await two.on('sync-now');
  expect([good.code, good.out]).toEqual([
    0,
    expect.stringMatching(/ first: in sync: [^\n]+\n.* work: in sync: [^\n]+\n$/),
  ]);
  await two.work.close();
  const bad = await two.on('sync-now');
  expect([bad.code, bad.out]).toEqual([1, expect.stringMatching(/ first: in sync: [^\n]+\n$/)]);
  expect(bad.complaints).toMatch(/ work: sync failed: .*ECONNREFUSED/);
  expect((await two.on('sync-now', '--remote', 'first')).code).toBe(0);
  terminal.stop();
  await running;
});
