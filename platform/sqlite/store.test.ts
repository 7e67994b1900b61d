import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../test/support/memory-files.ts';
import type { Change, Value } from '../ports.ts';
import { StorageError } from '../storage-rules.ts';
import { startEngine } from './engine.ts';
import { SqliteStore } from './store.ts';

const KIB = 1024;
const ALL = { from: '!', to: '~~', limit: 10_000 };
const ENGINE = startEngine();

type Options = ConstructorParameters<typeof SqliteStore>[1];

async function storeOn(files: MemoryFiles, options: Partial<Options> = {}): Promise<SqliteStore> {
  const random = (count: number) => new Uint8Array(count).fill(4);
  return new SqliteStore(await ENGINE, { files, random, nowMs: () => 0, ...options });
}

function contentOf(store: SqliteStore): Record<string, Value | null> {
  const keys = store.scan(ALL);
  const values = store.get(keys);
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? null]));
}

const put = (store: SqliteStore, content: Record<string, Value | null>): void =>
  store.commit(Object.entries(content));

/** Values of some 100 characters, 30 to a page. */
function values(count: number): Record<string, string> {
  const numbers = Array.from({ length: count }, (_, i) => 1000 + i);
  return Object.fromEntries(numbers.map((n) => [`k${n}`, `${n}. `.repeat(18)]));
}

/** Turns bits of the page over that this is in. */
function spoil(files: MemoryFiles, name: string, text: string, mask = 0x55): void {
  const at = Buffer.from(files.of(name)).indexOf(text);
  expect(at).toBeGreaterThan(4096);
  files.flip(name, at, mask);
}

const code = (code: string, more: object = {}) => expect.objectContaining({ code, ...more });

describe('a store', () => {
  it('opens nothing before it is asked, and has all in one file when it is closed', async () => {
    const files = new MemoryFiles();
    const store = await storeOn(files);
    store.commit([]);
    expect(files.bytes.size).toBe(0);
    put(store, { a: '1' });
    expect(files.exists('store-wal')).toBe(true);
    store.close();
    expect([...files.bytes.keys()]).toEqual(['store']);
    expect(contentOf(store)).toEqual({ a: '1' });
    store.close();
    store.close();
  });

  it('refuses keys and commits over the limits before it opens anything', async () => {
    const files = new MemoryFiles();
    const store = await storeOn(files, { limits: { changesMax: 2, valueBytesMax: 10 } });
    expect(() => store.get(['a b'])).toThrow(new RangeError('not a storage key: "a b"'));
    expect(() => put(store, { a: 'x'.repeat(11) })).toThrow(/the value of a is too long/);
    expect(() => put(store, { a: '1', b: '2', c: '3' })).toThrow(/3 changes in one commit/);
    expect(files.bytes.size).toBe(0);
    put(store, { a: '1', b: 'x'.repeat(10) });
    store.close();
  });

  it('says what its memory and its sums cost', async () => {
    const store = await storeOn(new MemoryFiles());
    put(store, { a: '1' });
    expect(store.heapPeakBytes()).toBeGreaterThan(10_000);
    expect(store.pagesSummed).toBeGreaterThan(0);
    expect(store.check()).toEqual([]);
    store.close();
  });
});

describe('a store that is full', () => {
  const QUOTA = 1024 * KIB;

  /** Keys of 3,000 characters until there is no room; how many there are. */
  function fill(store: SqliteStore): number {
    for (let stored = 0; ; stored++) {
      try {
        put(store, { [`r${1000 + stored}`]: 'x'.repeat(3000) });
      } catch (error) {
        expect(error).toMatchObject({ code: 'full' });
        return stored;
      }
    }
  }

  it('has nothing of the commit, stays under its quota, and goes on with removals', async () => {
    const files = new MemoryFiles();
    const store = await storeOn(files, { quotaBytes: QUOTA });
    const stored = fill(store);
    expect(stored).toBeGreaterThan(50);
    expect(Object.keys(contentOf(store))).toHaveLength(stored);
    const bytes = [...files.bytes.values()].reduce((sum, { length }) => sum + length, 0);
    expect(bytes).toBeLessThanOrEqual(QUOTA);
    // Removals beside something that needs room are none.
    const mixed = { r1000: null, more: 'x'.repeat(9000) };
    expect(() => put(store, mixed)).toThrow(code('full'));
    for (let at = 0; at < stored - 5; at++) put(store, { [`r${1000 + at}`]: null });
    expect(Object.keys(contentOf(store))).toHaveLength(5);
    put(store, { more: 'x'.repeat(9000) });
    expect(store.check()).toEqual([]);
    store.close();
  });

  it('needs a log of its own: a commit longer than that is full', async () => {
    const store = await storeOn(new MemoryFiles(), { quotaBytes: QUOTA });
    put(store, { a: '1' });
    expect(() => put(store, { much: 'x'.repeat(400 * KIB) })).toThrow(code('full'));
    expect(contentOf(store)).toEqual({ a: '1' });
    store.close();
  });

  it('may be a device without room: the file says so', async () => {
    const files = new MemoryFiles();
    const store = await storeOn(files);
    put(store, { a: '1' });
    files.onCall = (call) => {
      if (call === 'write') throw new StorageError('full', 'there is no room left (ENOSPC)');
    };
    expect(() => put(store, { b: '1' })).toThrow(
      code('full', { message: 'there is no room left (ENOSPC)' }),
    );
    files.onCall = null;
    expect(contentOf(store)).toEqual({ a: '1' });
    store.close();
  });
});

