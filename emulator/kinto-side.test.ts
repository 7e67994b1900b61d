// A Kinto of the emulator with its user: what an account has is there as the user's devices would
// have put it, and what is there is read back as such an account, whoever wrote it.

import { describe, expect, test } from 'vitest';
import { kintoSide } from './kinto-side.ts';
import { serverBodies } from './server-records.ts';
import { otherClient } from './servers/kinto/other-client.ts';
import { syntheticAccount } from './servers/synthetic.ts';

const NOW_MS = Date.UTC(2026, 10, 2);
const account = syntheticAccount({
  ...{ records: 0, passwords: 0, seed: 1 },
  own: new Map([['contacts', 3]]),
});
const { wireId, bucket } = otherClient(account.kB, 'contacts');
const RECORDS = `https://kinto.test/v1/buckets/${bucket}/collections/contacts/records`;

function side(change: Partial<Parameters<typeof kintoSide>[0]> = {}) {
  return kintoSide({
    ...{ url: 'https://kinto.test', collections: ['contacts', 'settings'], account },
    ...{ name: 'user@example.test', auth: 'basic', outside: null },
    accessToken: async () => 'token',
    nowMs: () => NOW_MS,
    ...change,
  });
}

function asking({ fetch, user }: ReturnType<typeof side>) {
  const basic = Buffer.from(`${user.name}:${user.password}`).toString('base64');
  return (method: string, id: string, data?: object) =>
    fetch(
      new Request(`${RECORDS}/${id}`, {
        method,
        headers: { authorization: `Basic ${basic}` },
        ...(data && { body: JSON.stringify({ data }) }),
      }),
    );
}

const bodies = async (of: ReturnType<typeof side>, name = 'contacts') =>
  serverBodies(await of.view(), name, NOW_MS);

describe('the Kinto of a remote', () => {
  test("has the account's records under names that tell nothing, and shows them", async () => {
    const kinto = side();
    const ids = kinto.dump()?.buckets[0]?.collections[0]?.[1];
    const own = serverBodies(account, 'contacts', NOW_MS);
    expect(JSON.stringify(ids)).toContain(wireId(`${own[0]?.id}`));
    expect(JSON.stringify(kinto.dump())).not.toContain('person0@example.com');
    expect(await bodies(kinto)).toEqual(own);
    expect(await bodies(kinto, 'settings')).toEqual([]);
  });

  test('begins with what another one has left, and with nothing else', async () => {
    const kinto = side();
    const [first] = serverBodies(account, 'contacts', NOW_MS).map(({ id }) => `${id}`);
    await asking(kinto)('DELETE', wireId(`${first}`));
    const kept = kinto.dump() ?? undefined;
    expect(await bodies(side({ kept }))).toHaveLength(2);
  });

  test('knows its user by name and password, and nobody by another', async () => {
    const kinto = side();
    const status = async (authorization: string) =>
      (await kinto.fetch(new Request(RECORDS, { headers: { authorization } }))).status;
    expect(await status(`Basic ${Buffer.from('user:wrong').toString('base64')}`)).toBe(401);
    expect(await status('Bearer a.b.c')).toBe(401);
  });

  test('is read under the key of the words that a device has made', async () => {
    const kinto = side();
    // The vector of docs/kinto-encryption.md.
    kinto.learn('babad-bamag-bibaj-bimal-boban-bomar-bubat-bumaz-nozim');
    expect(kinto.key()).toBe('90b0f9b01cbe6b1477016a6775608b72d5707652e5f5285aebae2a0ff9813664');
    expect(await bodies(kinto)).toEqual([]);
  });
});
