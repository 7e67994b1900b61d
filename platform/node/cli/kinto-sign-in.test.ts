// Computers of one user of a Kinto, each with a credentials file of its own: what each outcome of a
// sign-in is, in words and in what is kept.

import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { run, testTerminal } from '../../../test/support/commands.ts';
import { computerOf, type ServedKinto, serveKinto } from '../../../test/support/served-kinto.ts';
import { main } from './main.ts';

const CODE = /^([a-z]{5}-){8}[a-z]{5}\n$/;

let kinto: ServedKinto;
let one: ReturnType<typeof computerOf>;
beforeEach(async () => {
  kinto = await serveKinto();
  one = computerOf(kinto);
});
afterEach(() => kinto.close());

const fileOf = ({ credentials }: { readonly credentials: string }) =>
  JSON.parse(readFileSync(credentials, 'utf8'));
const buckets = () => [...kinto.server.store.buckets.keys()];
/** A first computer, its code, and a note on the server. */
async function begun(): Promise<string> {
  const { out } = await one.signIn('secret');
  await one.sync();
  await one.on('put', 'notes', '{"text":"first"}');
  expect(await one.sync()).toMatchObject({ code: 0, complaints: '' });
  return out.trim();
}

describe('the first computer of a user', () => {
  it('gets a code, which is printed once and kept nowhere, and syncs with its file', async () => {
    const { code, out, complaints } = await one.signIn('secret');
    expect([code, out]).toEqual([0, expect.stringMatching(CODE)]);
    expect(complaints).toContain('Write it down now');
    expect(complaints).toMatch(`Signed in: ${one.credentials} is written.\n`);
    expect(statSync(one.credentials).mode & 0o777).toBe(0o600);
    expect(fileOf(one)).toEqual({
      ...{ kinto: kinto.url, name: 'bob', password: 'secret' },
      kB: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    const words = out.trim().split('-');
    expect(words.filter((word) => readFileSync(one.credentials, 'utf8').includes(word))).toEqual(
      [],
    );
    expect(await one.sync()).toMatchObject({ code: 0, complaints: '' });
  });

  it('has a place on the server at once: the next one is asked for the code', async () => {
    await one.signIn('secret');
    expect(buckets()).toHaveLength(1);
    const two = computerOf(kinto);
    const { code, out, complaints } = await two.signIn('secret');
    expect([code, out]).toEqual([2, '']);
    expect(complaints).toContain('bob has data on this server, sealed under a key of theirs.\n');
    expect(complaints).toContain('no recovery code was given');
    expect(complaints).toContain('--new-key');
    expect(buckets()).toHaveLength(1);
  });
});

describe('another computer', () => {
  it('has everything with the code alone, however it is typed', async () => {
    const code = await begun();
    const two = computerOf(kinto);
    const typed = code.toUpperCase().replaceAll('-', ' ');
    expect(await two.signIn(`secret\n${typed}\n`)).toMatchObject({ code: 0, out: '' });
    expect(await two.sync()).toMatchObject({ code: 0, complaints: '' });
    expect(await two.notes()).toEqual(['first']);
  });

  it('is told which word is a slip, and which code is somebody else’s', async () => {
    const code = await begun();
    const two = computerOf(kinto);
    const slip = await two.signIn(`secret\n${code.replace(/^.{5}/, 'hello')}\n`);
    expect([slip.code, slip.complaints]).toEqual([
      2,
      expect.stringContaining('code: word 1 of the code is none'),
    ]);
    const { out } = await computerOf(kinto, 'eve').signIn('secret too');
    const foreign = await two.signIn(`secret\n${out}`);
    expect([foreign.code, foreign.complaints]).toEqual([
      1,
      expect.stringContaining('these words are a code, and not that of the data of bob'),
    ]);
    expect(() => fileOf(two)).toThrow('ENOENT');
  });

  it('begins anew beside what nobody can open any more, if its user says so', async () => {
    const code = await begun();
    const two = computerOf(kinto);
    const begunAnew = await two.signIn('secret', '--new-key');
    expect(begunAnew).toMatchObject({ code: 0, out: expect.stringMatching(CODE) });
    expect(begunAnew.complaints).toContain('under another key stays there');
    expect(await two.sync()).toMatchObject({ code: 0 });
    expect(await two.notes()).toEqual([]);
    // Who finds the code after all brings both together.
    await two.on('put', 'notes', '{"text":"second"}');
    expect(await two.signIn(`secret\n${code}`, '--code')).toMatchObject({ code: 0 });
    expect((await two.sync()).complaints).toMatch(/the key is another one now/);
    expect((await two.notes()).sort()).toEqual(['first', 'second']);
    await one.sync();
    expect((await one.notes()).sort()).toEqual(['first', 'second']);
  });
});

describe('whoever signs in again', () => {
  it('is asked for no code, and goes on with the new password', async () => {
    await begun();
    const { kB } = fileOf(one);
    kinto.passwords.set('bob', 'changed');
    await one.on('put', 'notes', '{"text":"unsent"}');
    const refused = await one.sync();
    expect([refused.code, refused.complaints]).toEqual([1, expect.stringContaining('sign in')]);
    expect(await one.signIn('changed')).toMatchObject({ code: 0, out: '' });
    expect(fileOf(one)).toMatchObject({ kB, password: 'changed' });
    expect(await one.sync()).toMatchObject({ code: 0, complaints: '' });
    expect((await one.notes()).sort()).toEqual(['first', 'unsent']);
  });

  it('has the key where the server has lost everything, and puts it up again', async () => {
    await begun();
    kinto.server.store.flush();
    expect(await one.signIn('secret')).toMatchObject({ code: 0, out: '' });
    expect(await one.sync()).toMatchObject({ code: 0 });
    const two = computerOf(kinto);
    expect(await two.signIn('secret')).toMatchObject({ code: 2 });
  });

  it('replaces nobody else’s sign-in, whose key may be nowhere else', async () => {
    await begun();
    const before = readFileSync(one.credentials, 'utf8');
    const account = join(one.folder, 'me.json');
    const key = { kB: '0f'.repeat(32), keysChangedAt: 1 };
    writeFileSync(account, JSON.stringify({ accessToken: 't', ...key }), { mode: 0o600 });
    const refused = [
      await one.signIn('secret too', '--user', 'eve'),
      await one.signIn('secret', '--kinto', 'http://127.0.0.1:9'),
      await one.signIn('secret', '--credentials', account),
      await run(
        [
          ...['sign-in', '--password', '--email', 'a@b', '--accounts', 'http://127.0.0.1:9'],
          ...['--client-id', 'c', '--credentials', one.credentials],
        ],
        'p',
      ),
    ];
    for (const { code, complaints } of refused) {
      expect([code, complaints]).toEqual([
        2,
        expect.stringMatching(/ is the sign-in [^\n]*choose another --credentials[^\n]*\n$/),
      ]);
    }
    expect(readFileSync(one.credentials, 'utf8')).toBe(before);
  });

  it('is another user with another name, whose data is not this one’s', async () => {
    await begun();
    const eve = computerOf(kinto, 'eve');
    expect(await eve.signIn('secret too')).toMatchObject({ out: expect.stringMatching(CODE) });
    const other = await run([
      ...['sync', '--once', '--protocol', 'kinto', '--collections', 'generic(notes)'],
      ...['--credentials', eve.credentials, '--data', one.data],
    ]);
    expect([other.code, other.complaints]).toEqual([
      1,
      expect.stringContaining('holds the data of bob, not of eve'),
    ]);
  });
});

test('a running sync takes the new password as soon as it is in the file', async () => {
  await begun();
  const terminal = testTerminal();
  const running = main(
    [
      ...['sync', '--protocol', 'kinto', '--collections', 'generic(notes)'],
      ...['--credentials', one.credentials, '--data', one.data],
    ],
    terminal,
  );
  await terminal.saw('in sync');
  kinto.passwords.set('bob', 'changed');
  expect(await one.on('sync-now')).toMatchObject({ code: 1 });
  await one.signIn('changed');
  expect(await one.on('sync-now')).toMatchObject({ code: 0 });
  terminal.stop();
  expect(await running).toBe(0);
});

test('a password may come from a private file or the environment, and a code too', async () => {
  const password = join(one.folder, 'password');
  writeFileSync(password, 'secret\n', { mode: 0o600 });
  const { out } = await one.signIn('', '--password-file', password);
  expect(out).toMatch(CODE);
  writeFileSync(password, 'secret\n', { mode: 0o644 });
  const two = computerOf(kinto);
  const terminal = testTerminal();
  const environment = { KITSYNC_PASSWORD: 'secret', KITSYNC_RECOVERY_CODE: out.trim() };
  const args = ['sign-in', '--kinto', kinto.url, '--user', 'bob', '--credentials', two.credentials];
  expect(await main(args, Object.assign(terminal, { environment }))).toBe(0);
  expect(fileOf(two).kB).toBe(fileOf(one).kB);
});

test('a token stands in place of a name and a password', async () => {
  const args = ['sign-in', '--kinto', kinto.url, '--bearer', '--credentials', one.credentials];
  expect(await run(args, 'token-of-bob')).toMatchObject({ code: 0 });
  expect(fileOf(one)).toMatchObject({ uid: 'openid:bob', accessToken: 'token-of-bob' });
  expect(await one.sync()).toMatchObject({ code: 0, complaints: '' });
  expect(await run(args, 'token-of-bob')).toMatchObject({ code: 0, out: '' });
  const { kB } = fileOf(one);
  const other = await run(args, 'token-of-eve');
  expect([other.code, other.complaints]).toEqual([
    2,
    expect.stringContaining('is the sign-in of openid:bob at'),
  ]);
  expect(fileOf(one).kB).toBe(kB);
  expect(await run(args, 'of nobody')).toMatchObject({ code: 2 });
  const wrong = await run(args, 'other');
  expect([wrong.code, wrong.complaints]).toEqual([1, expect.stringContaining('the token is not')]);
});

test('a Firefox account’s key needs no code, and opens the same on every computer', async () => {
  const account = join(one.folder, 'me.json');
  writeFileSync(
    account,
    JSON.stringify({ accessToken: 't', kB: '0f'.repeat(32), keysChangedAt: 1_500_000_000_000 }),
    { mode: 0o600 },
  );
  expect(await one.signIn('secret', '--key-of', account)).toMatchObject({ code: 0, out: '' });
  await one.sync();
  await one.on('put', 'notes', '{"text":"first"}');
  await one.sync();
  const two = computerOf(kinto);
  expect(await two.signIn('secret', '--key-of', account)).toMatchObject({ code: 0, out: '' });
  expect(await two.sync()).toMatchObject({ code: 0, complaints: '' });
  expect(await two.notes()).toEqual(['first']);
  writeFileSync(
    account,
    JSON.stringify({ accessToken: 't', kB: 'f0'.repeat(32), keysChangedAt: 1_600_000_000_000 }),
    { mode: 0o600 },
  );
  const changed = await computerOf(kinto).signIn('secret', '--key-of', account);
  expect([changed.code, changed.complaints]).toEqual([
    1,
    expect.stringContaining('bob has data on this server under another key'),
  ]);
});
