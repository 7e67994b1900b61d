import { describe, expect, test } from 'vitest';
import { PICL_VECTORS } from '../../../test/picl/fixtures.ts';
import { logOf } from '../../../test/support/picl-log.ts';
import { type Change, changeidOf, GENESIS, keysOf, signatureOf } from './chain.ts';
import type { Head } from './reading.ts';
import { Walk, type WalkOptions } from './walk.ts';

const { keys, chain, attacks } = PICL_VECTORS;
const root = Buffer.from(keys.root_hex, 'hex');
const signKey = keysOf(root, keys.collection).sign;
const [one, two, three] = chain as unknown as [Change, Change, Change];

/** What a server can make of a log without the user's key. */
function reminted(changes: readonly Change[], previous = GENESIS): Change[] {
  let last = previous;
  return changes.map((change) => {
    last = changeidOf(change, last);
    return { ...change, changeid: last };
  });
}

const signedBy = (collection: string): Change[] =>
  [one, two, three].map((change) => ({
    ...change,
    signature: signatureOf(change.changeid, keysOf(root, collection).sign),
  }));

const PAGES: ReadonlyMap<string, readonly Change[]> = new Map([
  ['honest', [one, two, three]],
  ['payload swapped', [{ ...one, payload: 'payload2' }, two, three]],
  ['key swapped', [{ ...one, key: 'key2' }, two, three]],
  ['drop middle', [one, three]],
  ['drop middle and renumber', [one, { ...three, seqnum: 2 }]],
  ['reorder', [two, one, three]],
  ['delete turned into empty set', [one, two, { ...three, payload: '' }]],
  ['server recomputes ids, cannot sign', reminted([{ ...one, payload: 'x' }, two, three])],
  ['signed by another collection key', signedBy('bookmarks')],
  ['tail truncated (accepted; needs head floor)', [one, two]],
  ['replay twice', [one, two, three, one, two, three]],
]);

function verdictOf(changes: readonly Change[], options: WalkOptions = { signKey }): string {
  const walk = new Walk(options);
  for (const change of changes) {
    const violation = walk.take(change);
    if (violation !== null) return violation.reason;
  }
  return `ok ${walk.head?.seqnum}-${walk.head?.changeid}`;
}

test.each(attacks)('of the vectors: $name', ({ name, verdict }) => {
  expect(PAGES.has(name)).toBe(true);
  expect(verdictOf(PAGES.get(name) ?? [])).toBe(verdict);
});

describe('a walk', () => {
  const head = { seqnum: 3, changeid: three.changeid };

  test('tells which change it is, and stays where it was', () => {
    const walk = new Walk({ signKey });
    expect(walk.take(one)).toBeNull();
    expect(walk.take(three)).toEqual({ index: 1, seqnum: 3, reason: 'gap' });
    expect([walk.head, walk.count]).toEqual([{ seqnum: 1, changeid: one.changeid }, 1]);
  });

  test('may begin with the number 0, and with no later one', () => {
    const numbered = (seqnum: number) => {
      const change = { ...one, seqnum };
      const changeid = changeidOf(change, GENESIS);
      return { ...change, changeid, signature: signatureOf(changeid, signKey) };
    };
    expect(verdictOf([numbered(0)])).toMatch(/^ok 0-/);
    expect(verdictOf([numbered(2)])).toBe('gap');
    expect(verdictOf([one, numbered(0)])).toBe('fork');
  });

  test('begins anywhere in what was compacted, with a signature', () => {
    const options = { signKey, from: 'anywhere' } as const;
    expect(verdictOf([two, three], options)).toMatch(/^ok 3-/);
    expect(verdictOf([{ ...two, signature: one.signature }], options)).toBe('bad-signature');
    expect(verdictOf([two, one], options)).toBe('replay-or-duplicate');
  });

  test('goes on from a head, and from no other', () => {
    const from = { seqnum: 2, changeid: two.changeid };
    expect(verdictOf([three], { signKey, from })).toMatch(/^ok 3-/);
    expect(verdictOf([three], { signKey, from: { ...from, changeid: 'x' } })).toBe('bad-changeid');
  });

  test('sees another change under a number that it has passed', () => {
    const other = reminted([one, { ...two, payload: 'x' }]);
    expect(verdictOf([one, two, ...other.slice(1)])).toBe('fork');
  });

  test('without the key looks at the chain alone', () => {
    const unsigned = reminted([{ ...one, payload: 'x' }]);
    expect(verdictOf(unsigned, { signKey: null })).toMatch(/^ok 1-/);
  });

  test('of made-up ids looks at numbers', () => {
    const options = { signKey: null, isOpaque: true };
    const made = (seqnum: number) => ({ ...one, seqnum, changeid: `HASH${seqnum}` });
    expect(verdictOf([made(1), made(2)], options)).toBe('ok 2-HASH2');
    expect(verdictOf([made(1), made(3)], options)).toBe('gap');
  });

  test.each([
    ['where the server says', head, null],
    ['before that', { seqnum: 4, changeid: 'x' }, 'truncated'],
    ['at another change', { seqnum: 3, changeid: 'x' }, 'fork'],
    ['at another change earlier', { seqnum: 2, changeid: 'x' }, 'fork'],
    ['behind that', { seqnum: 2, changeid: two.changeid }, 'rolled-back'],
  ])('ends %s', (_, said, reason) => {
    const walk = new Walk({ signKey });
    for (const change of [one, two, three]) walk.take(change);
    expect(walk.endsAt(said)?.reason ?? null).toBe(reason);
  });

  test.each([
    ['on it', { seqnum: 2, changeid: two.changeid }, null],
    ['beside it', { seqnum: 2, changeid: 'x' }, 'fork'],
    ['behind its end', { seqnum: 4, changeid: 'x' }, 'rolled-back'],
  ])('knows an earlier head %s', (_, earlier, reason) => {
    const walk = new Walk({ signKey, earlier });
    for (const change of [one, two, three]) walk.take(change);
    expect(walk.knowsEarlier()).toEqual(reason && expect.objectContaining({ reason }));
  });

  test('knows an earlier head however far back it is', () => {
    const log = logOf(
      'things',
      Array.from({ length: 1_200 }, (_, at) => [`k${at}`, 'x'] as const),
    );
    const found = (earlier: Head, from?: 'anywhere') => {
      const walk = new Walk({ signKey: null, earlier, ...(from && { from }) });
      for (const change of from ? log.slice(5) : log) expect(walk.take(change)).toBeNull();
      return walk.knowsEarlier();
    };
    const { seqnum, changeid } = log[1] as Head;
    expect(found({ seqnum, changeid })).toBeNull();
    expect(found({ seqnum, changeid: 'x' })).toMatchObject({ reason: 'fork', seqnum });
    expect(found({ seqnum, changeid }, 'anywhere')).toBe('unknown');
    expect(found({ seqnum: 0, changeid: GENESIS })).toBeNull();
  });

  test('knows what lives: key, number, id, signature and payload', () => {
    const walk = new Walk({ signKey });
    for (const change of [one, two, three]) walk.take(change);
    const live = { ...one, payload: one.payload ?? '' };
    expect([...walk.live.keys()]).toEqual(['key1']);
    expect(walk.holds(live)).toBeNull();
    for (const other of [
      { key: 'key2' },
      { seqnum: 2 },
      { changeid: two.changeid },
      { signature: two.signature },
      { payload: 'x' },
    ])
      expect(walk.holds({ ...live, ...other })?.reason).toBe('stale-record');
  });
});
