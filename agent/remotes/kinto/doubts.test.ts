// A loss is told once in a pass, and all is compared for it once.

import { expect, test } from 'vitest';
import { createDoubts } from './doubts.ts';

test('what a server has lost is told once of each collection', () => {
  const events: unknown[] = [];
  const doubts = createDoubts((event) => void events.push(event));
  for (const name of ['a', 'a', 'b']) doubts.tell(name);
  expect(events).toEqual(['a', 'b'].map((collection) => ({ kind: 'beganAnew', collection })));
});

test('an older version is not merged with before all was compared, and is after it', () => {
  const doubts = createDoubts(() => undefined);
  expect(doubts.take('a')).toBe(false);
  expect([doubts.met('a'), doubts.met('a')]).toEqual([true, true]);
  expect([doubts.take('b'), doubts.take('a'), doubts.take('a')]).toEqual([false, true, false]);
  doubts.tell('a');
  expect([doubts.met('a'), doubts.take('a'), doubts.met('b')]).toEqual([false, false, true]);
});
