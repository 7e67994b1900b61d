// Edits of all sides, by chance: new things, also the same on two sides, other titles and
// passwords, deletions, and again and again of the same few things. What was acknowledged, the
// model is told.

import type { Random } from '../../emulator/device/random.ts';
import { Model, type Thing } from './model.ts';
import { KINDS, type Kind, type Side } from './side.ts';
import type { Tally } from './tally.ts';

/** In a hundred. */
const LOGINS = 25;
const NEW = 25;
const DELETED = 20;
const HOT = 50;
const HOT_KEYS = 6;
/** Made by several sides, which do not know of each other. */
const TWINS = 'twins';

export class Edits {
  readonly models: ReadonlyMap<Kind, Model> = new Map(KINDS.map((kind) => [kind, new Model()]));
  readonly #random: Random;
  readonly #tally: Tally;
  readonly #keys = new Map<Kind, string[]>(KINDS.map((kind) => [kind, []]));
  #count = 0;
  /** Microseconds: no two visits are at the same time. */
  #visitUs = 0;

  constructor(random: Random, tally: Tally) {
    this.#random = random;
    this.#tally = tally;
  }

  modelOf(kind: Kind): Model {
    return this.models.get(kind) ?? new Model();
  }

  /** What all agree on: the things that are edited from now on, and what is checked against. */
  settle(kind: Kind, held: readonly Thing[]): void {
    this.modelOf(kind).settle(held);
    this.#keys.set(
      kind,
      held.map(({ key }) => key),
    );
  }

  /** One edit of this side. Rejects where the side refuses it. */
  async make(side: Side): Promise<void> {
    const kind = this.#percent() < LOGINS ? 'passwords' : 'history';
    const keys = this.#keys.get(kind) ?? [];
    const n = ++this.#count;
    if (this.#percent() < NEW || keys.length === 0) {
      const of = side.findsDoubles && this.#percent() < HOT ? TWINS : 'fleet';
      const key = kind === 'history' ? `https://${of}.example/${n}` : `https://${of}-${n}.example`;
      keys.push(key);
      return this.#put(side, kind, key, n);
    }
    const key = this.#keyOf(keys);
    const isTwin = key.startsWith(`https://${TWINS}`);
    if (isTwin && !side.findsDoubles) return;
    const seen = await side.value(kind, key);
    // What it does not hold, another one has just made, or deleted: then both make it.
    if (seen === null && !isTwin) return;
    if (seen === null || this.#percent() >= DELETED) return this.#put(side, kind, key, n);
    if (!(await side.delete(kind, key))) return;
    this.modelOf(kind).delete(side.name, key, seen);
    this.#tally.add(`deletions: ${side.name}`);
  }

  async #put(side: Side, kind: Kind, key: string, n: number): Promise<void> {
    const seen = await side.value(kind, key);
    this.#visitUs = Math.max(this.#visitUs + 1_000, Date.now() * 1_000);
    const visits = kind === 'history' ? [this.#visitUs] : [];
    const thing = { key, value: `${side.name} ${n}`, visits };
    await side.put(kind, thing);
    this.modelOf(kind).put(side.name, thing, seen);
    this.#tally.add(`edits: ${side.name}`);
  }

  /** One of the few newest, or any. */
  #keyOf(keys: readonly string[]): string {
    const among = this.#percent() < HOT ? Math.min(HOT_KEYS, keys.length) : keys.length;
    return keys[keys.length - 1 - (this.#random.uint32() % among)] ?? '';
  }

  #percent(): number {
    return this.#random.uint32() % 100;
  }
}
