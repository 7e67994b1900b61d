// What the commands say of a folder that is synced with a Kinto when something is wrong there: each
// in words, with what can be done, and nothing lost.

import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import type { KintoDump } from '../../../emulator/servers/kinto/store.ts';
import { testTerminal } from '../../../test/support/commands.ts';
import { computerOf, type ServedKinto, serveKinto } from '../../../test/support/served-kinto.ts';
import { main } from './main.ts';

let kinto: ServedKinto;
/** A computer with two notes, and the server as it is then. */
let ready: { readonly computer: ReturnType<typeof computerOf>; readonly store: KintoDump };
let one: ReturnType<typeof computerOf>;

beforeAll(async () => {
  kinto = await serveKinto();
  const computer = computerOf(kinto);
  await computer.signIn('secret');
  await computer.sync();
  await computer.on('put', 'notes', '[{"text":"one"},{"text":"two"}]');
  expect(await computer.sync()).toMatchObject({ code: 0, complaints: '' });
  ready = { computer, store: kinto.server.store.dump() };
});
afterAll(() => kinto.close());
beforeEach(() => {
  kinto.server.store.restore(ready.store);
  kinto.passwords.set('bob', 'secret');
  Object.assign(kinto, { health: {}, isReadOnly: false, instead: () => null });
  one = computerOf(kinto);
  cpSync(ready.computer.data, one.data, { recursive: true });
  cpSync(ready.computer.credentials, one.credentials);
});

const status = async () => (await one.on('status')).out;
const json = (code: number, body: object = {}) =>
  new Response(JSON.stringify(body), {
    status: code,
    headers: { 'content-type': 'application/json' },
  });
const refuse = (code: number) => {
  kinto.instead = () => json(code);
};
const records = () => {
  const [bucket] = kinto.server.store.buckets.values();
  return bucket?.collections.get('notes');
};

const isEpoch = (id: unknown): boolean => `${id}`.startsWith('epoch-');
const epochs = () =>
  records()
    ?.live()
    .filter(({ id }) => isEpoch(id)) ?? [];

describe('status', () => {
  it('shows the user, that there is no list of devices, and what is held', async () => {
    const out = await status();
    expect(out).toMatch(/^account +bob$/m);
    expect(out).toMatch(/^this device +a Kinto has no list of the devices of its users$/m);
    expect(out).toMatch(/^notes +2 held, 0 to send, 0 set aside$/m);
    expect(await one.on('devices')).toMatchObject({
      code: 1,
      complaints: 'kitsync: a Kinto has no list of the devices of its users\n',
    });
  });

  it('tells of a server that was emptied, once a pass and for a month after', async () => {
    kinto.server.store.flush();
    const { code, complaints } = await one.sync();
    expect(code).toBe(0);
    expect(complaints).toMatch(/notes: what the server has was begun anew/);
    expect((await one.sync()).complaints).toBe('');
    expect(await status()).toMatch(
      /^seen +notes: what the server has was begun anew.*, last seen 20/m,
    );
    expect(records()?.live()).toHaveLength(3);
  });

  it('tells of deletions that nobody with the key has made, and how many', async () => {
    for (const { id } of records()?.live() ?? []) {
      if (!isEpoch(id)) records()?.delete(id);
    }
    const { code, complaints } = await one.sync();
    expect([code, complaints.split('\n').length]).toEqual([0, 2]);
    expect(complaints).toContain('notes: the server says that 2 records are gone');
    expect(await status()).toMatch(/^seen +notes: the server says that 2 records are gone/m);
    expect((await one.notes()).sort()).toEqual(['one', 'two']);
    const [next] =
      records()
        ?.live()
        .filter(({ id }) => !isEpoch(id)) ?? [];
    records()?.delete(`${next?.id}`);
    await one.sync();
    expect(await status()).toMatch(/^seen +notes: the server says that 3 records are gone/m);
  });

  it('tells of it no more after a month', async () => {
    const lastMs = Date.now() - 31 * 86_400_000;
    const path = join(one.data, 'notes.json');
    const notes = JSON.parse(readFileSync(path, 'utf8'));
    const incidents = [{ kind: 'beganAnew', collection: 'notes', count: 1, lastMs }];
    writeFileSync(path, JSON.stringify({ ...notes, incidents }));
    expect(await status()).not.toMatch(/^seen/m);
    await one.sync();
    expect(JSON.parse(readFileSync(path, 'utf8')).incidents).toEqual([]);
  });

  it('shows what the server says to its users, and that it closes', async () => {
    kinto.health = { alert: '{"code":"soft-eol","message":"moving in May","url":"https://k"}' };
    expect(await one.sync()).toMatchObject({ code: 0 });
    expect(await status()).toMatch(/^the server says +moving in May https:\/\/k$/m);
    kinto.health = { alert: '{"code":"hard-eol","message":"closed"}' };
    const { code, complaints } = await one.sync();
    expect([code, complaints]).toEqual([1, expect.stringContaining('(serviceGone)')]);
    expect(await status()).toMatch(/^what to do +the server has closed/m);
  });

  it('counts what waits for a server that takes nothing now', async () => {
    await one.on('put', 'notes', '{"text":"three"}');
    kinto.health = { refuse: 507 };
    const full = await one.sync();
    expect([full.code, full.complaints]).toEqual([1, expect.stringContaining('(overQuota) - the')]);
    expect(await status()).toMatch(/^what to do +the room on the server is used up/m);
    kinto.health = {};
    expect(await one.sync()).toMatchObject({ code: 0, complaints: '' });
    expect(await status()).toMatch(/^notes +3 held, 0 to send, 0 set aside$/m);
    kinto.isReadOnly = true;
    await one.on('put', 'notes', '{"text":"four"}');
    await one.sync();
    expect(await status()).toMatch(/^notes +4 held, 1 to send, 0 set aside, read-only$/m);
  });
});

