// What other implementations of Sync rely on in an encrypted record: group 8 of checklist.test.ts.

import { describe, expect, test } from 'vitest';
import { secondDevice } from '../../test/sim/second-device.ts';
import { NOW_MS } from '../../test/support/device.ts';
import { bench, ok, storedUser } from '../../test/support/sync15.ts';
import { sealPayload } from './sync-keys.ts';
import { startWorld } from './testing.ts';

describe('8. an encrypted record', () => {
  const ID = 'aaaaaaaaaaaa';
  const page = (title: string) => ({
    id: ID,
    histUri: 'https://a.example/',
    title,
    visits: [{ date: NOW_MS * 1000, type: 1 }],
  });
  const OTHER = { encKey: Buffer.alloc(32, 1), macKey: Buffer.alloc(32, 2) };

  /** What the device shows of such a record, or why it was set aside. */
  async function arrival(
    title: string,
    change: (payload: string) => string = (payload) => payload,
    id = ID,
  ): Promise<unknown> {
    const it = bench();
    secondDevice(it.servers).put('history', page(title));
    const history = storedUser(it.servers).collections.get('history');
    const payload = change(history?.get(ID, 0)?.payload ?? '');
    if (id !== ID) history?.delete(ID);
    storedUser(it.servers).write('history', [{ id, payload }], it.servers.nowMs);
    const { agent, platform } = await it.boot();
    expect(await agent.enable()).toMatchObject(ok);
    const events = platform.events.map((text) => JSON.parse(text));
    const [aside] = events.filter(({ kind }) => kind === 'quarantine');
    return aside?.code ?? (await agent.get('history', id))?.title;
  }

  test('is read for every length of its text, in any script', async () => {
    for (let length = 0; length <= 16; length++) {
      const title = `Größe 日本 😀${'x'.repeat(length)}`;
      expect(await arrival(title)).toBe(title);
    }
  });

  test('is read with its MAC in capital digits, and not with another one', async () => {
    const mac = (to: (hex: string) => string) => (payload: string) =>
      payload.replace(/(?<="hmac":")[^"]+/, to);
    expect(
      await arrival(
        'a',
        mac((hex) => hex.toUpperCase()),
      ),
    ).toBe('a');
    expect(
      await arrival(
        'a',
        mac((hex) => hex.replace(/^./, (digit) => (digit === '0' ? '1' : '0'))),
      ),
    ).toBe('badMac');
  });

  test('under another key, or for another id, is set aside', async () => {
    const text = JSON.stringify(page('a'));
    expect(await arrival('a', () => sealPayload(OTHER, text, Buffer.alloc(16, 3)))).toBe('badMac');
    expect(await arrival('a', (payload) => payload, 'bbbbbbbbbbbb')).toBe('idMismatch');
  });

  test('of the keys is refused by the server if its initialisation vector is zero', async () => {
    const storage = await startWorld().signIn();
    const payload = sealPayload(OTHER, '{"id":"keys"}', Buffer.alloc(16));
    const { status, text } = await storage('PUT', 'storage/crypto/keys', { body: { payload } });
    expect([status, text]).toEqual([400, '8']);
  });
});
