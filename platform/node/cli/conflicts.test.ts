// Conflicts that are left to a person at a computer: what is listed, how one is decided, and what
// the other computer has then. The agent's part is tried in test/contract/strategies.ts.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { testTerminal } from '../../../test/support/commands.ts';
import { collection, runningSync, status } from '../../../test/support/running-sync.ts';
import { computerOf, type ServedKinto, serveKinto } from '../../../test/support/served-kinto.ts';
import { conflicts } from './conflicts.ts';
import { main } from './main.ts';
import { NOTES_FILE, readNotes } from './notes.ts';

type Computer = ReturnType<typeof computerOf>;

let kinto: ServedKinto;
let one: Computer;
let two: Computer;

beforeEach(async () => {
  kinto = await serveKinto();
  one = computerOf(kinto);
  two = computerOf(kinto);
  await one.signIn('secret');
  writeFileSync(two.credentials, readFileSync(one.credentials), { mode: 0o600 });
});
afterEach(() => {
  vi.useRealTimers();
  return kinto.close();
});

const BOTH = ['--collections', 'contacts,generic(notes)'];
const MANUAL = ['--strategy', 'notes=manual', '--strategy', 'contacts=manual'];

const synced = async (computer: Computer, ...more: string[]): Promise<string> => {
  const { code, out, complaints } = await computer.sync(...BOTH, ...more);
  expect([code, complaints]).toEqual([0, '']);
  return out;
};
const put = async (computer: Computer, name: string, record: object): Promise<string> => {
  const { code, out, complaints } = await computer.on('put', name, JSON.stringify(record));
  expect([code, complaints]).toEqual([0, '']);
  return out.trim();
};
const note = (computer: Computer, text: string | null, id = 'n') =>
  text === null
    ? computer.on('delete', 'notes', id)
    : put(computer, 'notes', { id, text, kept: 'as it is' });
const listed = async (...words: string[]): Promise<string> => {
  const { code, out, complaints } = await one.on('conflicts', ...words);
  expect([code, complaints]).toEqual([0, '']);
  return out;
};
const tagOf = async (): Promise<string> => JSON.parse(await listed('--json')).tag;

/** Both have changed one note, and the first of them leaves conflicts to its owner. */
async function quarrel() {
  await synced(one, ...MANUAL);
  await note(one, 'before');
  await synced(one);
  await synced(two);
  await note(two, 'theirs');
  await synced(two);
  await note(one, 'ours');
  return synced(one);
}

