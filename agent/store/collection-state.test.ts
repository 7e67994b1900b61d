// What is stored of a collection beside its records: how older forms are read, and when a build
// that knows more forms of records than the one before reads them again.

import { describe, expect, test } from 'vitest';
import { generic } from '../collections/generic.ts';
import { type CollectionState, inForm, NEW_COLLECTION, stateOf } from './collection-state.ts';
import { jsonStored } from './stored.ts';

const state = (change: Partial<CollectionState> = {}): CollectionState => ({
  ...NEW_COLLECTION,
  position: '9000 0 -1',
  ...change,
});

describe('a state', () => {
  test('is read as it was written', () => {
    const full = state({ seq: 7, risks: [{ id: 'a', version: '1', count: 1 }], staging: 'timed' });
    expect(stateOf(jsonStored(full))).toEqual(full);
  });

  test('of which nothing is stored is that of a new collection', () => {
    expect([stateOf(null), stateOf(undefined)]).toEqual([NEW_COLLECTION, NEW_COLLECTION]);
  });

  test.each(['', 'c', 'c[]', 'cnull', 'e{}', 'c{"position":1}', jsonStored(state()).slice(0, -1)])(
    'that is %j is none: it is mended',
    (stored) => {
      expect(stateOf(stored)).toEqual({ ...NEW_COLLECTION, mending: 0 });
    },
  );

  test('in bytes is none, either', () => {
    expect(stateOf(new Uint8Array(3))).toMatchObject({ mending: 0 });
  });

  test.each(Object.keys(NEW_COLLECTION))('without its %s is none', (name) => {
    const { [name as keyof CollectionState]: _, ...rest } = state();
    expect(stateOf(jsonStored(rest))).toMatchObject({ mending: 0 });
  });
});

describe('a build that knows forms', () => {
  const kind = (form?: number) => ({ ...generic('notes'), ...(form !== undefined && { form }) });

  test('as the one before reads nothing again', () => {
    const before = state({ form: 1, unknownFrom: '3 0 -1', quarantined: 1 });
    expect(inForm(kind(1), before)).toBe(before);
  });

  test('of its own reads from where the first record came that the other did not know', () => {
    const before = state({ form: 1, unknownFrom: '3 0 -1', quarantined: 2, unknownForm: 1 });
    expect(inForm(kind(2), before)).toEqual({
      ...before,
      ...{ form: 2, position: '3 0 -1', unknownFrom: undefined },
    });
  });

  test('reads nothing again if there was no such record', () => {
    const before = state({ form: 1, quarantined: 2 });
    expect(inForm(kind(2), before)).toEqual({ ...before, form: 2 });
  });

  test('reads all of a store that does not say which of those set aside they are', () => {
    expect(inForm(kind(), state({ quarantined: 1 }))).toMatchObject({ form: 0, position: '' });
    expect(inForm(kind(), state())).toMatchObject({ form: 0, position: '9000 0 -1' });
  });

  test('fewer of them reads again, too: it may know others', () => {
    const before = state({ form: 2, unknownFrom: '3 0 -1' });
    expect(inForm(kind(1), before)).toMatchObject({ form: 1, position: '3 0 -1' });
  });
});
