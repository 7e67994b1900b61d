import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Card, cardOf, type Property } from './contact-card.ts';
import { mergeCards } from './contact-merge.ts';

type Members = { readonly [name: string]: readonly Property[] };

const cards = (...members: (Members | null)[]): (Card | null)[] =>
  members.map((one) => one && cardOf({ card: one }));

function merge(
  mine: Members,
  base: Members | null,
  theirs: Members,
  isMineYounger = true,
): Members {
  const [own, old, other] = cards(mine, base, theirs);
  return Object.fromEntries(mergeCards(own as Card, old ?? null, other as Card, isMineYounger));
}

const of = (...values: string[]): Property[] => values.map((value) => ({ value }));
const home = (value: string): Property => ({ value, params: { type: ['home'] } });
const work = (value: string): Property => ({ value, params: { type: ['work'] } });

describe('what a card has once', () => {
  const base = { fn: of('A'), bday: of('1970') };

  test('is as the side says that changed it', () => {
    expect(merge({ ...base, fn: of('B') }, base, { ...base, bday: of('1971') }, false)).toEqual({
      fn: of('B'),
      bday: of('1971'),
    });
    expect(merge({ fn: of('A') }, base, base)).toEqual({ fn: of('A') });
    expect(merge(base, base, { fn: of('A') })).toEqual({ fn: of('A') });
  });

  test('is as the younger change says, and stays where one side removed it', () => {
    const [mine, theirs] = [{ fn: of('B') }, { fn: of('C'), bday: of('1971') }];
    expect(merge(mine, base, theirs, true)).toEqual({ fn: of('B'), bday: of('1971') });
    expect(merge(mine, base, theirs, false)).toEqual({ fn: of('C'), bday: of('1971') });
    expect(merge(theirs, base, mine, false)).toEqual({ fn: of('B'), bday: of('1971') });
  });

  test('is the list of it in several languages', () => {
    const two = [...of('Zoë'), { value: 'ゾエ', params: { language: ['ja'] } }];
    expect(merge({ fn: two }, { fn: of('Zoë') }, { fn: of('Zoë'), tel: of('1') })).toEqual({
      fn: two,
      tel: of('1'),
    });
  });
});

describe('what a card may have often', () => {
  test('has what either added, and not what either removed', () => {
    const mine = { tel: of('1', '3'), email: of('m@a.example') };
    const theirs = { tel: of('2', '1', '4') };
    expect(merge(mine, { tel: of('1', '2') }, theirs)).toEqual({
      tel: of('1', '4', '3'),
      email: of('m@a.example'),
    });
  });

  test('keeps what one changed and the other removed', () => {
    const base = { tel: [home('1')] };
    expect(merge({ tel: [work('1')] }, base, {})).toEqual({ tel: [work('1')] });
    expect(merge({}, base, { tel: [work('1')] })).toEqual({ tel: [work('1')] });
    expect(merge({ note: of('x') }, base, base)).toEqual({ note: of('x') });
  });

  test('has a number once that both wrote, as the younger change writes it', () => {
    const [mine, theirs] = [{ tel: [home('+1 2')] }, { tel: [work('+12')] }];
    expect(merge(mine, null, theirs, true)).toEqual(mine);
    expect(merge(mine, null, theirs, false)).toEqual(theirs);
    expect(merge(mine, mine, theirs, true)).toEqual(theirs);
    expect(merge(theirs, mine, mine, false)).toEqual(theirs);
  });

  test('is the same however its members are ordered', () => {
    const [a, b] = [{ pref: ['1'] }, { type: ['home'] }];
    const mine = { tel: [{ value: '1', params: { ...a, ...b } }] };
    const theirs = { tel: [{ params: { ...b, ...a }, value: '1' }] };
    expect(merge({ ...mine, url: of('u') }, theirs, mine)).toEqual({ ...mine, url: of('u') });
    expect(merge({}, theirs, mine)).toEqual({});
  });

  test('has both pictures that two sides took', () => {
    const photo = (data: string) => of(`data:image/png;base64,${data}`);
    const [mine, theirs] = [photo('AAAA'), photo('AABB')];
    expect(merge({ photo: mine }, null, { photo: theirs })).toEqual({
      photo: [...theirs, ...mine],
    });
    expect(merge({ photo: mine }, null, { photo: mine })).toEqual({ photo: mine });
  });

  test('has twice what a card says twice', () => {
    const twice = { tel: [home('1'), work('1')] };
    expect(merge(twice, null, { tel: [home('1')] })).toEqual(twice);
    expect(merge({ ...twice, note: of('x') }, twice, { ...twice, url: of('u') })).toEqual({
      ...twice,
      note: of('x'),
      url: of('u'),
    });
    expect(merge({ tel: [work('1')] }, twice, twice)).toEqual({ tel: [work('1')] });
  });
});