describe('a sync', () => {
  test.each([
    [401, '(unauthorized) - sign in again with `kitsync sign-in --kinto`'],
    [404, '(badResponse) - check that --token-server is the address'],
    [410, '(serviceGone) - the server has closed: sign in to another one'],
    [503, '(unavailable)'],
  ])('that is answered with %i says what to do, in a line', async (code, line) => {
    refuse(code);
    const two = computerOf(kinto);
    writeFileSync(two.credentials, readFileSync(one.credentials), { mode: 0o600 });
    const first = await two.sync();
    kinto.instead = () => null;
    expect([first.code, first.complaints]).toEqual([1, expect.stringContaining(line)]);
    expect(first.complaints).toMatch(/^[^\n]*\n$/);
    expect(await two.sync()).toMatchObject({ code: 0, complaints: '' });
    expect((await two.notes()).sort()).toEqual(['one', 'two']);
  });

  it('that may make no place there says who has to allow it', async () => {
    const { store } = kinto.server;
    const [bucket = ''] = store.buckets.keys();
    store.flush();
    store.makeBucket(bucket, 'account:eve');
    const two = computerOf(kinto);
    writeFileSync(two.credentials, readFileSync(one.credentials), { mode: 0o600 });
    const { code, complaints } = await two.sync();
    expect([code, complaints]).toEqual([
      1,
      expect.stringContaining('(readOnly) - its owner has to allow that (kinto.bucket_create'),
    ]);
  });

  it('that only reads makes nothing there, and has all when somebody has made it', async () => {
    const { store } = kinto.server;
    store.flush();
    const two = computerOf(kinto);
    cpSync(one.credentials, two.credentials);
    expect(await two.sync('--read-only')).toMatchObject({ code: 0, complaints: '' });
    expect(store.buckets.size).toBe(0);
    await one.sync();
    expect(epochs()).toHaveLength(1);
    for (const { id } of epochs()) records()?.purge(`${id}`);
    expect(await two.sync('--read-only')).toMatchObject({ code: 0, complaints: '' });
    expect((await two.notes()).sort()).toEqual(['one', 'two']);
    expect(epochs()).toEqual([]);
  });

  it('is refused before anything is asked where the sign-in is to something else', async () => {
    const before = kinto.requests.length;
    const otherServer = await one.sync('--token-server', 'http://127.0.0.1:9');
    const otherProtocol = await one.on(
      ...['sync', '--once', '--credentials', one.credentials, '--token-server', kinto.url],
    );
    const noKinto = join(one.folder, 'me.json');
    const key = { kB: '0f'.repeat(32), keysChangedAt: 1 };
    writeFileSync(noKinto, JSON.stringify({ accessToken: 't', ...key }), { mode: 0o600 });
    const nowhere = await one.sync('--credentials', noKinto);
    const badName = await one.sync('--collections', 'generic(a.b)');
    for (const { code } of [otherServer, otherProtocol, nowhere, badName]) expect(code).toBe(2);
    expect(otherServer.complaints).toContain(`is a sign-in to ${kinto.url}, and not to http://`);
    expect(otherProtocol.complaints).toContain('its protocol is kinto');
    expect(nowhere.complaints).toContain('names no Kinto');
    expect(badName.complaints).toContain('a.b is no name on a Kinto');
    expect(kinto.requests.length).toBe(before);
  });

  it('touches no folder that was kept for another kind of server', async () => {
    await one.on('put', 'notes', '{"text":"unsent"}');
    const key = { kB: '0f'.repeat(32), keysChangedAt: 1 };
    const account = join(one.folder, 'me.json');
    const bob = { accessToken: 't', uid: 'bob', email: 'bob', ...key };
    writeFileSync(account, JSON.stringify(bob), { mode: 0o600 });
    const other = await one.on(
      ...['sync', '--once', '--credentials', account, '--token-server', kinto.url],
      ...['--collections', 'generic(notes)'],
    );
    expect([other.code, other.complaints]).toEqual([
      1,
      expect.stringContaining('holds what another kind of server has: choose another --data'),
    ]);
    expect(await one.sync()).toMatchObject({ code: 0, complaints: '' });
    expect((await one.notes()).sort()).toEqual(['one', 'two', 'unsent']);
  });
});

