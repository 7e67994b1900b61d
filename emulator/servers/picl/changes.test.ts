import { describe, expect, test } from 'vitest';
import { PICL_VECTORS } from '../../../test/picl/fixtures.ts';
import { brokenAt, changeIdOf, changesIn, GENESIS } from './changes.ts';

const CHAIN = PICL_VECTORS.chain.map(({ payload, ...change }) => ({
  ...change,
  payload: payload?.startsWith('"x" repeated') === true ? 'x'.repeat(262_144) : payload,
}));

describe('the chain', () => {
  test('is that of the vectors', () => {
    expect(PICL_VECTORS.genesis.changeid).toBe(GENESIS);
    for (const change of CHAIN) expect(changeIdOf(change, change.prev)).toBe(change.changeid);
    expect(brokenAt(CHAIN, { first: 1, changeid: GENESIS }, false)).toBeNull();
  });

  test.each<[string, number, number | null]>([
    ['another payload', 2, 2],
    ['nothing', -1, null],
  ])('with %s at %i breaks at %s', (_, at, broken) => {
    const altered = CHAIN.map((one, index) => (index === at ? { ...one, payload: 'other' } : one));
    expect(brokenAt(altered, { first: 1, changeid: GENESIS }, false)).toBe(broken);
  });

  test('with ids of the clients’ own is one of numbers', () => {
    const own = CHAIN.map(({ prev, ...one }) => ({ ...one, changeid: `HASH${one.seqnum}` }));
    expect(brokenAt(own, { first: 1, changeid: GENESIS }, true)).toBeNull();
    expect(brokenAt(own, { first: 1, changeid: GENESIS }, false)).toBe(0);
    expect(brokenAt(own, { first: 2, changeid: GENESIS }, true)).toBe(0);
  });
});

describe('a body', () => {
  const [change] = CHAIN;
  const { key, payload, seqnum, changeid, signature } = change ?? {};
  const bare = { key, payload, seqnum, changeid, signature };

  test('is a list, an object that holds it, or one change for a key', () => {
    for (const body of [[bare], { changes: [bare] }])
      expect(changesIn(JSON.stringify(body), null)).toEqual([bare]);
    const { key: _, ...rest } = bare;
    expect(changesIn(JSON.stringify(rest), 'key1')).toEqual([bare]);
    expect(() => changesIn(JSON.stringify(bare), 'key2')).toThrow('HTTP 400');
  });
});
