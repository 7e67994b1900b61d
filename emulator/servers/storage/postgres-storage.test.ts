// What is decided before PostgreSQL does anything: which connection is used and given up, what is
// sent in which transaction, and what an error of it means. The connections are the test's own; the
// suites on a real PostgreSQL are test/servers.

import { beforeEach, describe, expect, test, vi } from 'vitest';
import { StorageError } from '../../../platform/storage-rules.ts';
import { openPostgresStorage } from './postgres-storage.ts';

type Asked = string | { readonly name: string; readonly text: string; readonly values?: unknown[] };
type Rows = readonly (readonly unknown[])[];

/** What the next statements that match are answered with; an Error is thrown. */
let answers: [RegExp, Rows | Error][] = [];
let log: string[] = [];
let sent: { readonly name: string; readonly values: unknown[] }[] = [];
let server = { encoding: 'UTF8', version: '150004' };
let ended = 0;

const said = (sqlState?: string) =>
  Object.assign(new Error('as the server says'), sqlState === undefined ? {} : { code: sqlState });

vi.mock('pg', () => ({
  default: {
    Pool: class {
      #made = 0;
      on = () => undefined;
      end = async () => void ended++;
      async connect() {
        const id = ++this.#made;
        const failed = take('connect');
        if (failed instanceof Error) throw failed;
        return {
          on: () => undefined,
          removeListener: () => undefined,
          release: (isBroken: boolean) => log.push(`${id} ${isBroken ? 'gone' : 'back'}`),
          async query(asked: Asked) {
            const text = typeof asked === 'string' ? asked : (asked.name ?? asked.text);
            log.push(`${id} ${(text.match(/^SELECT c|^BEGIN; S|^\w+/) ?? [text])[0]}`);
            if (typeof asked !== 'string' && asked.values !== undefined)
              sent.push({ name: asked.name, values: asked.values });
            const answer = take(text);
            if (answer instanceof Error) throw answer;
            if (text.startsWith('SELECT current'))
              return { rows: [[server.encoding, server.version]] };
            return { rows: answer ?? [] };
          },
        };
      }
    },
  },
}));

function take(text: string): Rows | Error | undefined {
  const at = answers.findIndex(([pattern]) => pattern.test(text));
  return at < 0 ? undefined : answers.splice(at, 1)[0]?.[1];
}

beforeEach(() => {
  answers = [];
  ended = 0;
  server = { encoding: 'UTF8', version: '150004' };
});

async function opened() {
  const storage = await openPostgresStorage('postgres://tests');
  log = [];
  sent = [];
  return storage;
}

describe('a database', () => {
  test.each([
    ['SQL_ASCII', '150004', 'its encoding is SQL_ASCII, not UTF8'],
    ['UTF8', '100023', 'PostgreSQL 11 or newer is needed'],
  ])('of %s and version %s is no place for this', async (encoding, version, message) => {
    server = { encoding, version };
    await expect(openPostgresStorage('postgres://tests')).rejects.toMatchObject({ message });
    expect(ended).toBe(1);
  });

  test('of version 11 is one', async () => {
    server = { encoding: 'UTF8', version: '110000' };
    await (await openPostgresStorage('postgres://tests')).close();
    expect(ended).toBe(1);
  });

  test('that does not answer is said to have failed, and nothing stays open', async () => {
    answers = [[/^connect$/, said('ECONNREFUSED')]];
    const failure = await openPostgresStorage('postgres://tests').catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StorageError);
    expect(failure).toMatchObject({ code: 'failed', message: 'as the server says' });
    expect(ended).toBe(1);
  });
});