test('a change that is made without notes goes up under the name that others know', async () => {
  const more = ['--collections', 'reading-list'];
  await one.sync(...more);
  const page = { id: 'a page', url: 'https://example.org/', title: 'before' };
  await one.on('put', 'reading-list', JSON.stringify(page));
  await one.sync(...more);
  rmSync(join(one.data, 'notes.json'));
  const changed = JSON.stringify({ id: 'a page', title: 'after' });
  expect(await one.on('put', 'reading-list', changed)).toMatchObject({ code: 0 });
  expect(await one.sync(...more)).toMatchObject({ code: 0, complaints: '' });
  const two = computerOf(kinto);
  cpSync(one.credentials, two.credentials);
  expect(await two.sync(...more)).toMatchObject({ code: 0, complaints: '' });
  const listed = JSON.parse((await two.on('list', 'reading-list', '--json')).out);
  expect(listed).toEqual([expect.objectContaining({ title: 'after' })]);
});

describe('doctor', () => {
  const doctor = async () => {
    const terminal = testTerminal();
    const args = ['--protocol', 'kinto', '--credentials', one.credentials, '--data', one.data];
    const code = await main(['doctor', ...args, '--collections', 'generic(notes)'], terminal);
    return { code, out: terminal.out };
  };

  it('looks at each thing that a sync needs', async () => {
    const { code, out } = await doctor();
    expect(code).toBe(0);
    expect(out.match(/^ok /gm)).toHaveLength(9);
    expect(out).toMatch(/^ok {6}Kinto {10}it is a Kinto, and takes changes$/m);
    expect(out).toMatch(/^ok {6}sign-in {8}it knows who asks: account:bob$/m);
    expect(out).toMatch(/^ok {6}data {11}there is a place for data under this key$/m);
  });

  it('says what is wrong there', async () => {
    kinto.isReadOnly = true;
    expect((await doctor()).out).toMatch(/^not ok {2}Kinto {10}it is read-only - ask its owner/m);
    kinto.isReadOnly = false;
    kinto.passwords.set('bob', 'changed');
    const wrong = await doctor();
    expect(wrong.out).toMatch(/^not ok {2}sign-in {8}it does not take the password of bob - sign/m);
    expect(wrong.out).toMatch(/^- {7}data {11}not tried: the sign-in is not ok$/m);
    kinto.passwords.set('bob', 'secret');
    kinto.server.store.flush();
    expect((await doctor()).out).toMatch(/^ok {6}data {11}there is none yet/m);
    const two = computerOf(kinto);
    await two.signIn('secret');
    const other = await doctor();
    expect([other.code, other.out]).toEqual([
      1,
      expect.stringContaining('there is data of this user under another key'),
    ]);
    await one.sync();
    expect((await doctor()).out).toMatch(/^ok {6}data {11}there is .*, and another one under/m);
    chmodSync(one.credentials, 0o644);
    expect((await doctor()).out).toMatch(/^- {7}name {11}not tried: the credentials is not ok$/m);
  });
});

test('a sign-out empties the folder, and the file goes if it is to be forgotten', async () => {
  const out = await one.on(
    ...['sign-out', '--credentials', one.credentials, '--forget-credentials', '--yes'],
  );
  expect(out).toMatchObject({ code: 0 });
  expect(out.complaints).toContain('the name and the password stay what they are on the server');
  expect(() => readFileSync(one.credentials)).toThrow('ENOENT');
  expect(await one.on('status')).toMatchObject({ code: 2 });
  expect(records()?.live()).toHaveLength(3);
});
