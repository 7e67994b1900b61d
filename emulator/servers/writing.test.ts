import { describe, expect, it, test } from 'vitest';
import { DEFAULT_LIMITS } from './bso.ts';
import { HttpError } from './http.ts';
import { memoryBsos } from './memory-bsos.ts';
import { Store } from './store.ts';
import { deleteCollection, deleteRecord, postRecords, putRecord, type Writing } from './writing.ts';

const NOW_MS = 1_500_000_000_000;
const STAMP = '1500000000.00';

interface Asked {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly query?: string;
  readonly quota?: Writing['quota'];
}

/** A collection `col` with a record `a`, written at `NOW_MS`. */
function storage() {
  const store = new Store();
  const user = store.addUser(null);
  user.write('col', [{ id: 'a', payload: 'p' }], NOW_MS);
  const asked: number[] = [];
  const ask = async <T>(
    work: (writing: Writing) => Promise<T>,
    { body, headers = {}, query = '', quota }: Asked = {},
  ): Promise<T | [status: number, json: unknown]> => {
    try {
      const found = await memoryBsos(store).write(user.uid, NOW_MS, (writer) =>
        work({
          ...{ user: writer, name: 'col', nowMs: NOW_MS, query: new URLSearchParams(query) },
          request: new Request('https://h/', {
            method: 'PUT',
            headers: { 'content-type': 'application/json', ...headers },
          }),
          body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body ?? null)),
          limits: { ...DEFAULT_LIMITS, max_record_payload_bytes: 10 },
          quota: async (bytes) => {
            asked.push(bytes);
            return quota === undefined ? { 'X-Quota': `${bytes}` } : quota(bytes);
          },
          newId: () => 'batch1',
        }),
      );
      return found as T;
    } catch (error) {
      expect(error).toBeInstanceOf(HttpError);
      const { status, json } = error as HttpError;
      return [status, json];
    }
  };
  return { ask, asked, records: () => user.collections.get('col') };
}

const since = (text: string) => ({ 'X-If-Unmodified-Since': text });
const over = async (): Promise<never> => {
  throw new HttpError(400, 14);
};

describe('a record that is put', () => {
  it('is there under a new stamp, which is the answer', async () => {
    const { ask, asked, records } = storage();
    const stampMs = NOW_MS + 10;
    expect(await ask((is) => putRecord(is, 'b'), { body: { payload: 'é' } })).toEqual({
      json: stampMs / 1000,
      modifiedMs: stampMs,
      headers: { 'X-Quota': '2' },
    });
    expect([records()?.get('b', NOW_MS)?.payload, asked]).toEqual(['é', [2]]);
  });

  test.each<[string, Asked, unknown]>([
    ['a', { body: {}, headers: since('1499999999.99') }, [412, 0]],
    ['a', { body: '{' }, [400, 6]],
    ['a', { body: [] }, [400, 8]],
    ['a', { body: { other: 1 } }, [400, 8]],
    ['a', { body: {}, headers: { 'content-type': 'text/html' } }, [415, 0]],
    ['a', { body: { payload: `${'é'.repeat(5)}x` } }, [413, 17]],
    ['a', { body: { payload: 'x' }, quota: over }, [400, 14]],
  ])('is refused, and changes nothing: %s %j', async (id, more, expected) => {
    const { ask, records } = storage();
    expect(await ask((is) => putRecord(is, id), more)).toEqual(expected);
    expect(records()?.get('a', NOW_MS)).toMatchObject({ payload: 'p', modifiedMs: NOW_MS });
  });

  it('is judged by its own stamp, not by that of its collection', async () => {
    const { ask } = storage();
    const made = await ask((is) => putRecord(is, 'b'), { body: {}, headers: since('0') });
    expect(made).toMatchObject({ modifiedMs: NOW_MS + 10 });
    const same = await ask((is) => putRecord(is, 'a'), { body: {}, headers: since(STAMP) });
    expect(same).toMatchObject({ modifiedMs: NOW_MS + 20 });
    const long = await ask((is) => putRecord(is, 'a'), { body: { payload: 'x'.repeat(10) } });
    expect(long).toMatchObject({ modifiedMs: NOW_MS + 30 });
  });
});

describe('records that are posted', () => {
  it('are written under one stamp, and those that cannot be are named', async () => {
    const { ask, asked } = storage();
    const body = [
      { id: 'b', payload: 'x' },
      { id: 'c', payload: 7 },
    ];
    expect(await ask(postRecords, { body })).toEqual({
      json: {
        modified: (NOW_MS + 10) / 1000,
        success: ['b'],
        failed: { c: expect.anything() },
      },
      modifiedMs: NOW_MS + 10,
      headers: { 'X-Quota': `${JSON.stringify(body).length}` },
    });
    expect(asked).toEqual([JSON.stringify(body).length]);
  });

  it('wait in a batch where they are to, and the collection keeps its stamp', async () => {
    const { ask, records } = storage();
    const body = [{ id: 'b', payload: 'x' }];
    expect(await ask(postRecords, { body, query: 'batch=true' })).toMatchObject({
      status: 202,
      json: { batch: expect.any(String), success: ['b'] },
      modifiedMs: NOW_MS,
    });
    expect(records()?.get('b', NOW_MS)).toBeUndefined();
  });

  test.each<[Asked, unknown]>([
    [{ body: [], headers: since('1499999999.99') }, [412, 0]],
    [{ body: '{' }, [400, 6]],
    [{ body: [], headers: { 'X-Weave-Records': '101' } }, [400, 17]],
    [{ body: [], quota: over }, [400, 14]],
  ])('are refused: %j', async (more, expected) => {
    expect(await storage().ask(postRecords, more)).toEqual(expected);
  });
});

describe('what is deleted', () => {
  it('is one record, if it is there and nobody has changed it', async () => {
    const { ask, records } = storage();
    expect(await ask((is) => deleteRecord(is, 'none'))).toEqual([404, 0]);
    const late = await ask((is) => deleteRecord(is, 'a'), { headers: since('1499999999.99') });
    expect(late).toEqual([412, 0]);
    expect(await ask((is) => deleteRecord(is, 'a'))).toBe(NOW_MS + 10);
    expect(records()?.count(NOW_MS)).toBe(0);
  });

  it('is the whole collection, or what of it the query names', async () => {
    const { ask, records } = storage();
    const late = await ask(deleteCollection, { headers: since('1499999999.99') });
    expect(late).toEqual([412, 0]);
    expect(await ask(deleteCollection, { query: 'ids=a,none' })).toBe(NOW_MS + 10);
    expect(records()?.count(NOW_MS)).toBe(0);
    expect(await ask(deleteCollection)).toBe(NOW_MS + 20);
    expect(records()).toBeUndefined();
    expect(await ask(deleteCollection, { headers: since('0') })).toBe(NOW_MS + 20);
  });
});
