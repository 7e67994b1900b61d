// What every OWA server makes of the documents that it is sent: those of several clients, those
// that are too much, and those that are none. A part of the suite in owa-server.ts.

import { expect, test } from 'vitest';
import { OWA_LIMITS } from '../../emulator/servers/owa/limits.ts';
import {
  askVerify,
  type OwaUser,
  type OwaWorld,
  signIn,
} from '../../emulator/servers/owa/testing.ts';
import { app, begin, filled, type StartOwa, timesOf, tombstone } from './owa-asking.ts';

const A = 'https://a.example';

export function owaDocuments(start: StartOwa): void {
  merging(start);
  purging(start);
  limits(start);
  strangers(start);
}

function merging(start: StartOwa): void {
  test('of two clients that post at once no entry is lost', async () => {
    const { world } = await begin(start);
    const users = await Promise.all([0, 1, 2, 3].map(() => signIn(world)));
    const name = (client: number, n: number) => `https://c${client}-${n}.example`;
    const post = async (user: OwaUser, client: number): Promise<void> => {
      for (let n = 0; n < 5; n++)
        await user.post({ [name(client, n)]: app(n + 1), [A]: app(10 * n + client + 1) });
    };
    await Promise.all(users.map(post));
    const document = await users[0]?.document();
    expect(Object.keys(document ?? {})).toHaveLength(21);
    expect(document?.[A]).toEqual(app(44));
  });

  test('the order in which documents arrive does not count', async () => {
    const documents = [
      { [A]: app(5, { install_data: ['r1'] }) },
      { [A]: app(5, { manifest: { name: 'Other' }, install_data: { receipts: ['r2'] } }) },
      { [A]: tombstone(4) },
      { [A]: app(3, { install_data: ['r3'] }) },
    ];
    const ends: unknown[] = [];
    for (const order of [documents, documents.toReversed()]) {
      const { user } = await begin(start);
      for (const document of order) await user.post(document);
      ends.push(await user.document());
    }
    expect(ends[0]).toMatchObject({ [A]: { last_modified: 5 } });
    const receiptsOf = (end: unknown) =>
      JSON.stringify(end)
        .match(/r[12]"/g)
        ?.sort();
    expect(ends.map(receiptsOf)).toEqual([
      ['r1"', 'r2"'],
      ['r1"', 'r2"'],
    ]);
  });

  test('an entry is kept as it was written', async () => {
    const entry = '{"last_modified": 1316560000.2570, "manifest": {"n": 12345678901234567890}}';
    const text = `{"${A}": ${entry}}`;
    const { user } = await begin(start);
    await user.ask('POST', text);
    expect((await user.ask('GET')).text).toBe(`{"${A}":${entry}}`);
  });

  test('an entry without a time is carried, not refused, and is named', async () => {
    const { user } = await begin(start);
    const answer = await user.ask('POST', { [A]: app(1), bad: { manifest: {} } });
    expect([answer.status, answer.json]).toEqual([200, { carried: ['bad'], skipped: [] }]);
    expect(timesOf(answer).modified).toBe(timesOf(await user.ask('GET')).modified);
    expect(await user.document()).toEqual({ [A]: app(1), bad: { manifest: {} } });
    const again = await user.ask('POST', { [A]: { manifest: {} } });
    expect(again.json).toEqual({ carried: [], skipped: [A] });
    expect((await user.document())[A]).toEqual(app(1));
  });

  test('names that objects of JavaScript have are names like any other', async () => {
    const names = ['__proto__', 'constructor', 'toString', '', '\u0000', '\ud83d', '0', 'a"b\\'];
    const text = `{${names.map((name) => `${JSON.stringify(name)}:{"last_modified":1}`).join()}}`;
    const { user } = await begin(start);
    expect((await user.ask('POST', text)).status).toBe(204);
    const members = new Map(Object.entries(JSON.parse((await user.ask('GET')).text)));
    expect([...members.keys()].sort()).toEqual([...names].sort());
  });

  test('two accounts do not see each other’s documents', async () => {
    const one = await filled(start, { [A]: app(1) });
    const two = await begin(start);
    expect(await two.user.document()).toEqual({});
    expect((await two.user.ask('GET', undefined, { Authorization: one.user.auth })).status).toBe(
      401,
    );
  });
}

function purging(start: StartOwa): void {
  const YEAR_S = 365 * 86_400;
  const name = (n: number) => `https://gone${n}.example`;
  const graves = (from: number, to: number, seconds: number) =>
    Object.fromEntries(
      Array.from({ length: to - from }, (_, n) => [name(from + n), tombstone(seconds + n)]),
    );
  const nowIn = (world: OwaWorld) => world.clock.nowMs / 1_000;

  test('O61: without being told to a server forgets no deletion', async () => {
    const { world, user } = await begin(start);
    const document = graves(0, 50, nowIn(world) - 3 * YEAR_S);
    await user.post(document);
    await user.post({ [A]: app(1) });
    expect(await user.document()).toEqual({ ...document, [A]: app(1) });
  });

  test('O61: of more deletions than a server keeps the oldest go, none within a year', async () => {
    const { world, user } = await begin(start, { tombstonesMax: 40 });
    const nowS = Math.floor(nowIn(world));
    const odd = { 'file:///x': tombstone(1), [name(99)]: { deleted: true } };
    const young = graves(50, 85, nowS - YEAR_S + 3_600);
    await user.post({ ...graves(0, 50, nowS - 2 * YEAR_S), ...young, [A]: app(1), ...odd });
    const left = { ...graves(45, 50, nowS - 2 * YEAR_S + 45), ...young, [A]: app(1), ...odd };
    expect(await user.document()).toEqual(left);
    // Those above the number that are too young stay, until they are not.
    await user.post(graves(85, 95, nowS - YEAR_S + 7_200));
    expect(Object.keys(await user.document())).toHaveLength(35 + 10 + 3);
    world.clock.nowMs += 2 * 3_600_000;
    await user.post({ [A]: app(2) });
    expect(Object.keys(await user.document())).toHaveLength(40 + 3);
  });

  test('a deletion that is too old to be kept changes nothing when it comes again', async () => {
    const { world, user } = await begin(start, { tombstonesMax: 1 });
    const old = { [name(0)]: tombstone(1), [name(1)]: tombstone(2), [A]: app(3) };
    await user.post(old);
    const before = timesOf(await user.ask('GET')).modified;
    world.clock.nowMs += 60_000;
    expect(timesOf(await user.ask('POST', old)).modified).toBe(before);
    expect(await user.document()).toEqual({ [name(1)]: tombstone(2), [A]: app(3) });
  });
}

/** A body that comes in pieces and does not say how long it is. */
function inPieces(
  world: OwaWorld,
  user: OwaUser,
  pieces: Iterable<Uint8Array>,
): Promise<{ status: number; json: unknown }> {
  const iterator = pieces[Symbol.iterator]();
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const { done, value } = iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
  const init = { method: 'POST', headers: { Authorization: user.auth }, body, duplex: 'half' };
  return world
    .fetch(new Request(user.resource, init as RequestInit))
    .then(async (response) => ({ status: response.status, json: await response.json() }));
}

function* repeated(piece: Uint8Array, bytes: number): Generator<Uint8Array> {
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece;
}

function limits(start: StartOwa): void {
  test('a document of 33 MB is refused, whether it says so before or not', async () => {
    const { world, user } = await filled(start, { [A]: app(1) });
    const { documentBytesMax: limit } = OWA_LIMITS;
    const refused = { error: 'too-large', field: 'document', limit };
    const blanks = Buffer.alloc(65_536, ' ');
    const streamed = await inPieces(world, user, repeated(blanks, 33 * 1024 * 1024));
    expect(streamed).toEqual({ status: 413, json: refused });
    const announced = await user.ask('POST', ' '.repeat(limit + 1));
    expect([announced.status, announced.json]).toEqual([413, refused]);
    expect(await user.document()).toEqual({ [A]: app(1) });
  });

  test('an entry of 65 KB is refused by its name, one of 64 is taken', async () => {
    const { user } = await begin(start);
    const sized = (bytes: number) => {
      const bare = JSON.stringify(app(1, { x: '' })).length;
      return { [A]: app(1, { x: 'x'.repeat(bytes - bare) }) };
    };
    const { entryBytesMax: limit } = OWA_LIMITS;
    const answer = await user.ask('POST', { b: {}, ...sized(limit + 1) });
    const refused = { error: 'too-large', field: 'entry', limit, name: A };
    expect([answer.status, answer.json]).toEqual([413, refused]);
    expect(await user.document()).toEqual({});
    await user.post(sized(limit));
    expect(await user.document()).toEqual(sized(limit));
  });

  test('a name that is too long, too many entries and nesting are refused', async () => {
    const { user } = await begin(start, { limits: { entriesMax: 3 } });
    const four = Object.fromEntries([1, 2, 3, 4].map((n) => [`n${n}`, app(n)]));
    const deep = `{"a":${'['.repeat(1e6)}${']'.repeat(1e6)}}`;
    for (const [body, status, json] of [
      [{ ['n'.repeat(2_049)]: {} }, 413, { error: 'too-large', field: 'name', limit: 2_048 }],
      [four, 413, { error: 'too-large', field: 'entries', limit: 3 }],
      [deep, 400, { error: 'too-deep', field: 'nesting', limit: 64 }],
      [deep.replaceAll('[', '{"a":'), 400, { error: 'too-deep', field: 'nesting', limit: 64 }],
    ] as const) {
      const answer = await user.ask('POST', body);
      expect([answer.status, answer.json]).toEqual([status, json]);
    }
    expect((await user.ask('POST', { n1: app(1), n2: app(2) })).status).toBe(204);
    const more = await user.ask('POST', { n3: app(3), n4: app(4) });
    expect([more.status, more.json]).toMatchObject([413, { field: 'entries', limit: 3 }]);
    expect(Object.keys(await user.document())).toHaveLength(2);
  });

  test('what is left of one’s room is not enough for another: 503, and later it is', async () => {
    const { world, user } = await begin(start, { limits: { roomBytes: 1_500_000 } });
    const document = (n: number) => ({
      [`https://a${n}.example`]: app(1, { x: 'x'.repeat(1_000) }),
    });
    let end = (): void => undefined;
    const held = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(Buffer.from(`${JSON.stringify(document(1)).slice(0, -1)},`));
        end = () => {
          controller.enqueue(Buffer.from('"b":{"last_modified":1}}'));
          controller.close();
        };
      },
    });
    const init = { method: 'POST', headers: { Authorization: user.auth }, duplex: 'half' };
    const first = world.fetch(new Request(user.resource, { ...init, body: held } as RequestInit));
    // As soon as the first one has begun there is no room for this one.
    const busy = (n: number) => user.ask('POST', document(n));
    let answer = await busy(2);
    for (let n = 3; answer.status === 204; n++) answer = await busy(n);
    expect([answer.status, answer.json]).toEqual([503, { error: 'overloaded' }]);
    expect([answer.headers.get('x-backoff'), answer.headers.get('retry-after')]).toEqual([
      '60',
      '60',
    ]);
    end();
    expect((await first).status).toBe(204);
    expect((await busy(2)).status).toBe(204);
    expect(Object.keys(await user.document())).toEqual(expect.arrayContaining(['b']));
  });
}

