// A collection in which each device has one record, as apps see it.

import { describe, expect, test } from 'vitest';
import { ANYBODY, login, setUp } from '../../test/support/records-api.ts';
import type { Collection } from '../collections/collection.ts';
import { passwords } from '../collections/passwords.ts';
import { deleteRecord, putRecord } from './records.ts';

describe('where each device has one record', () => {
  const own: Collection = { ...passwords, writes: 'own' };
  const self = { id: '{01234567-89ab-4cde-8f01-23456789abcd}', name: 'TV' };

  test('only its own can be written', async () => {
    const { store, platform } = await setUp(own);
    const writable = { store, ...ANYBODY, self };
    expect(await putRecord(writable, platform, login)).toEqual({
      id: self.id,
      isChanged: true,
    });
    expect((await store.load([self.id]))[0]?.local?.body).toMatchObject({ clientName: 'TV' });
    const others = { ...login, guid: 'other' };
    await expect(putRecord(writable, platform, others)).rejects.toMatchObject({
      code: 'readOnly',
    });
    await expect(putRecord({ ...writable, self: null }, platform, login)).rejects.toMatchObject({
      code: 'readOnly',
    });
    await expect(deleteRecord(store, platform, 'other', self)).rejects.toMatchObject({
      code: 'readOnly',
    });
    await deleteRecord(store, platform, self.id, self);
    expect(store.state.held).toBe(0);
  });
});
