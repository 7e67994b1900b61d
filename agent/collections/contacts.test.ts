import { describe, expect, test } from 'vitest';
import type { Body, MergeDecision } from './collection.ts';
import { contacts } from './contacts.ts';

const NOW_MS = 1_795_323_276_914;
const ID = 'abcdefghijkl';

const of = (...values: string[]) => values.map((value) => ({ value }));

function contact(card: object, more: object = {}): Body {
  return { id: ID, ...more, card };
}

function merge(
  mine: Body | null,
  base: Body | null,
  theirs: Body | null,
  changedAtMs = NOW_MS,
): MergeDecision {
  return contacts.merge({
    local: { body: mine, changedAtMs },
    mirror: base && { body: base, modifiedMs: 1 },
    incoming: { body: theirs, modifiedMs: NOW_MS - 5 },
    serverNowMs: NOW_MS,
    deviceNowMs: NOW_MS,
  });
}

describe('a merge', () => {
  const base = contact({ fn: of('A'), tel: of('1') }, { later: 1, changedMs: 5 });

  test('has what both sides added, and members that this build does not know', () => {
    const mine = contact({ fn: of('B'), tel: of('1', '2') }, { later: 1, changedMs: 7 });
    const theirs = contact(
      { fn: of('A'), tel: of('1', '3') },
      { later: 2, more: [], changedMs: 6 },
    );
    expect(merge(mine, base, theirs)).toEqual({
      mirror: 'asIs',
      local: contact({ fn: of('B'), tel: of('1', '3', '2') }, { later: 2, more: [], changedMs: 7 }),
    });
  });

  test('takes the younger change where both changed one', () => {
    const [mine, theirs] = ['B', 'C'].map((name) => contact({ fn: of(name) }, { later: name }));
    const [own, other] = [mine as Body, theirs as Body];
    expect(merge(own, base, other).local).toMatchObject({ card: { fn: of('B') }, later: 'B' });
    expect(merge(own, base, other, 1)).toEqual({
      mirror: 'asIs',
      local: 'none',
    });
  });

  test('keeps a member that one side changed and the other removed', () => {
    const mine = contact({ fn: of('B'), tel: of('1') }, { later: 2 });
    const theirs = contact({ fn: of('A'), tel: of('1', '2') });
    expect(merge(mine, base, theirs).local).toMatchObject({ later: 2 });
    expect(merge(theirs, base, mine).local).toMatchObject({ later: 2 });
    const asAgreed = contact({ fn: of('C'), tel: of('1') }, { later: 1 });
    expect(merge(theirs, base, asAgreed).local).not.toHaveProperty('later');
  });

  test('has nothing to send where both say the same, whatever their order and time', () => {
    const mine = contact({ fn: of('B'), tel: of('1') }, { changedMs: 9 });
    const theirs = contact({ tel: of('1'), fn: of('B') }, { changedMs: 8 });
    expect(merge(mine, base, theirs)).toEqual({ mirror: 'asIs', local: 'none' });
  });

  test('lets a change outlive a deletion, on either side', () => {
    const changed = contact({ fn: of('B') });
    expect(merge(changed, base, null)).toEqual({ mirror: null, local: 'keep' });
    expect(merge(null, base, changed)).toEqual({ mirror: 'asIs', local: 'none' });
    expect(merge(null, base, { ...base })).toEqual({ mirror: 'asIs', local: 'keep' });
    expect(merge(null, base, null)).toEqual({ mirror: null, local: 'none' });
  });
});