describe('a store whose device fails', () => {
  it.each(['write', 'sync'] as const)(
    'has not done a commit that failed, or wholly, and works again when files do: %s',
    async (at) => {
      const files = new MemoryFiles();
      const store = await storeOn(files);
      put(store, { a: '1' });
      files.onCall = (call) => {
        if (call === at) throw new StorageError('failed', 'file error EIO');
      };
      const failed = code('failed', { message: 'file error EIO' });
      expect(() => put(store, { b: '1', c: '1' })).toThrow(failed);
      files.onCall = null;
      // What is in the log may get to the flash without its sync.
      const after = at === 'sync' ? { a: '1', b: '1', c: '1' } : { a: '1' };
      expect(contentOf(store)).toEqual(after);
      put(store, { a: '2' });
      expect(contentOf(store)).toEqual({ ...after, a: '2' });
      store.close();
    },
  );

  it('has done a commit of which only the checkpoint failed', async () => {
    const files = new MemoryFiles();
    const store = await storeOn(files, { tuning: { checkpointPages: 4 } });
    put(store, { a: '1' });
    files.onCall = (call, name) => {
      if (call === 'write' && name === 'store') throw new StorageError('failed', 'file error EIO');
    };
    put(store, { b: 'x'.repeat(50_000) });
    files.onCall = null;
    expect(Object.keys(contentOf(store))).toEqual(['a', 'b']);
    store.close();
  });

  it('ends with what is no error of a storage: the power is off', async () => {
    for (const at of ['write', 'read'] as const) {
      const files = new MemoryFiles();
      let store = await storeOn(files);
      put(store, { a: 'x'.repeat(100_000) });
      store.close();
      store = await storeOn(files);
      const off = new Error('the power is off');
      files.onCall = (call) => {
        if (call === at) throw off;
      };
      const work = () => (at === 'write' ? put(store, { b: '1' }) : store.get(['a']));
      expect(work).toThrow(off);
      expect(work).toThrow(off);
      expect(() => store.repair([])).toThrow(off);
      files.onCall = null;
      expect(Object.keys(contentOf(store))).toEqual(['a']);
      store.close();
    }
  });

  it('fails a commit that needs more memory than it may have, and goes on', async () => {
    const memory = { heapBytesMax: 400 * KIB, tuning: { cacheKiB: 4000 } };
    const engine = await startEngine();
    const random = (count: number) => new Uint8Array(count);
    const store = new SqliteStore(engine, {
      ...memory,
      files: new MemoryFiles(),
      random,
      nowMs: () => 0,
    });
    put(store, { a: '1' });
    const much = Array.from({ length: 1000 }, (_, i): Change => [`${i}`, 'x'.repeat(1000)]);
    expect(() => store.commit(much)).toThrow(code('failed'));
    expect(contentOf(store)).toEqual({ a: '1' });
    store.close();
  });
});

