// A first sync of a user whose data on a Kinto is under another key.

import { afterEach, beforeEach, expect, test } from 'vitest';
import { computerOf, type ServedKinto, serveKinto } from '../../../test/support/served-kinto.ts';

const OTHER = 'kitsync: bob has data on this server under another key, which stays there';

let kinto: ServedKinto;
beforeEach(async () => {
  kinto = await serveKinto();
});
afterEach(() => kinto.close());

/** A computer whose user has signed in, with a key of its own. */
async function begun(...more: string[]) {
  const computer = computerOf(kinto);
  expect(await computer.signIn('secret', ...more)).toMatchObject({ code: 0 });
  return computer;
}

test('says so once, and goes on beside it', async () => {
  const one = await begun();
  expect(await one.sync()).toMatchObject({ code: 0, complaints: '' });
  const two = await begun('--new-key');
  const first = await two.sync();
  expect([first.code, first.complaints]).toEqual([0, expect.stringContaining(OTHER)]);
  expect(first.complaints.split('\n')).toHaveLength(2);
  expect(await two.sync()).toMatchObject({ code: 0, complaints: '' });
  expect(await one.sync()).toMatchObject({ code: 0, complaints: '' });
});

test('says so before its own key has a place there', async () => {
  const one = await begun();
  // It is made by the first sync then.
  const failed = new Response('', { status: 503 });
  kinto.instead = ({ method }) => (method === 'PUT' ? failed : null);
  const two = await begun('--new-key');
  kinto.instead = () => null;
  const first = await two.sync();
  expect([first.code, first.complaints]).toEqual([0, expect.stringContaining(OTHER)]);
  expect(await one.sync()).toMatchObject({ code: 0 });
});

test('has no words of its own for a server that does not tell', async () => {
  await begun();
  const two = await begun('--new-key');
  kinto.instead = ({ url }) => (url.includes('like_id') ? new Response('', { status: 503 }) : null);
  expect(await two.sync()).toMatchObject({ code: 0, complaints: '' });
});

test('does not wait long for a server that says nothing', async () => {
  const two = await begun();
  const silence = new Promise<null>(() => undefined);
  kinto.instead = ({ url }) => (url.includes('like_id') ? silence : null);
  expect(await two.sync()).toMatchObject({ code: 0, complaints: '' });
});
