// What a device may say of itself, one member at a time.

import { expect, test } from 'vitest';
import { checkedDevice } from './account-devices.ts';

const BEFORE = { id: '0a'.repeat(16), name: 'Television', type: 'tv' };

test.each([
  [{}, BEFORE],
  [{ name: 'Hall' }, { ...BEFORE, name: 'Hall' }],
  [{ type: 'mobile' }, { ...BEFORE, type: 'mobile' }],
  [
    { id: BEFORE.id, name: 'Hall', type: 'mobile' },
    { id: BEFORE.id, name: 'Hall', type: 'mobile' },
  ],
  [{ name: 'n'.repeat(255) }, { ...BEFORE, name: 'n'.repeat(255) }],
  [{ type: 't'.repeat(16) }, { ...BEFORE, type: 't'.repeat(16) }],
])('a device that says %j is as before but for that', (body, after) => {
  expect(checkedDevice(body, BEFORE)).toEqual(after);
});

test.each([
  ['name', ''],
  ['name', 5],
  ['name', null],
  ['name', 'n'.repeat(256)],
  ['type', ''],
  ['type', 't'.repeat(17)],
  ['id', 'a'.repeat(33)],
  ['id', ['a']],
  ['pushCallback', 'https://push.test/'],
  ['availableCommands', {}],
  ['toString', 'x'],
])('a device that says of its %s %j is refused by the name of that', (member, value) => {
  expect(() => checkedDevice({ name: 'Hall', [member]: value }, BEFORE)).toThrow(
    expect.objectContaining({
      status: 400,
      json: expect.objectContaining({
        ...{ errno: 107, message: `Invalid parameter in request body: ${member}` },
      }),
    }),
  );
});

test('a device is no other one', () => {
  expect(() => checkedDevice({ id: 'b'.repeat(32) }, BEFORE)).toThrow(
    expect.objectContaining({ status: 400, json: expect.objectContaining({ errno: 123 }) }),
  );
});
