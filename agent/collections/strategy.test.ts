// What each strategy makes of a conflict, and that it decides nothing else.

import { describe, expect, test } from 'vitest';
import { UNDECIDED_TRIES } from '../limits.ts';
import type { Body, Collection, MergeInput } from './collection.ts';
import { extensionStorage } from './extension-storage.ts';
import { generic } from './generic.ts';
import { mergeBy, STRATEGIES } from './strategy.ts';

const NOW_MS = 1_795_323_276_914;
const MANUAL = { mirror: 'asIs', local: 'keep', tries: UNDECIDED_TRIES };
const notes = generic('notes');

interface Meeting {
  readonly mine: Body | null;
  readonly base: Body | null;
  readonly theirs: Body | null;
  /** By how much the local change is younger. */
  readonly youngerMs?: number;
  readonly tries?: number;
  /** What was agreed on is of a server that has begun anew since. */
  readonly isAnew?: boolean;
}

function inputOf({ mine, base, theirs, youngerMs = 0, tries, isAnew }: Meeting): MergeInput {
  const modifiedMs = NOW_MS - 10_000 - youngerMs;
  return {
    local: { body: mine, changedAtMs: NOW_MS - 10_000, ...(tries && { tries }) },
    mirror: base && { body: base, modifiedMs: modifiedMs + (isAnew ? 5 : -5), epoch: 0 },
    incoming: { body: theirs, modifiedMs },
    epoch: isAnew ? 1 : 0,
    serverNowMs: NOW_MS,
    deviceNowMs: NOW_MS,
  };
}

const [BASE, MINE, THEIRS] = [
  { id: 'a', x: 0 },
  { id: 'a', x: 1 },
  { id: 'a', x: 2 },
];

describe.each(STRATEGIES)('%s', (strategy) => {
  const merge = mergeBy(notes, strategy);
  const own = (meeting: Meeting) => notes.merge(inputOf(meeting));

  test.each<[string, Meeting]>([
    ['was changed here alone', { mine: MINE, base: BASE, theirs: BASE }],
    ['was deleted here alone', { mine: null, base: BASE, theirs: BASE }],
    ['was changed alike', { mine: MINE, base: BASE, theirs: MINE }],
    ['was deleted on both sides', { mine: null, base: BASE, theirs: null }],
    ['was edited back here', { mine: BASE, base: BASE, theirs: THEIRS }],
    [
      'is from before the server began anew',
      { mine: MINE, base: BASE, theirs: THEIRS, isAnew: true },
    ],
  ])('leaves to the collection’s rule what %s', (_what, meeting) => {
    for (const youngerMs of [1, -1]) {
      expect(merge(inputOf({ ...meeting, youngerMs }))).toEqual(own({ ...meeting, youngerMs }));
    }
  });

  test('has nothing to say where nothing was changed here', () => {
    const input = { ...inputOf({ mine: null, base: BASE, theirs: THEIRS }), local: null };
    expect(merge(input)).toEqual({ mirror: 'asIs', local: 'none' });
  });

  test('lets a record be made again that was deleted', () => {
    for (const youngerMs of [1, -1]) {
      const decision = merge(inputOf({ mine: MINE, base: null, theirs: null, youngerMs }));
      expect(decision).toEqual({ mirror: null, local: 'keep' });
    }
  });

  test('leaves a conflict that waits to whoever decides, whatever comes', () => {
    const waits = { mine: MINE, base: BASE, tries: UNDECIDED_TRIES };
    expect(merge(inputOf({ ...waits, theirs: THEIRS }))).toEqual(MANUAL);
    expect(merge(inputOf({ ...waits, theirs: BASE }))).toEqual(MANUAL);
    expect(merge(inputOf({ ...waits, theirs: null }))).toEqual({ ...MANUAL, mirror: null });
    expect(merge(inputOf({ ...waits, theirs: MINE }))).toEqual({ mirror: 'asIs', local: 'none' });
    const anew = inputOf({ ...waits, theirs: THEIRS, isAnew: true });
    expect(merge(anew)).toEqual({ ...MANUAL, mirror: BASE });
  });
});

