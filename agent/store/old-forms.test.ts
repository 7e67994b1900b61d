// Stores of forms 1 and 2: what a collection's state says there, as it is read today.

import { describe, expect, test } from 'vitest';
import { type CollectionState, NEW_COLLECTION, stateOf } from './collection-state.ts';

const state = (change: Partial<CollectionState> = {}): CollectionState => ({
  ...NEW_COLLECTION,
  position: '9000 0 -1',
  ...change,
});

describe('a state of form 2', () => {
  const { position: _, origin: __, ...counters } = state({ held: 2, seq: 5 });
  const old = (more: object): CollectionState =>
    stateOf(`b${JSON.stringify({ ...counters, ...more })}`);
  const cursor = { sinceMs: 5_000, stampMs: 6_000, floorMs: 5_500, page: null };

  test('has its cursor as a position, and keeps its counters', () => {
    const read = old({ cursor, syncId: 'id' });
    expect(read).toMatchObject({ position: '5000 6000 5500', origin: 'id', held: 2, seq: 5 });
    expect(read).not.toHaveProperty('cursor');
    expect(read).not.toHaveProperty('syncId');
  });

  test('keeps the page that was under way, blanks and all', () => {
    expect(old({ cursor: { ...cursor, page: 'a b' } }).position).toBe('5000 6000 5500 a b');
  });

  test('that was never listed has no position', () => {
    expect(old({ cursor: { sinceMs: -1, stampMs: 0, floorMs: -1, page: null } }).position).toBe('');
    expect(old({}).position).toBe('');
  });

  test.each([
    { sinceMs: -1, stampMs: 0, floorMs: 10, page: null },
    { sinceMs: -1, stampMs: 0, floorMs: -1, page: 'p' },
    { sinceMs: 0, stampMs: 0, floorMs: -1, page: null },
  ])('that was begun has one: %j', (begun) => {
    expect(old({ cursor: begun }).position).not.toBe('');
  });

  test.each([{ sinceMs: 1.5 }, { stampMs: '7' }, { floorMs: null }])(
    'with %j in its cursor is damaged',
    (wrong) => {
      expect(old({ cursor: { ...cursor, ...wrong } })).toMatchObject({ mending: 0 });
    },
  );

  test.each([
    [5_000, '4990 0 -1'],
    [3, '0 0 -1'],
  ])('reads records of an unknown form again from a step before %i', (unknownSinceMs, from) => {
    expect(old({ cursor, unknownSinceMs }).unknownFrom).toBe(from);
  });

  test('without such records has nothing to read again', () => {
    expect(old({ cursor })).not.toHaveProperty('unknownFrom');
  });
});
