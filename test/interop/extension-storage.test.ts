// What extensions keep in `storage.sync`: Firefox's extensions and the device's see each other's
// items, and changes of both to different items unite.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Computer } from './computer.ts';
import type { Firefox } from './firefox.ts';
import { BOTH, type Device, type Household, startHousehold } from './household.ts';

const EXTENSION = 'notes@example.com';
const ITEMS = {
  text: 'Größe 日本 📺',
  number: 1.5,
  list: [1, null, { deep: true }],
  ['__proto__']: 'a key',
  '': 'an empty key',
};

let home: Household;
let firefox: Firefox;
let computer: Computer;
beforeAll(async () => {
  home = await startHousehold(({ call }) => call('extensions', 'setItems', EXTENSION, ITEMS));
  ({ firefox, computer } = home);
  await computer.sync();
});
afterAll(() => home?.close());

const inside = (name: string, ...args: unknown[]) => firefox.call('extensions', name, ...args);
const storage = () => computer.agent.extensionStorage(EXTENSION);

/** The items of both, after two syncs each and a look that they are the same. */
async function agreed(first: Device = 'the device'): Promise<object> {
  await home.syncTwice(first);
  const items = await storage().get();
  expect(await inside('getItems', EXTENSION)).toEqual(items);
  return items;
}

test('the device has the items of Firefox', async () => {
  expect(await storage().get()).toEqual(ITEMS);
});

test('items that one sets or removes are so on the other', async () => {
  const { list, number, '': _, ...others } = ITEMS;
  await storage().set({ number: 2, device: ['new'] });
  await storage().remove('');
  expect(await agreed()).toEqual({ ...others, list, number: 2, device: ['new'] });
  await inside('setItems', EXTENSION, { text: 'changed', firefox: { new: true } });
  await inside('removeItems', EXTENSION, ['list', 'number']);
  expect(await agreed()).toEqual({
    ...others,
    text: 'changed',
    device: ['new'],
    firefox: { new: true },
  });
});

describe.each(BOTH)('when %s syncs first', (first) => {
  test('changes of both to different items unite', async () => {
    const others = await agreed();
    await storage().set({ doomed: true });
    await agreed();
    await storage().set({ device: first, both: first });
    await storage().remove('doomed');
    await inside('setItems', EXTENSION, { firefox: first, both: first });
    expect(await agreed(first)).toEqual({ ...others, device: first, firefox: first, both: first });
  });

  test('its change of an item stays where the other changed it too', async () => {
    await storage().set({ both: 'by the device' });
    await inside('setItems', EXTENSION, { both: 'by Firefox' });
    expect(await agreed(first)).toMatchObject({ both: `by ${first}` });
  });
});

test('an extension that one clears is cleared on the other', async () => {
  await storage().clear();
  expect(await agreed()).toEqual({});
  await inside('setItems', EXTENSION, { again: 1 });
  expect(await agreed()).toEqual({ again: 1 });
  await inside('clear', EXTENSION);
  expect(await agreed()).toEqual({});
});

test('nobody writes when nothing has changed', async () => {
  expect(await home.restlessIn(['extension-storage', 'clients', 'meta', 'crypto'])).toEqual([]);
});
