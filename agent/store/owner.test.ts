// Whose data the device has, by what the account manager says before a pass.

import { describe, expect, test } from 'vitest';
import { memoryPlatform } from '../../platform/memory/platform.ts';
import { MemoryStorage } from '../../platform/memory/storage.ts';
import type { Identity, SyncKey } from '../../platform/ports.ts';
import { type Claim, createClaims, relationOf } from './owner.ts';
import { NEW_STATE } from './state.ts';

const SCOPED: SyncKey = { kty: 'oct', kid: '1700-x', k: 'k' };

/** The claims of a device, with what was derived from keys so far. */
function claims(change: Partial<Identity> = {}, key: SyncKey = SCOPED) {
  const derived: SyncKey[] = [];
  const user = { uid: 'u1', key };
  const platform = memoryPlatform({
    storage: new MemoryStorage(),
    fetch: async () => Response.error(),
    identity: {
      account: async () => ({ uid: user.uid, email: 'e', deviceId: 'd' }),
      assertion: async () => '',
      accessToken: async () => ({ token: '' }),
      syncKey: async () => user.key,
      ...change,
    },
    nowMs: 0,
    random: (count) => new Uint8Array(count),
  });
  const claim = createClaims(platform, async (one) => `name ${derived.push(one)}`);
  return { claim, derived, user };
}

describe('a claim', () => {
  test('says who it is, by which device and with which key', async () => {
    expect(await claims().claim()).toEqual({
      key: SCOPED,
      deviceId: 'd',
      owner: { uid: 'u1', email: 'e', clientState: 'name 1', kid: '1700-x' },
    });
  });

  test('has no `kid` with a key that has none, and no id where there is none', async () => {
    const { claim } = claims({ account: async () => ({ uid: 'u1', email: 'e' }) }, { kB: '00' });
    expect(await claim()).toMatchObject({ deviceId: null, owner: { kid: null } });
  });

  test('derives from a key once, and anew from another one', async () => {
    const { claim, derived, user } = claims();
    await claim();
    user.uid = 'u2';
    expect((await claim()).owner).toMatchObject({ uid: 'u2', clientState: 'name 1' });
    user.key = { ...SCOPED, k: 'other' };
    expect((await claim()).owner.clientState).toBe('name 2');
    expect(derived).toHaveLength(2);
  });

  test.each(['account', 'syncKey'] as const)('fails as the port does: %s', async (call) => {
    const error = Object.assign(new Error('no'), { code: 'signedOut' });
    const { claim } = claims({ [call]: () => Promise.reject(error) });
    await expect(claim()).rejects.toMatchObject({ code: 'signedOut' });
  });
});

describe('the data is', () => {
  const saved = { ...NEW_STATE, uid: 'u1', clientState: 'name', kid: '1700-x' };
  const claimed = (change: Partial<Claim['owner']>): Claim => ({
    key: SCOPED,
    deviceId: null,
    owner: { uid: 'u1', email: 'e', clientState: 'name', kid: '1700-x', ...change },
  });

  test.each<[Partial<Claim['owner']>, string]>([
    [{}, 'same'],
    [{ email: 'another address' }, 'same'],
    [{ kid: '1800-x' }, 'same'],
    [{ kid: null }, 'same'],
    [{ clientState: 'other' }, 'newKey'],
    [{ clientState: 'other', kid: '1800-y' }, 'newKey'],
    [{ uid: 'u2' }, 'stranger'],
    [{ uid: 'u2', kid: '1600-x' }, 'stranger'],
  ])('of somebody with %j: %s', (change, relation) => {
    expect(relationOf(saved, claimed(change))).toBe(relation);
  });

  test('nobody’s before anybody has signed in', () => {
    expect(relationOf(NEW_STATE, claimed({}))).toBe('stranger');
  });

  test('not given to a key that is older than the one before', () => {
    expect(() => relationOf(saved, claimed({ kid: '1699-x' }))).toThrow(/older/);
    expect(relationOf({ ...saved, kid: null }, claimed({ kid: '0-x' }))).toBe('same');
  });
});
