// Whom a login believes besides its own accounts server, and the pass that it gives.

import { generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import { expect, test } from 'vitest';
import { signJws } from '../jws.ts';
import { OLDSYNC_SCOPE } from '../onepw.ts';
import { startWorld } from '../testing.ts';
import { openPass, sealPass } from './pass.ts';
import { askLogin, signIn } from './testing.ts';

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = privateKey.export({ format: 'jwk' }) as JsonWebKey;

test('tokens of another issuer are believed where it is, and are other users’', async () => {
  const url = 'https://issuer.test';
  let keys: JsonWebKey[] = [jwk];
  const issuer = {
    url,
    keys: async () => {
      if (keys.length === 0) throw new Error('is away');
      return keys;
    },
  };
  const world = startWorld({ token: { issuers: [issuer] } });
  const exp = world.clock.nowMs / 1000 + 60;
  const claims = { iss: url, sub: 'one', scope: OLDSYNC_SCOPE, exp };
  const ask = (said: object) =>
    askLogin(
      world,
      { assertion: undefined },
      { Authorization: `Bearer ${signJws(jwk, { ...said })}` },
    );
  const answer = await ask(claims);
  const { collections } = (await answer.json()) as { collections: { history: string } };
  expect(answer.status).toBe(200);
  expect(collections.history).not.toBe((await signIn(world)).collections.history);
  expect((await ask({ ...claims, exp: exp - 120 })).status).toBe(401);
  expect((await ask({ ...claims, scope: 'profile' })).status).toBe(401);
  keys = [];
  const away = await ask(claims);
  expect([away.status, away.headers.get('retry-after')]).toEqual([503, '60']);
});

test('a pass is opened by the secret that sealed it, whole, and by no other', () => {
  const secret = { secret: new Uint8Array(32) };
  const holder = { user: 'u', device: 'd', expiresMs: 1 };
  const { id, key } = sealPass(secret, holder, new Uint8Array(12));
  expect(openPass(secret, id)).toEqual({ holder, key });
  expect(openPass({ secret: new Uint8Array(32).fill(1) }, id)).toBeNull();
  for (let at = 0; at < id.length; at++) {
    const torn = `${id.slice(0, at)}${id[at] === 'A' ? 'B' : 'A'}${id.slice(at + 1)}`;
    expect(openPass(secret, torn)).toBeNull();
  }
  for (const none of ['', 'x', id.slice(0, 20), `${id}=`])
    expect(openPass(secret, none)).toBeNull();
});
