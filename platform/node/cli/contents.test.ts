import { expect, it, test } from 'vitest';
import {
  cardOf,
  contentsWith,
  isKintoName,
  isOwnName,
  PROTOCOLS,
  whyNoDevices,
} from './contents.ts';

it('speaks four protocols, two of them without a list of devices', () => {
  expect(PROTOCOLS).toEqual(['sync15', 'syncto', 'kinto', 'owa']);
  expect(PROTOCOLS.map((protocol) => whyNoDevices(protocol)?.split(' has no')[0])).toEqual([
    ...[undefined, undefined, 'a Kinto', 'a server of Open Web Apps'],
  ]);
});

test('an app’s own collection has a name that is nobody else’s', () => {
  expect(['notes', 'My.notes_1'].every(isOwnName)).toBe(true);
  expect(['history', 'apps', 'meta', 'keys', '', 'a b', 'x'.repeat(33)].some(isOwnName)).toBe(
    false,
  );
  const names = contentsWith(['notes', 'apps', 'notes']).collections.map(({ name }) => name);
  expect(names.filter((name) => name === 'notes' || name === 'apps')).toEqual(['apps', 'notes']);
});

test('a Kinto has fewer names', () => {
  expect(['notes', 'a-b_1'].every(isKintoName)).toBe(true);
  expect(['my.notes', '-a', ''].some(isKintoName)).toBe(false);
});

test('a card is a contact’s', () => {
  expect(cardOf('contacts', { card: { fn: [] } })).toEqual({ fn: [] });
  expect(cardOf('contacts', { card: 'x' })).toBe(null);
  expect(cardOf('notes', { card: {} })).toBe(null);
});
