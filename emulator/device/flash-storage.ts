// The Storage port of the emulated device: SQLite on its flash, a fresh instance for every boot.
// Promises exact counts of what storing costs: instructions, heap, bytes given to be stored.
// A power cut ends a call with `PowerCut`, which is no error of the port; then only `Flash.reboot`
// and a new storage help.

import type { Change, ScanRange, Storage, Value } from '../../platform/ports.ts';
import { type Engine, type Rewrite, startEngine } from '../../platform/sqlite/engine.ts';
import { SqliteStore, type Tuning } from '../../platform/sqlite/store.ts';
import { valueBytes } from '../../platform/storage-rules.ts';
import type { Flash } from './flash.ts';
import type { Random } from './random.ts';
import { Meter, meterModule } from './wasm/meter.ts';

interface FlashStorageOptions {
  readonly flash: Flash;
  readonly quotaBytes: number;
  /** SQLite's heap stays under this: a commit that needs more fails. */
  readonly heapBytesMax: number;
  /** Salts SQLite's log; another seed for every boot is good, the same is deterministic too. */
  readonly random: Random;
  readonly nowMs: () => number;
  /** Overrides of the layout's measured choices. */
  readonly tuning?: Partial<Tuning>;
}

export class FlashStorage implements Storage {
  readonly #engine: Engine;
  readonly #store: SqliteStore;
  #commits = 0;
  #payloadBytes = 0;

  /** Switches the storage on. Reads and writes no flash before the first call. */
  static async open(options: FlashStorageOptions): Promise<FlashStorage> {
    return new FlashStorage(await startEngine(METERED), options);
  }

  private constructor(engine: Engine, options: FlashStorageOptions) {
    const { flash, random } = options;
    this.#engine = engine;
    this.#store = new SqliteStore(engine, {
      ...options,
      files: flash,
      random: (count) => random.bytes(count),
    });
  }

  async get(keys: readonly string[]): Promise<(Value | null)[]> {
    return this.#store.get(keys);
  }

  async scan(range: ScanRange): Promise<string[]> {
    return this.#store.scan(range);
  }

  async commit(changes: readonly Change[]): Promise<void> {
    this.#store.commit(changes);
    this.#commits++;
    for (const [key, value] of changes) {
      this.#payloadBytes += key.length + (value === null ? 0 : valueBytes(value));
    }
  }

  async repair(ifLost: readonly Change[] = []): Promise<boolean> {
    return this.#store.repair(ifLost);
  }

  /** Commits that became durable. */
  get commits(): number {
    return this.#commits;
  }

  /** Bytes of keys and values in those commits: what write amplification is measured against. */
  get payloadBytes(): number {
    return this.#payloadBytes;
  }

  /** WebAssembly instructions that SQLite and the sums of its pages have taken since this boot. */
  instructions(): number {
    const { ops } = new Meter(this.#engine.exports);
    return Number(ops) + this.#store.pagesSummed * PAGE_SUM_INSTRUCTIONS;
  }

  /** Most heap SQLite has had at once since this boot, what the store keeps in memory included. */
  heapPeakBytes(): number {
    return this.#store.heapPeakBytes();
  }

  /** What is wrong with the stored data; empty when all is well. */
  check(): string[] {
    return this.#store.check();
  }
}

/**
 * A load, two additions and a share of the loop for each of 1,022 words: the device does it in
 * native code.
 */
const PAGE_SUM_INSTRUCTIONS = 1022 * 6;

const METERED: Rewrite = meterModule;
