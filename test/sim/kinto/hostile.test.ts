// A Kinto that lies in front of the honest one, a kind of lie at a time: whatever an answer is made
// of. The device reads a bounded amount, asks a bounded number of times and nobody else, keeps
// everything that it has, and is well again as soon as the server is.

import { describe, expect, test } from 'vitest';
import type { Reply, WholeReply } from '../lab.ts';
import { every } from '../share.ts';
import { CHANGED, endure, FRESH, KINDS, kindOf, type Lie, momentOf, told } from './endure.ts';

const MIB = 1024 * 1024;
const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const textOf = ({ body }: WholeReply): string => Buffer.from(body).toString();

/** `chars` characters, made when they are read. */
function* virtual(head: string, piece: string, chars: number): Generator<string> {
  yield head;
  for (let made = 0; made < chars; made += piece.length) yield piece;
}

test.each([
  ['a device that has synced', CHANGED],
  ['a new device', FRESH],
])('the honest server, for comparison, before %s', async (_, moment) => {
  const outcome = await endure(() => null, moment);
  expect(outcome).toMatchObject({ error: null, pending: 0, quarantined: 0 });
  expect(new Set(outcome.requests.map(kindOf)).size).toBeGreaterThan(2);
});

describe.each(KINDS)('an answer to %s', (kind) => {
  test('is heard', async () => {
    const { requests } = await endure(
      told(kind, (reply) => reply),
      momentOf(kind),
    );
    expect(requests.map(kindOf)).toContain(kind);
  });

  const SIZES: readonly [what: string, body: () => Iterable<string>][] = [
    ['a record of 1 GiB', () => virtual('{"data":[{"id":"h-a","payload":"', PIECE, 1024 * MIB)],
    ['1 GiB of nothing', () => virtual('', ' '.repeat(16_384), 1024 * MIB)],
    ['1 GiB before the list', () => virtual('{"x":"', PIECE, 1024 * MIB)],
    ['a million brackets', () => virtual('{"data":[', '['.repeat(10_000), 1_000_000)],
    ['a million braces', () => virtual('{"data":[', '{"a":'.repeat(2_000), 5_000_000)],
    ['a million answers', () => virtual('{"responses":[', '{"status":200},'.repeat(999), 15e6)],
    ['a million members', () => virtual('{"settings":{', '"a":1,'.repeat(999), 6e6)],
  ];

  test.each(SIZES.filter((_, at) => at % every(3) === 0))('of %s is given up', async (_, body) => {
    const lie = told(kind, (reply) => ({ ...reply, body: body() }));
    const { charsRead } = await endure(lie, momentOf(kind));
    expect(charsRead).toBeLessThan(11 * MIB);
  });

  test('that is no JSON, or another one, loses nothing', async () => {
    const changes: ((text: string) => string)[] = [
      ...['', 'null', '[]', '{}', '0', '""', '{"data":null}', '{"data":[null]}', '{"data":{}}'].map(
        (text) => () => text,
      ),
      () => '{"responses":[]}',
      () => '{"responses":{"length":2}}',
      () => '<!DOCTYPE html><html><body>Please accept our terms</body></html>',
      (text) => text.slice(0, -1),
      (text) => `${text}${text}`,
      (text) => `\ufeff${text}`,
      (text) => text.replace(/"id":"/g, '"id":"x","id":"'),
      (text) => text.replace(/"payload":/g, '"payload":"{}","payload":'),
      (text) => text.replace(/"payload":/g, '"payload_":'),
      (text) => text.replace(/"status":/g, '"__proto__":'),
      (text) => text.replace(/"data":/g, '"__proto__":{"data":[]},"data":'),
      (text) => text.replace(/"data":/g, '"constructor":{"prototype":1},"data":'),
      (text) => text.replace(/"last_modified":\d+/g, '"last_modified":null'),
      (text) => text.replace(/h-/g, 'h-\ud800'),
    ];
    for (let at = 0; at < changes.length; at += every(5)) {
      const change = changes[at] ?? String;
      const lie = told(kind, (reply) => ({ ...reply, body: Buffer.from(change(textOf(reply))) }));
      await endure(lie, momentOf(kind));
    }
  });

  test('that is no UTF-8 loses nothing', async () => {
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80]]) {
      const lie = told(kind, (reply) => {
        const at = Math.floor(reply.body.length / 2);
        const parts = [reply.body.subarray(0, at), Buffer.from(bytes), reply.body.subarray(at)];
        return { ...reply, body: Buffer.concat(parts) };
      });
      await endure(lie, momentOf(kind));
    }
  });

  test('of any status, done or not, loses nothing', async () => {
    for (let status = 100; status < 600; status += every(149)) {
      const isDone = (status / every(149)) % 2 < 1;
      const lie: Lie = async (ask, request) => {
        if (kindOf(request) !== kind) return null;
        return isDone ? { ...(await ask()), status } : { status, headers: [], body: json({}) };
      };
      await endure(lie, momentOf(kind));
    }
  });

  test('of 304, for ever, loses nothing', async () => {
    const lie = told(kind, ({ headers }) => ({ status: 304, headers, body: new Uint8Array() }));
    const { error } = await endure(lie, momentOf(kind));
    expect(error).not.toBe(null);
  });

  test('that sends it elsewhere is not followed', async () => {
    for (const status of [301, 302, 303, 307, 308]) {
      const headers: Reply['headers'] = [['location', 'https://elsewhere.test/v1/']];
      const lie = told(kind, () => ({ status, headers, body: json({}) }));
      const { requests } = await endure(lie, momentOf(kind));
      expect(requests.filter(({ url }) => !url.startsWith('https://kinto.test/v1/'))).toEqual([]);
    }
  });

  test.each(['etag', 'date', 'last-modified', 'backoff', 'retry-after', 'alert', 'content-type'])(
    'with a wrong header %s loses nothing',
    async (name) => {
      for (let at = 0; at < HEADERS.length; at += every(17)) {
        const value = HEADERS[at] ?? '';
        const lie = told(kind, (reply) => ({
          ...reply,
          headers: [[name, value], ...reply.headers.filter(([other]) => other !== name)],
        }));
        await endure(lie, momentOf(kind));
      }
    },
  );
});

const PIECE = 'A'.repeat(16_384);
const HEADERS = [
  ...['', '0', '-1', '1', 'NaN', '1e308', '*', 'W/"5"', '"0"', '"1000"', '"-5"', '"x"', '"1.5"'],
  ...['"999999999999999"', '"9007199254740993"', '"4102444800000"', '"32503680000001"'],
  ...['Thu, 01 Jan 1970 00:00:00 GMT', 'Fri, 01 Jan 2100 00:00:00 GMT', 'x'.repeat(100_000)],
  ...['Fri, 31 Dec 2999 23:59:59 GMT', 'never', '31536000', '{"code":"hard-eol"}'],
];
