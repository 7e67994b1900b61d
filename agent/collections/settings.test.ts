import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inTheEnd, mergeOf } from '../../test/support/merging.ts';
import { PROTOCOLS, sameUser } from '../../test/support/same-user.ts';
import type { Body, MergeDecision } from './collection.ts';
import { settings } from './settings.ts';

const NOW_MS = 1_795_323_276_914;
const ID = 'abcdefghijkl';
const setting = (value: unknown, more: Body = {}): Body => ({ id: ID, name: 'ui', value, ...more });

const merge = mergeOf(settings);
const valueLeft = (decision: MergeDecision, theirs: Body): unknown =>
  inTheEnd(decision, theirs).value;

describe('a merge of a setting', () => {
  test('takes each member of an object from the side that changed it', () => {
    const base = setting({ size: 1, color: { back: 'a', front: 'b' }, old: 1 });
    const mine = setting({ size: 2, color: { back: 'a', front: 'c' }, old: 1 });
    const theirs = setting({ size: 1, color: { back: 'd', front: 'b' }, new: [1] });
    expect(valueLeft(merge(mine, base, theirs), theirs)).toEqual({
      size: 2,
      color: { back: 'd', front: 'c' },
      new: [1],
    });
  });

  test.each([
    ['a text', 'x', 'y'],
    ['a list', [1], [2]],
    ['an object against none', { a: 1 }, 7],
    ['nothing against something', null, { a: 1 }],
    ['a member of an object', { a: 1 }, { a: 2 }],
  ])('keeps the later change of what both changed: %s', (_, mine, theirs) => {
    const base = setting('before');
    const [ours, others] = [setting(mine), setting(theirs)];
    expect(valueLeft(merge(ours, base, others, 1), others)).toEqual(mine);
    expect(valueLeft(merge(ours, base, others, 0), others)).toEqual(theirs);
  });

  test('forgets a member that one side has taken out, unless the other changed it later', () => {
    const base = setting({ a: 1, b: 1 });
    expect(valueLeft(merge(setting({ b: 1 }), base, setting({ a: 1, b: 2 })), base)).toEqual({
      b: 2,
    });
    const theirs = setting({ a: 2, b: 1 });
    expect(valueLeft(merge(setting({ b: 1 }), base, theirs, 1), theirs)).toEqual({ b: 1 });
    expect(valueLeft(merge(setting({ b: 1 }), base, theirs, -1), theirs)).toEqual({ a: 2, b: 1 });
  });

  test('goes by the later one where it was taken back, and by the one that is news', () => {
    const [base, changed] = [setting(1), setting(2)];
    expect(merge(changed, base, null, 1)).toEqual({ mirror: null, local: 'keep' });
    expect(merge(changed, base, null, -1)).toEqual({ mirror: null, local: 'none' });
    expect(merge(null, base, changed, -1)).toEqual({ mirror: 'asIs', local: 'none' });
    expect(merge(null, base, base, -1)).toEqual({ mirror: 'asIs', local: 'keep' });
  });

  test('has nothing to send where the server says it already', () => {
    const both = setting({ a: { b: 1 } });
    expect(merge(both, setting(1), { ...both }, 1).local).toBe('none');
  });

  test('of any three versions is one of them, member by member, and never throws', () => {
    const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)));
    fc.assert(
      fc.property(json, json, json, fc.constantFrom(1, -1), (mine, base, theirs, younger) => {
        const others = setting(theirs);
        const value = valueLeft(merge(setting(mine), setting(base), others, younger), others);
        const text = JSON.stringify(value);
        for (const part of text.match(/"(?:[^"\\]|\\.)*"|-?\d[\d.e+-]*|true|false|null/g) ?? []) {
          expect(JSON.stringify([mine, base, theirs])).toContain(part);
        }
        if (JSON.stringify(mine) === JSON.stringify(base)) expect(value).toEqual(theirs);
        if (JSON.stringify(theirs) === JSON.stringify(base)) expect(value).toEqual(mine);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  test('takes what lies deeper than eight objects as one value', () => {
    const deep = (leaf: object, depth: number): unknown =>
      JSON.parse(`${'{"a":'.repeat(depth)}${JSON.stringify(leaf)}${'}'.repeat(depth)}`);
    const merged = (depth: number): string => {
      const [base, others] = [setting(deep({}, depth)), setting(deep({ theirs: 1 }, depth))];
      const mine = setting(deep({ mine: 1 }, depth));
      return JSON.stringify(valueLeft(merge(mine, base, others, 1), others));
    };
    expect(merged(7)).toContain('{"theirs":1,"mine":1}');
    expect(merged(8)).toContain('{"mine":1}');
    expect(merged(500)).toContain('{"mine":1}');
  });
});

describe('a local edit of a setting', () => {
  const refused = (input: Body, existing: Body | null = null): unknown => {
    const result = settings.prepare(input, existing, ID, NOW_MS);
    return result.ok ? result.body : result.complaint;
  };

  test.each<[Body, string]>([
    [{ value: 1 }, 'name: not a text'],
    [{ name: '', value: 1 }, 'name: not a text'],
    [{ name: 'a' }, 'value: there is none'],
    [{ name: 'a', value: 1, app: 7 }, 'app: not a text'],
    [{ name: 'a', value: 1, app: 'a b' }, 'app: it has spaces'],
    [{ name: 'x'.repeat(257), value: 1 }, 'name: 257 characters, it may have 256'],
    [{ name: 'a', value: 1, app: 'x'.repeat(257) }, 'app: 257 characters, it may have 256'],
    [
      { name: 'a', value: 'é'.repeat(4_095) },
      'value: 8193 bytes with its name, a setting may have 8192',
    ],
  ])('is refused with the member and the limit: %#', (input, complaint) => {
    expect(refused(input)).toBe(complaint);
  });

  test('is judged by what it changes, and never makes another setting of it', () => {
    const odd = setting('x'.repeat(10_000), { name: 'n'.repeat(300) });
    expect(refused({ later: 1 }, odd)).toMatch('name: 300 characters');
    const long = setting('x'.repeat(10_000));
    expect(refused({ later: 1 }, long)).toEqual({ ...long, later: 1 });
    expect(refused({ value: 'x'.repeat(9_000) }, long)).toEqual(setting('x'.repeat(9_000)));
    expect(refused({ name: 'other' }, long)).toBe('name: it is not that of this setting');
  });
});

describe.each(PROTOCOLS)('two devices over %s', (protocol) => {
  test('that set the same name apart have one setting, and tell apps’ settings apart', async () => {
    const user = sameUser(protocol, { collections: [settings] });
    const [a, b] = [await user.signedIn(), await user.signedIn()];
    await a.agent.put('settings', { name: 'ui', value: { size: 1 } });
    await b.agent.put('settings', { name: 'ui', value: { dark: true } });
    await b.agent.put('settings', { app: 'https://a.example', name: 'ui', value: 'its own' });
    await user.sync(a, b, a);
    for (const { agent } of [a, b]) {
      const { records } = await agent.list('settings', { limit: 10 });
      expect(records.map(({ app, name, value }) => [app, name, value])).toEqual([
        ['https://a.example', 'ui', 'its own'],
        [undefined, 'ui', { size: 1, dark: true }],
      ]);
      const { records: own } = await agent.list('settings', {
        prefix: 'https://a.example ',
        limit: 10,
      });
      expect(own).toHaveLength(1);
    }
    await a.agent.put('settings', { name: 'ui', value: { size: 2, dark: true } });
    await b.agent.put('settings', { name: 'ui', value: { size: 1, dark: false } });
    await user.sync(a, b, a);
    const { records } = await a.agent.list('settings', { prefix: 'ui', limit: 10 });
    expect(records).toMatchObject([{ value: { size: 2, dark: false } }]);
  });
});