function strangers(start: StartOwa): void {
  test.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'bad-json'],
    ['a list', '[]', 'not-an-object'],
    ['a text', '"{}"', 'not-an-object'],
    ['null', 'null', 'not-an-object'],
    ['half of a document', `{"${A}":{"last_modified":1}`, 'bad-json'],
    ['two documents', '{}{}', 'bad-json'],
    ['a bad entry behind a good one', `{"${A}":{"last_modified":1},"b":{x}}`, 'bad-json'],
    ['bytes that are no UTF-8', Buffer.from('{"\xff":{}}', 'latin1'), 'bad-json'],
    ['half a character at the end', Buffer.from('{"a":1}\xc3', 'latin1'), 'bad-json'],
  ])('%s is 400, and changes nothing', async (_, body, error) => {
    const { world, user } = await filled(start, { [A]: app(5) });
    const { modified } = timesOf(await user.ask('GET'));
    const answer = await inPieces(world, user, [Buffer.from(body)]);
    expect(answer).toMatchObject({ status: 400, json: { error } });
    expect(timesOf(await user.ask('GET')).modified).toBe(modified);
    expect(await user.document()).toEqual({ [A]: app(5) });
  });

  test('a client that goes away in the middle of a document has posted nothing', async () => {
    const { world, user } = await filled(start, { [A]: app(5) });
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from(`{"${A}":{"last_modified":9},`)),
    });
    const gone = new AbortController();
    const init = { method: 'POST', headers: { Authorization: user.auth }, body, duplex: 'half' };
    const request = new Request(user.resource, { ...init, signal: gone.signal } as RequestInit);
    const post = world.fetch(request);
    const answered = expect(post).rejects.toThrow();
    await user.document();
    gone.abort();
    await answered;
    expect(await user.document()).toEqual({ [A]: app(5) });
    expect((await askVerify(world)).status).toBe(200);
  });
}