describe('groups', () => {
  const labelled = (group: string, value: string, label: string): Members => ({
    tel: [{ value, group }],
    'x-ablabel': [{ value: label, group }],
  });
  const joined = (a: Members, b: Members): Members => ({
    tel: [...(a.tel ?? []), ...(b.tel ?? [])],
    'x-ablabel': [...(a['x-ablabel'] ?? []), ...(b['x-ablabel'] ?? [])],
  });

  test('that both sides have made anew do not mix', () => {
    const base = labelled('item1', '1', 'Boat');
    const mine = joined(base, labelled('item2', '2', 'Car'));
    const theirs = joined(base, labelled('ITEM2', '3', 'Hut'));
    expect(merge(mine, base, theirs)).toEqual(joined(theirs, labelled('item3', '2', 'Car')));
  });

  test('are told apart in a time that grows with their number', () => {
    const many = (value: string): Members => ({
      tel: Array.from({ length: 4_000 }, (_, at) => ({ value: `${value}${at}`, group: `g${at}` })),
      'x-ablabel': Array.from({ length: 4_000 }, (_, at) => ({ value, group: `g${at}` })),
    });
    const fromMs = performance.now();
    expect(merge(many('1'), null, many('2')).tel).toHaveLength(8_000);
    expect(merge(many('1'), many('1'), {})).toEqual({});
    expect(performance.now() - fromMs).toBeLessThan(3_000);
  });

  test('that are the same stay one, with the label of the side that changed it', () => {
    const [boat, hut] = [labelled('item1', '1', 'Boat'), labelled('item1', '1', 'Hut')];
    expect(merge(boat, null, boat)).toEqual(boat);
    expect(merge(hut, boat, { ...boat, note: of('x') })).toEqual({ ...hut, note: of('x') });
    expect(merge(boat, boat, hut)).toEqual(hut);
    expect(merge(boat, null, hut, false)).toEqual(hut);
  });

  test('keep two labels of one group, also where they label nothing', () => {
    const two: Members = {
      'x-ablabel': [
        { value: 'x', params: { type: ['work'] }, group: 'item2' },
        { value: '1', group: 'item2' },
      ],
    };
    expect(merge(two, two, two)).toEqual(two);
    expect(merge(two, null, {})).toEqual(two);
  });

  test('lose their label with what it labels, and no other', () => {
    const base = labelled('item1', '1', 'Boat');
    const theirs = labelled('item1', '1', 'Hut');
    expect(merge({ fn: of('A') }, base, theirs)).toEqual({ fn: of('A') });
    const alone = { 'x-ablabel': [{ value: 'Odd', group: 'item9' }] };
    expect(merge({ ...alone, fn: of('A') }, alone, { ...alone, note: of('x') })).toEqual({
      ...alone,
      fn: of('A'),
      note: of('x'),
    });
  });
});

test('nothing that one side added is lost, and the same again changes nothing', () => {
  const property = fc.record(
    {
      value: fc.constantFrom('1', '2', '+1 2', '+12', 'x'),
      params: fc.constantFrom({ type: ['home'] }, { type: ['work'] }),
      group: fc.constantFrom('item1', 'item2'),
    },
    { requiredKeys: ['value'] },
  );
  const members = fc
    .dictionary(
      fc.constantFrom('fn', 'tel', 'email', 'note', 'x-ablabel'),
      fc.array(property, { minLength: 1, maxLength: 3 }),
      { noNullPrototype: true },
    )
    .map((one) => one as Members);
  fc.assert(
    fc.property(members, members, fc.boolean(), (mine, theirs, isMineYounger) => {
      const merged = merge(mine, null, theirs, isMineYounger);
      const said = JSON.stringify(merged);
      const added = [...Object.entries(mine), ...Object.entries(theirs)]
        .filter(([name]) => name === 'note')
        .flatMap(([, list]) => list.map(({ value }) => value));
      for (const value of added) expect(said).toContain(JSON.stringify(value));
      expect(merge(merged, merged, merged, isMineYounger)).toEqual(merged);
      expect(merge(theirs, theirs, mine, isMineYounger)).toEqual(merge(mine, mine, mine));
      // Whoever meets what was merged has nothing to add to it.
      expect(Object.keys(merge(merged, theirs, merged, isMineYounger)).sort()).toEqual(
        Object.keys(merged).sort(),
      );
    }),
    { numRuns: 500 },
  );
});