describe('a store that is damaged', () => {
  /** 300 values, all of them in the index, and in one file. */
  async function damaged(text = '1150. 1150.') {
    const files = new MemoryFiles();
    const store = await storeOn(files, { tuning: { tailBytesMax: 1000 } });
    put(store, values(300));
    store.close();
    if (text !== '') spoil(files, 'store', text);
    return { files, store };
  }

  it('says so with the key that was read, or that a range begins with', async () => {
    const { store } = await damaged();
    expect(() => store.get(['k1000', 'k1150'])).toThrow(code('damaged', { key: 'k1150' }));
    expect(store.get(['k1000'])).toEqual([values(1).k1000]);
    const { store: other, files } = await damaged('');
    // The name of a key is in a row and in the index.
    const bytes = Buffer.from(files.of('store'));
    for (let at = bytes.indexOf('k1200'); at >= 0; at = bytes.indexOf('k1200', at + 1)) {
      files.flip('store', at, 0x55);
    }
    expect(() => other.scan(ALL)).toThrow(code('damaged', { key: '!' }));
  });

  it('is as it was until it is repaired, its log too', async () => {
    const files = new MemoryFiles();
    const store = await storeOn(files);
    for (let at = 0; at < 5; at++) put(store, { [`k${at}`]: 'x'.repeat(5000) });
    const left = files.copy();
    left.flip('store-wal', 32 + 2 * 4120 + 500, 0x55);
    const asItWas = Buffer.from(left.of('store-wal')).toString('base64');
    const later = await storeOn(left);
    for (let i = 0; i < 2; i++) {
      const lost = code('damaged', { message: 'the log has lost commits', key: undefined });
      expect(() => later.scan(ALL)).toThrow(lost);
    }
    expect(Buffer.from(left.of('store-wal')).toString('base64')).toBe(asItWas);
    expect(later.repair([['lost', 'x']])).toBe(false);
    expect(later.get(['lost', 'k4'])).toEqual(['x', 'x'.repeat(5000)]);
    later.close();
    store.close();
  });

  it('has after a repair what proves itself, and the note of the loss with it', async () => {
    const { files, store } = await damaged();
    expect(store.repair([['lost', 'x']])).toBe(false);
    const { lost, ...content } = contentOf(store);
    expect(lost).toBe('x');
    expect(Object.keys(content).length).toBeGreaterThan(200);
    for (const [key, value] of Object.entries(content)) expect(value).toBe(values(300)[key]);
    store.close();
    expect([...files.bytes.keys()]).toEqual(['store']);
    expect(store.check()).toEqual([]);
    store.close();
  });

  it('has all of it, and no note, where only the index was damaged or nothing at all', async () => {
    const { store } = await damaged('');
    expect(store.repair([['lost', 'x']])).toBe(true);
    expect(contentOf(store)).toEqual(values(300));
    store.close();
  });

  it('refuses a note over the limits before anything is changed', async () => {
    const { files, store } = await damaged();
    const asItWas = Buffer.from(files.of('store')).toString('base64');
    expect(() => store.repair([['a b', 'x']])).toThrow(RangeError);
    expect(Buffer.from(files.of('store')).toString('base64')).toBe(asItWas);
  });

  it('is left alone if there is no room for a second one', async () => {
    const { files, store } = await damaged();
    const asItWas = Buffer.from(files.of('store')).toString('base64');
    files.onCall = (call, name) => {
      if (call === 'write' && name.startsWith('store-draft')) {
        throw new StorageError('full', 'there is no room left');
      }
    };
    expect(() => store.repair([])).toThrow(code('full'));
    files.onCall = null;
    expect(Buffer.from(files.of('store')).toString('base64')).toBe(asItWas);
    expect(store.repair([])).toBe(false);
    store.close();
  });
});

describe('what a loss of power has left half done', () => {
  it('is thrown away where it was a draft, and takes its place where it was complete', async () => {
    const files = new MemoryFiles();
    const store = await storeOn(files);
    put(store, { a: 'of the store' });
    const other = new MemoryFiles();
    const next = await storeOn(other);
    put(next, { a: 'of the next' });
    next.close();
    for (const [draft, expected] of [
      ['store-draft', 'of the store'],
      ['store-next', 'of the next'],
    ] as const) {
      const left = files.copy();
      left.bytes.set(draft, other.of('store').slice());
      if (draft === 'store-draft') left.bytes.set('store-draft-wal', new Uint8Array(9));
      left.bytes.set('store-journal', new Uint8Array(0));
      const later = await storeOn(left);
      expect(contentOf(later)).toEqual({ a: expected });
      later.close();
      expect([...left.bytes.keys()].sort()).toEqual(
        draft === 'store-next' ? ['store'] : expect.arrayContaining(['store']),
      );
      expect(left.exists(draft)).toBe(false);
    }
    store.close();
  });
});
