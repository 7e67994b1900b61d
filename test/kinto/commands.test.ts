// `kitsync` on a real Kinto: two computers of one user that keep each other's changes, a password
// that is changed meanwhile, and a third one that has nothing but the recovery code.

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RealKinto, startKinto } from '../support/kinto.ts';
import { computerOf } from '../support/served-kinto.ts';

type Computer = ReturnType<typeof computerOf>;

const COLLECTIONS = ['--collections', 'contacts,settings,reading-list,generic(notes)'];

const PHONE = fileURLToPath(new URL('../fixtures/vcards/apple.vcf', import.meta.url));

let server: RealKinto;
beforeAll(async () => {
  server = await startKinto({ database: null });
}, 120_000);
afterAll(() => server?.stop());

const synced = async (one: Computer): Promise<void> =>
  expect(await one.sync(...COLLECTIONS)).toMatchObject({ code: 0, complaints: '' });
/** What a computer holds, without what is its own. */
const held = async (one: Computer) => {
  const { code, out } = await one.on('export');
  expect(code).toBe(0);
  const { history, logins, ...all } = JSON.parse(out);
  expect([history, logins]).toEqual([[], []]);
  const sorted = Object.entries(all as { [name: string]: { readonly id: string }[] }).map(
    ([name, records]) => [name, records.sort((a, b) => (a.id < b.id ? -1 : 1))] as const,
  );
  return new Map(sorted);
};
const changePassword = async (name: string, old: string, password: string): Promise<void> => {
  const basic = Buffer.from(`${name}:${old}`).toString('base64');
  const response = await fetch(`${server.url}/v1/accounts/${name}`, {
    method: 'PUT',
    headers: { authorization: `Basic ${basic}`, 'content-type': 'application/json' },
    body: JSON.stringify({ data: { password } }),
  });
  expect(response.ok).toBe(true);
};

test('three computers of one user come to the same, whatever becomes of two', async () => {
  const { name, password } = await server.newUser('story');
  const [one, two] = [computerOf(server, name), computerOf(server, name)];
  const first = await one.signIn(password);
  expect(first).toMatchObject({ code: 0, out: expect.stringMatching(/^([a-z]{5}-?){9}\n$/) });
  expect(await two.signIn(password)).toMatchObject({ code: 2 });
  expect(await two.signIn(`${password}\n${first.out}`)).toMatchObject({ code: 0, out: '' });

  const notes = Array.from({ length: 60 }, (_, n) => ({ id: `note-${n}`, text: `one ${n}` }));
  await synced(one);
  expect(await one.on('put', 'notes', JSON.stringify(notes))).toMatchObject({ code: 0 });
  const page = { url: 'https://example.org/', title: 'Example' };
  expect(await one.on('put', 'reading-list', JSON.stringify(page))).toMatchObject({ code: 0 });
  expect(await one.on('contacts', 'import', PHONE)).toMatchObject({ code: 0, complaints: '' });
  await synced(one);
  await synced(two);
  expect((await held(two)).get('notes')).toHaveLength(60);
  expect((await held(two)).get('contacts')).toHaveLength(3);

  // Both change, and the password does.
  await one.on('put', 'notes', '{"id":"note-1","text":"changed by one"}');
  await two.on('put', 'notes', '{"id":"note-2","text":"changed by two"}');
  await two.on('delete', 'notes', 'note-3');
  await changePassword(name, password, 'another one');
  for (const each of [one, two]) {
    const refused = await each.sync(...COLLECTIONS);
    expect([refused.code, refused.complaints]).toEqual([
      1,
      expect.stringContaining('(unauthorized) - sign in again with `kitsync sign-in --kinto`'),
    ]);
    expect(await each.signIn('another one')).toMatchObject({ code: 0, out: '' });
  }
  for (const each of [one, two, one]) await synced(each);
  const all = await held(one);
  expect(await held(two)).toEqual(all);
  const texts = new Map(all.get('notes')?.map((note) => [note.id, note] as const));
  expect([texts.size, texts.get('note-3')]).toEqual([59, undefined]);
  expect(texts.get('note-1')).toMatchObject({ text: 'changed by one' });
  expect(texts.get('note-2')).toMatchObject({ text: 'changed by two' });

  // Both are lost: the code is on paper.
  const three = computerOf(server, name);
  expect(await three.signIn(`another one\n${first.out}`)).toMatchObject({ code: 0 });
  await synced(three);
  expect(await held(three)).toEqual(all);
  const cards = await one.on('contacts', 'export');
  expect(cards.out.match(/^BEGIN:VCARD\r$/gm)).toHaveLength(3);
  expect(await three.on('contacts', 'export')).toEqual(cards);
  expect((await three.on('status')).out).toMatch(/^notes +59 held, 0 to send, 0 set aside$/m);
});

test('a user who may make nothing there is told who has to allow it', async () => {
  const closed = await startKinto({ database: null, makers: 'account:admin' });
  try {
    const { name, password } = await closed.newUser('guest');
    const one = computerOf(closed, name);
    const signedIn = await one.signIn(password);
    expect([signedIn.code, signedIn.complaints]).toEqual([
      0,
      expect.stringContaining('kinto.bucket_create_principals'),
    ]);
    const refused = await one.sync();
    expect([refused.code, refused.complaints]).toEqual([
      1,
      expect.stringContaining('(readOnly) - its owner has to allow that'),
    ]);
  } finally {
    await closed.stop();
  }
});