describe('a conflict', () => {
  test('waits with both versions, and the sync and the status say so', async () => {
    const out = await quarrel();
    expect(out).toContain('changed here and elsewhere: notes 1 - kitsync conflicts shows both');
    expect(out).not.toContain('changes that wait here');
    expect((await one.on('status')).out).toMatch(/^notes .*1 to be decided: kitsync conflicts$/m);
    const rows = (await listed()).split('\n');
    expect(rows).toEqual([
      expect.stringMatching(/^notes\tn\t\S+\t$/),
      '\twas\ttext: "before"',
      '\tours\ttext: "ours"',
      '\ttheirs\ttext: "theirs"',
      '',
    ]);
    expect(await listed('contacts')).toBe('');
    expect(JSON.parse(await listed('notes', '--json'))).toMatchObject({
      ...{ collection: 'notes', id: 'n', tag: expect.any(String) },
      ...{ ours: { text: 'ours' }, theirs: { text: 'theirs' }, base: { text: 'before' } },
    });
    await synced(two);
    expect(await two.notes()).toEqual(['theirs']);
  });

  test('that is decided is left so everywhere, whatever it was', async () => {
    await synced(one, ...MANUAL);
    const ids = ['ours', 'theirs', 'record', 'delete', 'gone-here', 'gone-there'];
    for (const id of ids) await note(one, 'before', id);
    await synced(one);
    await synced(two);
    for (const id of ids) await note(two, id === 'gone-there' ? null : 'theirs', id);
    await synced(two);
    for (const id of ids) await note(one, id === 'gone-here' ? null : 'ours', id);
    await synced(one);
    const shown = await listed();
    for (const whose of ['ours', 'theirs']) {
      expect(shown.match(new RegExp(`^\t${whose}\ttext: "${whose}"$`, 'gm'))).toHaveLength(5);
      expect(shown.match(new RegExp(`^\t${whose}\tdeleted$`, 'gm'))).toHaveLength(1);
    }
    const decide = (id: string, ...words: string[]) => one.on('resolve', 'notes', id, ...words);
    expect(await decide('record', '--record', '[]')).toMatchObject({
      ...{ code: 2, complaints: 'kitsync: --record must be one record\n' },
    });
    for (const [id, ...words] of [
      ['ours', 'ours'],
      ['theirs', 'theirs'],
      ['record', '--record', '{"text":"of both"}'],
      ['delete', '--delete'],
      ['gone-here', 'theirs'],
      ['gone-there', 'theirs'],
    ] as const) {
      expect(await decide(id, ...words)).toEqual({ code: 0, out: `${id}\n`, complaints: '' });
    }
    expect(await listed()).toBe('');
    await synced(one);
    await synced(two);
    const left = ['of both', 'ours', 'theirs', 'theirs'];
    expect([(await one.notes()).sort(), (await two.notes()).sort()]).toEqual([left, left]);
    expect(await decide('ours', 'ours')).toMatchObject({
      ...{ code: 1, complaints: 'kitsync: no conflict of this record waits (notFound)\n' },
    });
  });

  test('is not decided by who has seen another version', async () => {
    await quarrel();
    const tag = await tagOf();
    await note(two, 'theirs again');
    await synced(two);
    await synced(one);
    const late = await one.on('resolve', 'notes', 'n', 'theirs', '--tag', tag);
    expect(late).toMatchObject({ code: 1, out: '' });
    expect(late.complaints).toContain('there is another version by now (conflict)');
    const again = ['resolve', 'notes', 'n', 'theirs', '--json', '--tag', await tagOf()] as const;
    expect(await one.on(...again)).toMatchObject({ code: 0, out: '{"id":"n"}\n' });
    expect(await one.notes()).toEqual(['theirs again']);
  });

  test('is listed and decided while a sync runs on the folder, which sends it', async () => {
    await quarrel();
    const terminal = testTerminal();
    const place = ['--credentials', one.credentials, '--data', one.data];
    const running = main(['sync', '--protocol', 'kinto', ...place, ...BOTH], terminal);
    await terminal.saw('in sync');
    expect(await listed()).toContain('\ttheirs\ttext: "theirs"\n');
    const late = await one.on('resolve', 'notes', 'n', 'ours', '--tag', 'another');
    expect(late.complaints).toContain('tag: there is another version by now (conflict)');
    expect(await one.on('resolve', 'notes', 'n', '--delete')).toMatchObject({ code: 0 });
    expect((await one.on('sync-now')).out).toContain('notes 0 received, 1 sent');
    terminal.stop();
    expect(await running).toBe(0);
    await synced(two);
    expect(await two.notes()).toEqual([]);
  });

  test('of a contact is shown as a file of cards has it', async () => {
    const card = { fn: [{ value: 'Ada Lovelace' }], tel: [{ value: '+44 1' }] };
    await synced(one, ...MANUAL);
    const guid = await put(one, 'contacts', { card });
    await synced(one);
    await synced(two);
    await put(two, 'contacts', { guid, card: { tel: [{ value: '+44 2' }] } });
    await synced(two);
    await put(one, 'contacts', { guid, card: { tel: [{ value: '+44 3' }] } });
    await synced(one);
    expect((await listed()).split('\n')).toEqual([
      expect.stringMatching(`^contacts\t${guid}\t\\S+\tAda Lovelace$`),
      '\twas\tTEL:+44 1',
      '\tours\tTEL:+44 3',
      '\ttheirs\tTEL:+44 2',
      '',
    ]);
    const record = JSON.stringify({ card: { tel: [{ value: '+44 4' }] } });
    expect(await one.on('resolve', '--record', record, '--', 'contacts', guid)).toMatchObject({
      ...{ code: 0, complaints: '' },
    });
    await synced(one);
    await synced(two);
    const { out } = await two.on('contacts', 'export');
    expect(out).toMatch(/FN:Ada Lovelace\r\n(.*\r\n)*TEL:\+44 4\r\n/);
  });
});

