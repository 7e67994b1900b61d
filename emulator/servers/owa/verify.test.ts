// What the contract of OWA servers leaves to be said of the login.

import { expect, test } from 'vitest';
import { startWorld } from '../testing.ts';
import { askVerify, signIn } from './testing.ts';

test('two accounts have two documents', async () => {
  const one = startWorld();
  const { resource } = await signIn(one);
  expect((await signIn(one)).resource).toBe(resource);
  const account = { ...one.account, email: 'other@example.test', store: one.store };
  const other = await signIn(startWorld({ account }));
  expect([other.email, other.resource === resource]).toEqual(['other@example.test', false]);
});

test('who is not let in learns no auth', async () => {
  const world = startWorld();
  const { json } = await askVerify(world, { audience: 'https://other.example' });
  expect(Object.keys(json)).toEqual(['status', 'reason']);
  await expect(signIn(world, { audience: 'https://other.example' })).rejects.toThrow('not let in');
});
