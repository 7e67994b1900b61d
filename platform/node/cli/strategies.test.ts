import { expect, test } from 'vitest';
import { isStrategyNotes, typedStrategies, withTyped } from './strategies.ts';

const SYNCED = ['contacts', 'notes', 'tabs'];
const typed = (...texts: string[]) => typedStrategies(texts, SYNCED);

test('a strategy is said for a collection, or for one of an app as it is chosen', () => {
  expect([...typed('contacts=manual', ' generic(notes)=localWins')]).toEqual([
    ['contacts', 'manual'],
    ['notes', 'localWins'],
  ]);
  expect(typed().size).toBe(0);
});

test('what was said stays, but for what is said now', () => {
  const kept = { contacts: 'manual', forms: 'merge' } as const;
  expect(withTyped(kept, typed('notes=remoteWins'))).toEqual({ ...kept, notes: 'remoteWins' });
  expect(withTyped(kept, typed('contacts=merge'))).toEqual({ ...kept, contacts: 'merge' });
  expect(withTyped(kept, typed('contacts=default'))).toEqual({ forms: 'merge' });
});

test.each([
  [['notes'], '--strategy must be COLLECTION=STRATEGY'],
  [['=manual'], '--strategy must be COLLECTION=STRATEGY'],
  [['history=manual'], '--strategy: "history" is not one of contacts, notes'],
  [['__proto__=manual'], '--strategy: "__proto__" is not one of contacts, notes'],
  // Each device writes its own.
  [['tabs=manual'], '--strategy: "tabs" is not one of contacts, notes'],
  [
    ['notes=coin'],
    '--strategy notes: "coin" is not one of remoteWins, localWins, merge, manual, default',
  ],
  [['notes=merge', 'notes=manual'], '--strategy notes is there twice'],
])('%j is refused', (texts, complaint) => {
  expect(() => typed(...texts)).toThrow(complaint);
});

test('of web apps the later version counts, and what is replaced at once never waits', () => {
  const all = ['apps', 'bookmarks', 'history'];
  for (const strategy of ['remoteWins', 'localWins', 'manual']) {
    const line = `--strategy apps: never ${strategy}: of two versions the later one counts`;
    expect(() => typedStrategies([`apps=${strategy}`], all)).toThrow(line);
  }
  expect([...typedStrategies(['apps=merge', 'history=manual'], all)]).toHaveLength(2);
  expect(typedStrategies(['apps=default'], all).get('apps')).toBe(null);
});

test('notes with a word that is no strategy are none', () => {
  expect(isStrategyNotes({ contacts: 'manual', notes: 'merge' })).toBe(true);
  expect(isStrategyNotes({ contacts: 'default' })).toBe(false);
  expect(isStrategyNotes({ contacts: 1 })).toBe(false);
});