describe('a put', () => {
  const put = (
    input: Body,
    existing: Body | null = null,
    asked: string | null = ID,
    nowMs = NOW_MS,
  ) => {
    const result = contacts.prepare(input, existing, ID, nowMs, asked);
    return result.ok ? result.body : result.complaint;
  };
  const known = contact(
    { fn: of('A'), tel: of('1', '2'), note: of('x') },
    { changedMs: 7, later: 1 },
  );

  test('makes a contact, with its time', () => {
    expect(put({ card: { fn: of('A') } })).toEqual(contact({ fn: of('A') }, { changedMs: NOW_MS }));
    expect(put({ card: { fn: of('A') }, changedMs: 800_000_000_000 })).toMatchObject({
      changedMs: 800_000_000_000,
    });
    // A clock that was not set says no time.
    expect(put({ card: { fn: of('A') } }, null, ID, 5_000)).toEqual(contact({ fn: of('A') }));
  });

  test('changes the properties that it names, and removes what it says is none', () => {
    expect(put({ card: { tel: of('3'), note: null } }, known)).toEqual(
      contact({ fn: of('A'), tel: of('3') }, { changedMs: NOW_MS, later: 1 }),
    );
    expect(put({ card: { note: [] }, later: 2 }, known, ID, 0)).toEqual(
      contact({ fn: of('A'), tel: of('1', '2') }, { changedMs: 7, later: 2 }),
    );
    expect(put({}, known)).toEqual(known);
  });

  test('is later than what it changes, even when the clock went back', () => {
    const young = { ...known, changedMs: NOW_MS + 5 };
    expect(put({ card: { note: null } }, young)).toMatchObject({ changedMs: NOW_MS + 6 });
    expect(put({ card: { note: of('x') } }, young)).toEqual(young);
  });

  test('adds what is to be added, and changes nothing where that is there', () => {
    const add = { fn: of('B'), tel: of('2', '3'), note: of('x') };
    const added = { ...(known.card as object), tel: of('1', '2', '3') };
    expect(put({ add }, known)).toEqual({ ...known, card: added, changedMs: NOW_MS });
    expect(put({ add: { tel: of('2') } }, known)).toEqual(known);
    expect(put({ add, changedMs: 8 }, known)).toMatchObject({ card: { fn: of('B') } });
    expect(put({ add, changedMs: 7 }, known)).toMatchObject({ card: { fn: of('A') } });
    expect(put({ add }, null)).toEqual(contact(add, { changedMs: NOW_MS }));
  });

  test('of a card for somebody who is known adds to what is known', () => {
    const card = { fn: of('A'), tel: of('3') };
    expect(put({ card }, known, null)).toMatchObject({
      card: { fn: of('A'), tel: of('1', '2', '3'), note: of('x') },
    });
    expect(put({ card: { tel: of('2') } }, known, null)).toEqual(known);
  });

  test.each([
    [{ card: 7 }, 'card: '],
    [{ card: {} }, 'card: empty'],
    [{ card: { fn: 'A' } }, 'card.fn: '],
    [{ add: { fn: 'A' } }, 'add.fn: '],
    [{ add: 'A' }, 'add: '],
    [{ id: 'é', card: { fn: of('A') } }, 'id: '],
  ])('of %j is refused by the name of what is wrong', (input, start) => {
    expect(`${put(input)}`.startsWith(start)).toBe(true);
  });

  test('that empties a contact is refused', () => {
    expect(put({ card: { fn: null, tel: null, note: null } }, known)).toBe('card: empty');
  });
});

test('apps see the card, its time and the id, and the index shows nothing of it', () => {
  const body = contact({ fn: of('Zoë') }, { guid: 'fake', changedMs: '7', secret: 1 });
  expect(contacts.check(body)).toBeNull();
  expect(contacts.view('real', body)).toEqual({
    guid: 'real',
    card: { fn: of('Zoë') },
    changedMs: 7,
  });
  expect(contacts.index(body, 0)).toEqual([expect.stringMatching(/^u[0-9a-f]{4}$/)]);
  expect(contacts.matches(body, 'Zo')).toBe(true);
  expect(contacts.matches(body, 'o')).toBe(false);
});

test('a contact is as old as it says, but not from the future', () => {
  const clock = (changedMs: unknown, knownMs = NOW_MS) =>
    contacts.things?.clock?.(contact({ fn: of('A') }, { changedMs }), knownMs);
  expect([clock(NOW_MS - 7), clock(NOW_MS + 7), clock('x')]).toEqual([NOW_MS - 7, NOW_MS, 0]);
});

test('where a server has begun anew, the later version is what goes up', () => {
  const [older, newer] = [1, 2].map((time) => contact({ fn: of(`${time}`) }, { changedMs: time }));
  const anew = (mine: Body | undefined, theirs: Body | undefined, modifiedMs = NOW_MS) =>
    contacts.merge({
      local: null,
      mirror: mine ? { body: mine, modifiedMs: NOW_MS, epoch: 1 } : null,
      incoming: { body: theirs ?? null, modifiedMs },
      ...{ epoch: 2, serverNowMs: NOW_MS, deviceNowMs: NOW_MS },
    });
  expect(anew(newer, older)).toEqual({ mirror: 'asIs', local: newer });
  expect(anew(older, newer)).toEqual({ mirror: 'asIs', local: 'none' });
  expect(anew(newer, undefined)).toEqual({ mirror: null, local: 'none' });
  // Where neither says when, the server's time does.
  const [here, there] = ['A', 'B'].map((name) => contact({ fn: of(name) }));
  expect(anew(here, there, NOW_MS - 1)).toEqual({ mirror: 'asIs', local: here });
  expect(anew(here, there)).toEqual({ mirror: 'asIs', local: 'none' });
});
