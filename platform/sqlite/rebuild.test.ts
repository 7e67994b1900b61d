import { describe, expect, it } from 'vitest';
import { MemoryFiles } from '../../test/support/memory-files.ts';
import type { Value } from '../ports.ts';
import { PAGE_BYTES } from './checksum.ts';
import { startEngine } from './engine.ts';
import { rebuild } from './rebuild.ts';
import { SealedFiles } from './sealed-files.ts';
import { Session, type SessionOptions } from './session.ts';
import { installVfs } from './vfs.ts';

const ENGINE = startEngine();
const ALL = { from: '!', to: '~~', limit: 10_000 };
type Content = Record<string, Value | null>;

const NUMBERS = {
  pagesMax: 10_000,
  tailBytesMax: 20_000,
  youngEntriesMax: 1000,
  checkpointPages: 1000,
  cacheKiB: 96,
  heapBytesMax: 0,
};

/** `old` is the database that is read, `new` is made of it. */
class Databases {
  readonly files: MemoryFiles;
  readonly #sealed: SealedFiles;
  readonly #vfs: string;
  readonly #sqlite3: Awaited<typeof ENGINE>['sqlite3'];

  static async on(files = new MemoryFiles()): Promise<Databases> {
    return new Databases((await ENGINE).sqlite3, files);
  }

