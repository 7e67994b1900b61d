// Pages of a Kinto that never end: the device asks for a bounded number of them, and holds none.

import { describe, expect, test } from 'vitest';
import type { Reply, WholeReply } from '../lab.ts';
import { isWhole } from '../share.ts';
import { CHANGED, endure, FRESH, PACKED, told } from './endure.ts';

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));

const MOMENTS = [
  ['a device that has synced', CHANGED],
  ['a new device', FRESH],
  ['one that has synced packs', PACKED.changed],
  ['a new one, of packs', PACKED.fresh],
] as const;

describe.each(MOMENTS.slice(0, isWhole ? 4 : 3))('before %s, a listing', (_, moment) => {
  const NEXT: readonly [what: string, next: (page: number) => string, isEmpty: boolean][] = [
    ['the same token', () => '1', false],
    ['two tokens in turn', (page) => `${page % 2}`, false],
    ['nine tokens in turn', (page) => `${page % 9}`, false],
    ['ever new tokens, and nothing on them', String, true],
    ['tokens of 2,000 characters', (page) => `${page % 3}`.repeat(2_000), false],
  ];

  test.each(NEXT)('whose pages never end, with %s, is given up', async (_what, next, isEmpty) => {
    let pages = 0;
    let first: WholeReply | null = null;
    const lie = told('list', (reply) => {
      first ??= reply;
      const url = `https://kinto.test/v1/x?_token=${next(pages++)}`;
      const headers: Reply['headers'] = [...first.headers, ['next-page', url]];
      return { ...first, headers, ...(isEmpty && { body: json({ data: [] }) }) };
    });
    expect(await endure(lie, moment)).toMatchObject({ error: 'badResponse' });
  });

  test('of ever more records on each page is bounded in memory, and ends', async () => {
    let made = 0;
    const page = function* (): Generator<string> {
      yield '{"data":[';
      for (const end = made + 3_000; made < end; made++) {
        const id = made % 2 ? `h-${made}` : `p-${made.toString(4)}`;
        yield `{"id":"${id}","last_modified":${1_795_330_000_000 + made},"payload":"{}"},`;
      }
      yield 'null]}';
    };
    let pages = 0;
    const lie = told('list', (reply) => {
      const url = 'https://kinto.test/v1/x?_token=1';
      const next: Reply['headers'] = pages++ % 5 < 4 ? [['next-page', url]] : [];
      return { ...reply, body: page(), headers: [...reply.headers, ...next] };
    });
    const { quarantined } = await endure(lie, moment);
    expect(quarantined).toBeLessThanOrEqual(2 * 1_001);
  });
});