describe('a transaction', () => {
  test('writes what has changed, and commits it', async () => {
    const storage = await opened();
    await storage.transaction('a', async (tx) => {
      tx.put('k1', 'v');
      tx.put('k2', 'x\0y\u0001z');
      tx.remove('k3');
    });
    expect(log).toEqual(['2 BEGIN', '2 put', '2 remove', '2 COMMIT', '2 back']);
    expect(sent).toEqual([
      {
        name: 'put',
        values: [
          ['k1', 'k2'],
          ['v', 'x\u0001zy\u0001oz'],
        ],
      },
      { name: 'remove', values: [['k3']] },
    ]);
  });

  test('that changes nothing writes nothing, and reads what stands in the table', async () => {
    const storage = await opened();
    answers = [[/^get$/, [['k2', 'x\u0001zy\u0001oz']]]];
    expect(await storage.transaction('a', (tx) => tx.get(['k1', 'k2']))).toEqual([
      ...[null, 'x\0y\u0001z'],
    ]);
    expect(log).toEqual(['2 BEGIN', '2 get', '2 COMMIT', '2 back']);
  });

  test('sends much in portions of records, and of characters', async () => {
    const storage = await opened();
    await storage.transaction('a', async (tx) => {
      for (let index = 0; index < 2_001; index++) tx.put(`k${index}`, '');
    });
    expect(sent.map(({ values: [keys] }) => (keys as unknown[]).length)).toEqual([1_000, 1_000, 1]);
    sent = [];
    const half = 'x'.repeat(2 * 1024 * 1024);
    await storage.transaction('a', async (tx) => {
      for (let index = 0; index < 3; index++) tx.put(`k${index}`, half);
    });
    expect(sent.map(({ values: [keys] }) => (keys as unknown[]).length)).toEqual([2, 1]);
  });

  test('is undone by what its work throws, and its connection serves again', async () => {
    const storage = await opened();
    const failed = storage.transaction('a', async (tx) => {
      tx.put('k', 'v');
      throw new RangeError('of the work');
    });
    await expect(failed).rejects.toThrow('of the work');
    expect(log).toEqual(['2 BEGIN', '2 ROLLBACK', '2 back']);
  });

  test('that cannot be undone costs its connection, and the reason is the first one', async () => {
    const storage = await opened();
    answers = [[/^ROLLBACK$/, said()]];
    const failed = storage.transaction('a', async () => {
      throw new RangeError('of the work');
    });
    await expect(failed).rejects.toThrow('of the work');
    expect(log).toEqual(['2 BEGIN', '2 ROLLBACK', '2 gone']);
  });

  test.each([undefined, '57P01', '57P03', '08006', 'ECONNRESET', 'EPIPE'])(
    'on a connection that was lost before (%s) is begun on another one',
    async (code) => {
      const storage = await opened();
      answers = [[/^BEGIN/, said(code)]];
      await storage.transaction('a', async (tx) => tx.put('k', 'v'));
      expect(log).toEqual([...['2 BEGIN', '2 gone', '3 BEGIN', '3 put', '3 COMMIT', '3 back']]);
    },
  );

  test('that can be begun on no connection fails at last', async () => {
    const storage = await opened();
    answers = Array.from({ length: 50 }, () => [/^BEGIN/, said('57P01')]);
    await expect(storage.transaction('a', async () => 1)).rejects.toMatchObject({ code: 'failed' });
    expect(log.filter((line) => line.endsWith('BEGIN'))).toHaveLength(11);
  });

  test('whose lock is not free in time is not begun again', async () => {
    const storage = await opened();
    answers = [[/^BEGIN/, said('55P03')]];
    await expect(storage.transaction('a', async () => 1)).rejects.toMatchObject({ code: 'failed' });
    expect(log).toEqual(['2 BEGIN', '2 ROLLBACK', '2 back']);
  });

  test('that is lost in its middle is never run again: nobody knows what came of it', async () => {
    const storage = await opened();
    answers = [[/^COMMIT$/, said('57P01')]];
    let runs = 0;
    const failed = storage.transaction('a', async (tx) => tx.put('k', `${++runs}`));
    await expect(failed).rejects.toMatchObject({ name: 'StorageError', code: 'failed' });
    expect(runs).toBe(1);
  });

  test.each([
    ['53100', 'full'],
    ['53200', 'full'],
    ['23505', 'failed'],
    [undefined, 'failed'],
  ])('that PostgreSQL refuses with %s is %s', async (state, code) => {
    const storage = await opened();
    answers = [[/^put$/, said(state)]];
    const failed = storage.transaction('a', async (tx) => tx.put('k', 'v'));
    await expect(failed).rejects.toMatchObject({ name: 'StorageError', code });
    expect(log.slice(-2)).toEqual(['2 ROLLBACK', '2 back']);
  });
});

test('a range is asked for in its order, as far as it is wanted', async () => {
  const storage = await opened();
  answers = [
    [/^key ASC$/, [['a'], ['b']]],
    [/^key, value DESC$/, [['b', '\u0001z']]],
  ];
  const range = { from: 'a', to: 'c', limit: 2 };
  const found = await storage.read('a', async (reader) => [
    await reader.keys(range),
    await reader.scan({ ...range, reverse: true }),
  ]);
  expect(found).toEqual([['a', 'b'], [['b', '\0']]]);
  expect(sent.map(({ values }) => values)).toEqual([
    ['a', 'c', 2],
    ['a', 'c', 2],
  ]);
});

test('a key that is none is refused before anything is sent', async () => {
  const storage = await opened();
  await expect(storage.transaction('a', (tx) => tx.get(['a b']))).rejects.toThrow(RangeError);
  expect(sent).toEqual([]);
});
