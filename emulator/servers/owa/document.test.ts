// How documents are kept, as far as a client does not see it.

import { expect, test } from 'vitest';
import { memoryStorage } from '../storage/local-storage.ts';
import { Documents } from './document.ts';

async function* piecesOf(text: string): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += 500) yield text.slice(at, at + 500);
}

const MANIFEST = JSON.stringify({ name: 'x'.repeat(200) });
const entry = (n: number) =>
  `"https://a${n}.example":{"last_modified":${n + 1},"manifest":${MANIFEST}}`;
const documentOf = (entries: readonly string[]) => `{${entries.join(',')}}`;
const nothing = () => undefined;

async function textIn(documents: Documents, user: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of documents.pieces(user)) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

const KB = 1_024;
const ROOM = { storage: memoryStorage(), nowMs: () => 5_000 };

test('a post takes room for what it changes, and gives it back', async () => {
  const documents = new Documents({ ...ROOM, limits: { roomBytes: 1_100 * KB } });
  const post = (user: string, entries: readonly string[]) =>
    documents.post(user, piecesOf(documentOf(entries)), nothing);
  const entries = Array.from({ length: 400 }, (_, n) => entry(n));
  const { head } = await post('one', entries);
  expect(head).toMatchObject({ modifiedMs: 5_000, entries: 400 });
  expect(Math.abs(head.bytes - documentOf(entries).length)).toBeLessThan(3);
  // The second half fits beside the first one, which is there already.
  const more = Array.from({ length: 400 }, (_, n) => entry(400 + n));
  expect((await post('one', [...entries, ...more])).head.entries).toBe(800);
  const both = post('two', [...entries, ...more]);
  await expect(both).rejects.toMatchObject({ status: 503, json: { error: 'overloaded' } });
  expect(await textIn(documents, 'two')).toBe('{}');
  expect(JSON.parse(await textIn(documents, 'one'))).toEqual(
    JSON.parse(documentOf([...entries, ...more])),
  );
});

test('of entries with little in them each takes what it costs to hold it', async () => {
  const documents = new Documents({ ...ROOM, limits: { roomBytes: 1_100 * KB } });
  const tiny = (count: number) =>
    documents.post('tiny', piecesOf(documentOf(Array.from({ length: count }, name))), nothing);
  const name = (_: unknown, n: number): string => `"${n}":{}`;
  await expect(tiny(3_000)).rejects.toMatchObject({ status: 503 });
  expect((await tiny(800)).head.entries).toBe(800);
});

test('posts have room for a small document from their beginning, or are sent away', async () => {
  const documents = new Documents({ ...ROOM, limits: { roomBytes: 3_000 * KB } });
  let go = (): void => undefined;
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });
  async function* slowly(): AsyncGenerator<string> {
    yield '{';
    await gone;
    yield `${entry(1)}}`;
  }
  const posts = ['a', 'b', 'c'].map((user) => documents.post(user, slowly(), nothing));
  const ends = Promise.allSettled(posts);
  await expect(posts[2]).rejects.toMatchObject({ status: 503, json: { error: 'overloaded' } });
  go();
  expect((await ends).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
  expect((await documents.post('c', slowly(), nothing)).head.entries).toBe(1);
});

test('what would make the kept document too long is refused, as a whole', async () => {
  const limits = { documentBytesMax: 3_000, entriesMax: 20 };
  const documents = new Documents({ storage: memoryStorage(), nowMs: () => 1, limits });
  const post = (from: number, count: number) => {
    const entries = Array.from({ length: count }, (_, n) => entry(from + n));
    return documents.post('user', piecesOf(documentOf(entries)), nothing);
  };
  await post(0, 9);
  await expect(post(9, 9)).rejects.toMatchObject({
    ...{ status: 413, json: { field: 'document', limit: 3_000 } },
  });
  await expect(post(9, 21)).rejects.toMatchObject({
    ...{ status: 413, json: { field: 'entries', limit: 20 } },
  });
  expect(Object.keys(JSON.parse(await textIn(documents, 'user')))).toHaveLength(9);
});

test('what is there twice in one document is merged, too', async () => {
  const documents = new Documents({ storage: memoryStorage(), nowMs: () => 1 });
  const [old, young] = [entry(1), entry(1).replace(':2,', ':3,')];
  await documents.post('user', piecesOf(documentOf([young, old, young])), nothing);
  expect(await textIn(documents, 'user')).toBe(documentOf([young]));
});

test('entries without a time are carried or skipped, and named', async () => {
  const documents = new Documents({ storage: memoryStorage(), nowMs: () => 1 });
  const post = (text: string) => documents.post('user', piecesOf(text), nothing);
  const named = async (text: string) => {
    const { carried, skipped } = await post(text);
    return { carried, skipped };
  };
  const good = entry(1);
  const [name = ''] = Object.keys(JSON.parse(documentOf([good])));
  expect(await named(documentOf(['"x":{}', good]))).toEqual({ carried: ['x'], skipped: [] });
  expect(await named(documentOf(['"x":{}', `"${name}":{"manifest":{}}`]))).toEqual({
    ...{ carried: ['x'], skipped: [name] },
  });
  expect(await named(documentOf(['"x":7']))).toEqual({ carried: ['x'], skipped: [] });
  expect(JSON.parse(await textIn(documents, 'user'))).toEqual(
    JSON.parse(documentOf(['"x":7', good])),
  );
  const many = Array.from({ length: 150 }, (_, n) => `"n${n}":null`);
  expect((await named(documentOf(many))).carried).toHaveLength(100);
});