  private constructor(sqlite3: Awaited<typeof ENGINE>['sqlite3'], files: MemoryFiles) {
    const random = (count: number) => new Uint8Array(count).fill(2);
    this.files = files;
    this.#sealed = new SealedFiles(files);
    this.#sqlite3 = sqlite3;
    const options = { files: this.#sealed, random, nowMs: () => 0, logBytesMax: 2 ** 24 };
    this.#vfs = installVfs(sqlite3, options).name;
  }

  #place(name: string) {
    return { vfs: this.#vfs, files: this.#sealed, name };
  }

  open(name: string, options: Partial<SessionOptions> = {}): Session {
    return new Session(this.#sqlite3, { ...NUMBERS, ...options, ...this.#place(name) });
  }

  write(...commits: Content[]): this {
    const session = this.open('old');
    for (const changes of commits) session.commit(new Map(Object.entries(changes)), false);
    session.close();
    return this;
  }

  /** Runs SQL in the old database. */
  ask(sql: string): unknown {
    const db = new this.#sqlite3.oo1.DB({ filename: 'old', flags: 'w', vfs: this.#vfs });
    try {
      db.exec('PRAGMA locking_mode=EXCLUSIVE');
      return db.selectValue(sql);
    } finally {
      db.close();
    }
  }

  /** Flips bits in the page of the old database that this is in. */
  spoil(text: string): this {
    const at = Buffer.from(this.files.of('old')).indexOf(text);
    expect(at).toBeGreaterThan(PAGE_BYTES);
    this.files.flip('old', at, 0x55);
    return this;
  }

  rebuilt(): { isWhole: boolean; content: Content; commits: number[] } {
    this.open('new').close();
    const firstPage = this.files.of('new').slice(0, PAGE_BYTES);
    firstPage.fill(0, 28, 32);
    firstPage.fill(1, 18, 20);
    const asItWas = Buffer.from(this.files.of('old')).toString('base64');
    const session = this.open('new');
    const commits: number[] = [];
    const counting = Object.create(session, {
      commit: {
        value: (changes: ReadonlyMap<string, Value | null>, mergeNow: boolean) => {
          commits.push(changes.size);
          session.commit(changes, mergeNow);
        },
      },
    });
    const isWhole = rebuild(this.#sqlite3, this.#place('old'), firstPage, counting);
    const keys = session.scan(ALL);
    const content = Object.fromEntries(keys.map((key) => [key, session.get(key)]));
    expect(session.check()).toEqual([]);
    session.close();
    expect(Buffer.from(this.files.of('old')).toString('base64')).toBe(asItWas);
    return { isWhole, content, commits };
  }
}

/** Values of some 100 characters, 30 to a page. */
function values(count: number): Record<string, string> {
  const numbers = Array.from({ length: count }, (_, i) => 1000 + i);
  return Object.fromEntries(numbers.map((n) => [`k${n}`, `${n}. `.repeat(18)]));
}

describe('a database that is made anew', () => {
  it('has the last value of every key, and no removed one', async () => {
    const long = 'x'.repeat(70_000);
    const databases = (await Databases.on()).write(
      { a: 'old', b: 'old', gone: 'old', long: 'short', bytes: Uint8Array.of(1) },
      { a: 'new', gone: null, long, empty: '' },
      { back: '1' },
      { back: null },
      { back: '2' },
    );
    const { isWhole, content } = databases.rebuilt();
    expect(isWhole).toBe(true);
    expect(content).toEqual({
      a: 'new',
      b: 'old',
      back: '2',
      bytes: Uint8Array.of(1),
      empty: '',
      long,
    });
  });

  it('may be empty', async () => {
    const { isWhole, content } = (await Databases.on()).write().rebuilt();
    expect([isWhole, content]).toEqual([true, {}]);
  });

  it('has all of them where the index is lost: the rows say everything', async () => {
    const databases = (await Databases.on()).write(values(200));
    const session = databases.open('old');
    session.commit(new Map(), true);
    session.close();
    const root = Number(databases.ask("SELECT rootpage FROM sqlite_schema WHERE name = 'young'"));
    databases.files.flip('old', (root - 1) * PAGE_BYTES + 500, 0x55);
    const { isWhole, content } = databases.rebuilt();
    expect([isWhole, content]).toEqual([true, values(200)]);
  });

  it('is written in commits of 200 changes, or of 256 KiB', async () => {
    const databases = (await Databases.on()).write(values(250));
    expect(databases.rebuilt().commits).toEqual([200, 50]);
    const large = (await Databases.on()).write(
      Object.fromEntries(Array.from({ length: 7 }, (_, i) => [`l${i}`, `${i}`.repeat(100_000)])),
    );
    expect(large.rebuilt().commits).toEqual([3, 3, 1]);
  });
});

describe('a page that is damaged', () => {
  it('takes the values in it with it, and no other', async () => {
    const databases = (await Databases.on()).write(values(300)).spoil('1150. 1150.');
    const { isWhole, content } = databases.rebuilt();
    expect(isWhole).toBe(false);
    const lost = Object.keys(values(300)).filter((key) => !(key in content));
    expect(lost).toContain('k1150');
    expect(lost.length).toBeLessThan(60);
    for (const [key, value] of Object.entries(content)) expect(value).toBe(values(300)[key]);
    // Those behind it are there, too.
    expect(content.k1299).toBe(values(300).k1299);
  });

  it('takes the whole of a long value with it, whichever piece it was', async () => {
    for (const piece of ['A', 'B', 'C']) {
      const long = ['A', 'B', 'C'].map((letter) => letter.repeat(16_384)).join('');
      const databases = (await Databases.on()).write(
        { before: 'x', long: 'an older one' },
        { long },
        { after: 'y' },
      );
      databases.spoil(piece.repeat(3000));
      const { isWhole, content } = databases.rebuilt();
      expect([piece, isWhole, content.before, content.after]).toEqual([piece, false, 'x', 'y']);
      // Never a part of it; the older one only where nothing of the new one is left.
      expect([piece, content.long]).toEqual([piece, undefined]);
    }
  });
});

describe('a row that proves itself but says what cannot be', () => {
  const three = () => Databases.on().then((all) => all.write({ a: '1', b: 'x'.repeat(20_000) }));

  it('is a loss: what is no key', async () => {
    const databases = await three();
    databases.ask("INSERT INTO kv VALUES (50, 'no key: ' || char(233), 'x')");
    const { isWhole, content } = databases.rebuilt();
    expect([isWhole, Object.keys(content)]).toEqual([false, ['a', 'b']]);
  });

  it('is a loss: a piece with no value before it, and one that is not consecutive', async () => {
    const databases = await three();
    databases.ask("INSERT INTO kv VALUES (50, '', 'x')");
    const { isWhole, content } = databases.rebuilt();
    expect([isWhole, Object.keys(content)]).toEqual([false, ['a', 'b']]);
  });

  it('is a loss: a piece of a value that is a removal', async () => {
    const databases = await three();
    databases.ask('UPDATE kv SET v = NULL WHERE id = 3');
    const { isWhole, content } = databases.rebuilt();
    expect([isWhole, Object.keys(content)]).toEqual([false, ['a']]);
  });
});

describe('what cannot be read at all', () => {
  it('is a loss of everything: no database, and one without its table', async () => {
    const none = await Databases.on(new MemoryFiles([['old', new Uint8Array(8192).fill(0x78)]]));
    expect(none.rebuilt()).toMatchObject({ isWhole: false, content: {} });
    const databases = (await Databases.on()).write(values(300));
    // The table's root, which says where all its pages are.
    const root = Number(databases.ask("SELECT rootpage FROM sqlite_schema WHERE name = 'kv'"));
    databases.files.flip('old', (root - 1) * PAGE_BYTES + 100, 0x55);
    expect(databases.rebuilt()).toMatchObject({ isWhole: false, content: {} });
  });

  it('is the error of the files where they fail, and the old database can be opened', async () => {
    const databases = (await Databases.on()).write(values(300));
    const failed = new Error('the power is gone');
    let reads = 0;
    databases.files.onCall = (call, name) => {
      if (call === 'read' && name === 'old' && ++reads > 3) throw failed;
    };
    expect(() => databases.rebuilt()).toThrow(/SQLITE_IOERR/);
    databases.files.onCall = null;
    const session = databases.open('old');
    expect(session.scan(ALL)).toEqual(Object.keys(values(300)));
    session.close();
  });
});
