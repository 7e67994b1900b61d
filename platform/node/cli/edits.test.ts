// Putting and deleting records from the command line, one and many, and what a terminal is shown of
// them.

import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, run, serveAccount } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';

let serving: Serving;
let data: string;

beforeAll(async () => {
  serving = await serveAccount(3);
});
afterAll(() => serving.close());
beforeEach(async () => {
  const folder = temporaryFolder();
  data = join(folder, 'data');
  const credentials = await credentialsOf(serving, join(folder, 'credentials.json'));
  const args = ['--token-server', serving.world.urls.token, '--credentials', credentials];
  expect((await run(['sync', ...args, '--data', data, '--once'])).code).toBe(0);
});

const put = (collection: string, records: unknown, ...more: string[]) =>
  run(['put', collection, '--data', data, ...more], JSON.stringify(records));
const remove = (...words: string[]) => run(['delete', 'history', '--data', data, '--', ...words]);
const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);
const urls = async (): Promise<string[]> => {
  const { out } = await run(['list', 'history', '--data', data, '--json']);
  return (JSON.parse(out) as { url: string }[]).map(({ url }) => url);
};

const page = (n: number, more: object = {}) => ({ url: `https://n${n}.example/`, ...more });
const bad = page(3, { title: 7 });

test('an id that begins with a dash is deleted as any other', async () => {
  const guid = '-AbCdEfGhIj-';
  await put('history', page(1, { guid }));
  expect(await run(['delete', 'history', guid, '--data', data])).toMatchObject({ code: 0 });
  expect(await urls()).not.toContain(page(1).url);
  const typed = await run(['delete', 'history', `-${guid}`, '--data', data]);
  expect(typed).toMatchObject({
    code: 2,
    complaints: expect.stringMatching(/ behind a word --\n$/),
  });
});

describe('a list that fails in the middle', () => {
  test('of a put names the record, and prints the ids that were accepted', async () => {
    const { code, out, complaints } = await put('history', [page(1), page(2), bad, page(4)]);
    expect([code, complaints]).toEqual([
      1,
      'kitsync: record 3 of 4, https://n3.example/: title: not a string (badInput)\n',
    ]);
    expect(linesOf(out)).toHaveLength(2);
    const json = await put('history', [page(5), bad], '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.out)).toEqual({ ids: [expect.stringMatching(/^[\w-]{12}$/)] });
    const held = await urls();
    for (const n of [1, 2, 5]) expect(held).toContain(page(n).url);
    for (const n of [3, 4]) expect(held).not.toContain(page(n).url);
  });

  test('may begin with a mark, as some editors write it', async () => {
    const input = `\ufeff${JSON.stringify([page(1)])}`;
    expect(await run(['put', 'history', '--data', data], input)).toMatchObject({ code: 0 });
    expect(await urls()).toContain(page(1).url);
  });

  test('of a put is refused before anything is changed where that can be seen', async () => {
    const before = await urls();
    const noUrl = await put('history', [page(1), { url: 'nowhere' }]);
    expect(noUrl).toMatchObject({
      code: 2,
      out: '',
      complaints: 'kitsync: record 2 of 2, nowhere: url is not a URL: "nowhere"\n',
    });
    const noRecord = await put('history', [page(1), 7]);
    expect(noRecord.complaints).toContain('record 2 of 2: a record must be a JSON object');
    expect(await urls()).toEqual(before);
  });

  test('of logins names no password', async () => {
    const login = { origin: 'https://a.example', formActionOrigin: '', password: 'secret' };
    const { complaints } = await put('passwords', [
      login,
      { ...login, origin: 'https://b.example', username: '\0' },
    ]);
    expect(complaints).toBe(
      'kitsync: record 2 of 2, https://b.example: username: holds a NUL (badInput)\n',
    );
  });
});

describe('delete', () => {
  test('takes several ids', async () => {
    const ids = linesOf((await put('history', [page(1), page(2), page(3)])).out);
    expect(await remove(...ids.slice(0, 2))).toEqual({ code: 0, out: '', complaints: '' });
    const held = await urls();
    expect(held).toContain(page(3).url);
    expect(held).not.toContain(page(1).url);
    expect(held).not.toContain(page(2).url);
  });

  test('of an id that is not there, among others, deletes nothing', async () => {
    const [id = ''] = linesOf((await put('history', page(1))).out);
    expect(await remove(id, 'nothing')).toEqual({
      code: 1,
      out: '',
      complaints:
        'kitsync: record 2 of 2, nothing: there is no such record; nothing was deleted (notFoun' +
        'd)\n',
    });
    expect(await urls()).toContain(page(1).url);
  });

  test('of all ids of one thing is no failure', async () => {
    const [id = ''] = linesOf((await put('history', page(1))).out);
    expect(await remove(id, id)).toMatchObject({ code: 0, complaints: '' });
    expect(await urls()).not.toContain(page(1).url);
  });
});

describe('messages', () => {
  test.each([
    ['history', { title: 'x' }, 'url: '],
    ['passwords', { password: 'x' }, 'origin: '],
    ['passwords', { origin: 'https://a', password: 'x' }, 'formActionOrigin, httpRealm: '],
  ])('have the names that the local API has: %s %j', async (collection, record, start) => {
    const { complaints } = await put(collection, record);
    expect(complaints.startsWith(`kitsync: ${start}`)).toBe(true);
  });
});

describe('what a terminal is shown', () => {
  const family = '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}';
  const wales = '\u{1f3f4}\u{e0067}\u{e0062}\u{e0077}\u{e006c}\u{e0073}\u{e007f}';
  const persian = '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645';

  test('has whole emoji, no control, no end of a line and nothing that turns it', async () => {
    const rest = '\u009b31m\u001b[2J\u0085a\nb\u2028c\u202ed\u2066e\x7f';
    const title = `${family}${wales}${persian}${rest}`;
    await put('history', page(1, { title }));
    const text = (await run(['list', 'history', '--data', data])).out;
    const json = (await run(['list', 'history', '--data', data, '--json'])).out;
    const whole = (await run(['export', '--data', data])).out;
    for (const out of [text, json, whole]) {
      expect(out).not.toMatch(/[^\n\t\P{Cc}]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
      for (const kept of [family, wales, persian]) expect(out).toContain(kept);
    }
    expect(text).toContain('\\u009b31m\\u001b[2J a b c d e\\u007f');
    expect(JSON.parse(json)[0].title).toBe(title);
    expect(JSON.parse(whole).history[0].title).toBe(title);
  });
});
