import { expect, test } from 'vitest';
import { startWorld } from '../testing.ts';
import { signIn } from './testing.ts';

test('a user of a test is told when something is refused', async () => {
  let refuse: 503 | undefined;
  const world = startWorld({ owa: { health: () => (refuse ? { refuse } : {}) } });
  const user = await signIn(world);
  await user.post({ a: { last_modified: 1 }, b: {} });
  expect(await user.document()).toEqual({ a: { last_modified: 1 }, b: {} });
  refuse = 503;
  await expect(user.document()).rejects.toThrow('503');
  await expect(user.post({})).rejects.toThrow('refused: 503');
  await expect(signIn(world)).rejects.toThrow('not let in');
});
