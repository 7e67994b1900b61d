// What extensions keep in `storage.sync`: Firefox's extensions and the device's see each other's items, and changes of
// both to different items unite.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Computer } from './computer.ts';
import type { Firefox } from './firefox.ts';
import { type Household, startHousehold } from './household.ts';
import { lastWrites } from './storage.ts';

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
async function agreed(first: Computer | Firefox = computer): Promise<object> {
  const second = first === computer ? firefox : computer;
  for (const device of [first, second, first, second]) await device.sync();
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

test('changes of both to different items unite', async () => {
  await storage().set({ device: 'changed', both: 'same' });
  await storage().remove('text');
  await inside('setItems', EXTENSION, { firefox: 'changed', both: 'same' });
  const items = { device: 'changed', firefox: 'changed', both: 'same', ['__proto__']: 'a key' };
  expect(await agreed()).toEqual(items);
});

test('of changes of both to one item, that of the one that syncs first stays', async () => {
  await storage().set({ both: 'by the device' });
  await inside('setItems', EXTENSION, { both: 'by Firefox' });
  expect(await agreed(computer)).toMatchObject({ both: 'by the device' });
  await storage().set({ both: 'by the device, again' });
  await inside('setItems', EXTENSION, { both: 'by Firefox, again' });
  expect(await agreed(firefox)).toMatchObject({ both: 'by Firefox, again' });
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
  const written = await lastWrites(home.serving, ['extension-storage', 'clients', 'meta']);
  for (let round = 0; round < 3; round++) {
    await firefox.sync();
    for (const { pushed } of Object.values(await computer.sync())) expect(pushed).toBe(0);
  }
  expect(await lastWrites(home.serving, Object.keys(written))).toEqual(written);
});
