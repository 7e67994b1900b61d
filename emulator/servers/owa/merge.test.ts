// The table of merges, as far as a server has rows of it: what a document does not have is unknown,
// and what a device holds is that device's affair.

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isObject } from '../http.ts';
import { digestOf, entryOf } from './entry.ts';
import { merged } from './merge.ts';
import { receiptsOf } from './receipts.ts';

const NAME = 'https://a.example';
const VECTORS = new URL('../../../test/fixtures/owa/vectors.json', import.meta.url);

function merge(held: object, posted: object, name = NAME, bytesMax = 65_536): unknown {
  const [one, other] = [held, posted].map((value) => entryOf(name, JSON.stringify(value)));
  if (one === undefined || other === undefined) throw new Error();
  return JSON.parse(merged(one, other, bytesMax));
}

const live = (last_modified: unknown, more: object = {}) => ({
  ...{ last_modified, manifest_url: 'https://a.example/m' },
  ...more,
});
const dead = (last_modified: unknown) => ({ last_modified, deleted: true });

describe('of two entries', () => {
  test.each<[string, object, object, object]>([
    ['row 5: the newer app', live(1, { x: 1 }), live(2), live(2)],
    ['row 6: the newer app, though it was there', live(2), live(1, { x: 1 }), live(2)],
    ['row 9: the newer deletion', live(1), dead(2), dead(2)],
    ['row 10: a deletion of the same time', live(2), dead(2), dead(2)],
    ['row 11: an app that is newer than its deletion', live(3), dead(2), live(3)],
    ['row 13: an app that was installed again', dead(1), live(2), live(2)],
    ['row 14: a deletion of the same time, though it was there', dead(2), live(2), dead(2)],
    ['row 15: a newer deletion', dead(3), live(2), dead(3)],
    ['row 16: the newer of two deletions', dead(1), dead(2), dead(2)],
    ['row 17: what is an app', live(1), live(9, { manifest: 'x' }), live(1)],
    ['row 17: what is an app, whenever it came', live(9, { deleted: 1 }), live(1), live(1)],
    ['a stamp in milliseconds', live(1.5e12), live(1.6e9), live(1.6e9)],
    ['a stamp that is a text', live('2.5'), live(2), live('2.5')],
  ])('%s stays', (_, held, posted, stays) => {
    expect(merge(held, posted)).toEqual(stays);
  });

  test('row 8: at the same time the larger digest', () => {
    const { tie } = JSON.parse(readFileSync(VECTORS, 'utf8'));
    const digests = [tie.a, tie.b].map((one) => digestOf(entryOf(NAME, JSON.stringify(one))));
    expect(digests).toEqual([tie.digest_a, tie.digest_b]);
    expect([merge(tie.a, tie.b), merge(tie.b, tie.a)]).toEqual([tie.a, tie.a]);
  });

  test('both receipts stay in the winner, without a new time', () => {
    const older = live(1, { install_data: ['a', 'c'] });
    const newer = live(2, { install_data: { receipt: 'b', x: 1 } });
    const both = live(2, { install_data: { receipts: ['b', 'a', 'c'], x: 1 } });
    expect([merge(older, newer), merge(newer, older)]).toEqual([both, both]);
    expect(merge(older, live(2))).toEqual(live(2, { install_data: { receipts: ['a', 'c'] } }));
    expect(merge(older, dead(2))).toEqual(dead(2));
  });

  test('the winner’s text stays, but for its receipts', () => {
    const held = `{ "last_modified" : 2.50, "manifest":{"n":12345678901234567890}, "\\u0061": 1 }`;
    const [one, other] = [entryOf(NAME, held), entryOf(NAME, JSON.stringify(live(1)))];
    expect(merged(one, other, 1e3)).toBe(held);
    const more = entryOf(NAME, JSON.stringify(live(1, { install_data: ['r'] })));
    expect(merged(one, more, 1e3)).toBe(
      '{"last_modified":2.50,"manifest":{"n":12345678901234567890},"a":1,' +
        '"install_data":{"receipts":["r"]}}',
    );
    expect(merged(one, more, 90)).toBe(held);
  });

  test('of what is carried along the newer one stays, or what comes', () => {
    expect(merge({ last_modified: 2 }, { last_modified: 1 })).toEqual({ last_modified: 2 });
    expect(merge({ last_modified: 1 }, { last_modified: 2 })).toEqual({ last_modified: 2 });
    expect(merge({ x: 1 }, { x: 2 })).toEqual({ x: 2 });
  });
});

const RECEIPTS = fc.subarray(['a', 'b', 'c']);
const DATA = fc.oneof(
  RECEIPTS,
  RECEIPTS.map((receipts) => ({ receipts })),
  RECEIPTS.map((receipts) => ({ receipts, x: 1 })),
  fc.constant({ receipt: 'a' }),
  fc.constant({}),
);
const ENTRY = fc.record(
  {
    last_modified: fc.integer({ min: 1, max: 3 }),
    manifest_url: fc.constant('u'),
    deleted: fc.boolean(),
    install_data: DATA,
    x: fc.boolean(),
  },
  { requiredKeys: ['last_modified', 'manifest_url'] },
);

/** All that devices and servers take for the content of an entry. */
function contentOf(value: unknown): unknown {
  const entry = entryOf(NAME, JSON.stringify(value));
  const data = isObject(value) ? receiptsOf(value.install_data) : null;
  return [digestOf(entry), entry.isDeleted ? null : [...new Set(data?.list)].sort()];
}

test('a merge is the same the other way round, and again', () => {
  const isSame = fc.property(ENTRY, ENTRY, (one, other) => {
    const [result, reverse] = [merge(one, other), merge(other, one)];
    expect(contentOf(result)).toEqual(contentOf(reverse));
    expect(merge(result as object, other)).toEqual(result);
    expect(merge(result as object, one)).toEqual(result);
  });
  fc.assert(isSame);
});

/** A deletion throws receipts away, so that what comes behind it depends on when. */
const LIVE = ENTRY.map(({ deleted: _, ...entry }) => entry);

test('a merge is the same in any order', () => {
  const isSame = fc.property(LIVE, LIVE, LIVE, (one, two, three) => {
    const left = merge(merge(one, two) as object, three);
    const right = merge(one, merge(two, three) as object);
    expect(contentOf(left)).toEqual(contentOf(right));
  });
  fc.assert(isSame);
});