describe('the strategy of a collection', () => {
  test('stays with the folder until another one is said', async () => {
    await quarrel();
    expect(readNotes(one.data).strategies).toEqual({ notes: 'manual', contacts: 'manual' });
    await synced(one, '--strategy', 'contacts=default', '--strategy', 'notes=merge');
    expect(readNotes(one.data).strategies).toEqual({ notes: 'merge' });
    // What waits goes on waiting.
    expect(await listed()).toContain('\ttheirs\ttext: "theirs"\n');
  });

  test('is kept by conflicts that wait, where the notes are damaged', async () => {
    await quarrel();
    writeFileSync(join(one.data, NOTES_FILE), '{', { mode: 0o600 });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 86_400_000 });
    await synced(one);
    await synced(one);
    expect(await listed()).toContain('\ttheirs\ttext: "theirs"\n');
    await synced(two);
    expect(await two.notes()).toEqual(['theirs']);
  });

  test.each([
    ['remoteWins', 'theirs'],
    ['localWins', 'ours'],
  ])('%s leaves %s', async (strategy, left) => {
    await synced(one, '--strategy', `generic(notes)=${strategy}`);
    await note(one, 'before');
    await synced(one);
    await synced(two);
    // By their times the other one would be left.
    const isOursLate = strategy === 'remoteWins';
    if (!isOursLate) await note(one, 'ours');
    await note(two, 'theirs');
    if (isOursLate) await note(one, 'ours');
    for (const computer of [two, one, two]) await synced(computer);
    expect([await one.notes(), await two.notes()]).toEqual([[left], [left]]);
  });
});

test.each([
  [['notes', 'n'], 'say what is left: ours, theirs, --record JSON or --delete'],
  [['notes'], 'ID is missing'],
  [['notes', 'n', 'mine'], 'behind the id there must be ours or theirs'],
  [['notes', 'n', 'ours', '--delete'], 'ours and --delete exclude each other'],
  [['notes', 'n', 'theirs', '--record', '{}'], 'theirs and --record exclude each other'],
  [['notes', 'n', '--record', '{}', '--delete'], '--record and --delete exclude each other'],
])('kitsync resolve %j is refused', async (words, complaint) => {
  expect(await one.on('resolve', ...words)).toEqual({
    ...{ code: 2, out: '', complaints: `kitsync: ${complaint}\n` },
  });
});

test('the password of a login is shown to programs only', async () => {
  const login = (password: string) => ({ origin: 'https://a', username: 'u', password });
  const sync = await runningSync({
    status: async () => status({ collections: { passwords: collection({ conflicts: 1 }) } }),
    conflicts: async () => ({
      conflicts: [
        { id: '{1}', ours: login('s3cret'), theirs: login('s4cret'), base: null, tag: 't' },
      ],
      next: null,
    }),
  });
  const { out } = await sync.run(conflicts);
  expect(out.split('\n')).toEqual([
    'passwords\t{1}\tt\thttps://a',
    '\twas\tdeleted',
    '\tours\tpassword: another one (--json shows it)',
    '\ttheirs\tpassword: another one (--json shows it)',
    '',
  ]);
  expect((await sync.run(conflicts, { json: true })).out).toContain('s4cret');
  sync.close();
});