test.each<[string, Body | null, Body | null, Body | null]>([
  ['changed on both sides', MINE, BASE, THEIRS],
  ['made on both sides', MINE, null, THEIRS],
  ['changed here and deleted there', MINE, BASE, null],
  ['deleted here and changed there', null, BASE, THEIRS],
])('what was %s is a conflict', (_what, mine, base, theirs) => {
  const mirror = theirs && 'asIs';
  for (const youngerMs of [1, -1]) {
    const input = inputOf({ mine, base, theirs, youngerMs });
    expect(mergeBy(notes, 'remoteWins')(input)).toEqual({ mirror, local: 'none' });
    expect(mergeBy(notes, 'localWins')(input)).toEqual({ mirror, local: 'keep' });
    expect(mergeBy(notes, 'manual')(input)).toEqual({ ...MANUAL, mirror });
  }
});

describe('merge', () => {
  const merge = (meeting: Meeting, collection: Collection = notes) =>
    mergeBy(collection, 'merge')(inputOf(meeting));

  test('takes each member from the side that has changed, added or removed it', () => {
    const base = { id: 'a', mine: 0, theirs: 0, lostHere: 0, lostThere: 0, kept: { y: 1 } };
    const mine = { id: 'a', mine: 1, theirs: 0, lostThere: 0, kept: { y: 1 }, newHere: 1 };
    const theirs = { id: 'a', mine: 0, theirs: 2, lostHere: 0, kept: { y: 1 }, newThere: 2 };
    const body = { id: 'a', mine: 1, theirs: 2, kept: { y: 1 }, newHere: 1, newThere: 2 };
    for (const youngerMs of [1, -1]) {
      expect(merge({ mine, base, theirs, youngerMs })).toEqual({ mirror: 'asIs', local: body });
    }
  });

  test('takes of what both have changed the younger one, and none where that is all', () => {
    const meeting = {
      mine: { ...MINE, y: 1 },
      base: { ...BASE, y: 0 },
      theirs: { ...THEIRS, y: 0 },
    };
    const local = (x: number) => ({ mirror: 'asIs', local: { id: 'a', x, y: 1 } });
    expect(merge({ ...meeting, youngerMs: 1 })).toEqual(local(1));
    expect(merge({ ...meeting, youngerMs: -1 })).toEqual(local(2));
    const same = { mine: MINE, base: BASE, theirs: THEIRS, youngerMs: -1 };
    expect(merge(same)).toEqual({ mirror: 'asIs', local: 'none' });
  });

  test('lets an edit outlive a deletion, both ways', () => {
    const [mine, theirs] = [MINE, THEIRS];
    for (const youngerMs of [1, -1]) {
      const deleted = merge({ mine, base: BASE, theirs: null, youngerMs });
      expect(deleted).toEqual({ mirror: null, local: 'keep' });
      const edited = merge({ mine: null, base: BASE, theirs, youngerMs });
      expect(edited).toEqual({ mirror: 'asIs', local: 'none' });
    }
  });

  test('takes any name for a member', () => {
    const [mine, base, theirs] = ['{"__proto__":1}', '{"x":0,"y":0}', '{"x":0,"toString":2}'].map(
      (json) => ({ id: 'a', ...JSON.parse(json) }) as Body,
    );
    const { local } = merge({ mine: mine ?? null, base: base ?? null, theirs: theirs ?? null });
    expect(JSON.stringify(local)).toBe('{"id":"a","toString":2,"__proto__":1}');
  });

  test('leaves records that the collection understands to its own rule', () => {
    const [mine, base, theirs] = ['{"m":1,"t":0}', '{"m":0,"t":0}', '{"m":0,"t":2}'].map((data) => {
      return { id: 'a', extId: 'e', data };
    });
    const meeting = { mine: mine ?? null, base: base ?? null, theirs: theirs ?? null };
    expect(merge(meeting, extensionStorage).local).toMatchObject({ data: '{"m":1,"t":2}' });
  });
});
