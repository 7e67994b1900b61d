// What of one kind of things (pages, logins) must be there when all sides have met: what was there
// before, and of each thing that was edited since, one of the last words. An edit that was made by
// who had seen another one has taken its place; of edits that did not know of each other either may
// stay, and of visits all. It never asks anybody: it is told of every edit that was acknowledged.

/** A page by its address, or a login by its origin. */
export interface Thing {
  readonly key: string;
  /** Its title, or its password. */
  readonly value: string;
  /** Microseconds since 1970, newest first. */
  readonly visits: readonly number[];
}

/** Null: deleted. */
interface Word {
  readonly side: string;
  readonly value: string | null;
}

interface Edited {
  words: Word[];
  /** All that it ever was meanwhile. */
  readonly values: Set<string>;
  readonly visits: Set<number>;
  /** Somebody has deleted it, whose visits may be gone with it. */
  wasDeleted: boolean;
}

export class Model {
  #base = new Map<string, Thing>();
  readonly #edited = new Map<string, Edited>();
  #hasBegunAnew = false;
  /** Deletions that were forgotten with the storage that knew of them. */
  undone = 0;

  /** `seen`: what the side held there when it was edited; null: nothing. */
  put(side: string, { key, value, visits }: Thing, seen: string | null): void {
    const edited = this.#editedBy(side, key, value, seen);
    for (const date of visits) edited.visits.add(date);
  }

  delete(side: string, key: string, seen: string | null): void {
    this.#editedBy(side, key, null, seen).wasDeleted = true;
  }

  /**
   * All that the server knew is gone: what somebody holds comes back, also what another one has
   * deleted meanwhile.
   */
  begunAnew(): void {
    this.#hasBegunAnew = true;
  }

  /** Why this cannot be what all sides agree on. */
  problems(held: readonly Thing[]): string[] {
    const found: string[] = [];
    const things = new Map<string, Thing>();
    for (const thing of held) {
      if (things.has(thing.key)) found.push(`${thing.key} is there twice`);
      things.set(thing.key, thing);
    }
    for (const [key, before] of this.#base)
      if (!this.#edited.has(key)) found.push(...unchanged(before, things.get(key)));
    for (const [key, edited] of this.#edited)
      found.push(...this.#problemsOf(key, edited, things.get(key)));
    for (const key of things.keys())
      if (!this.#base.has(key) && !this.#edited.has(key)) found.push(`${key} is nobody's`);
    return found;
  }

  /** From now on this is what was there before. */
  settle(held: readonly Thing[]): void {
    for (const { key } of held) if (this.#isUndone(key, held)) this.undone++;
    this.#base = new Map(held.map((thing) => [thing.key, thing]));
    this.#edited.clear();
    this.#hasBegunAnew = false;
  }

  #editedBy(side: string, key: string, value: string | null, seen: string | null): Edited {
    const edited = this.#edited.get(key) ?? this.#newEdited(key);
    const isOver = (word: Word): boolean =>
      seen === null ? word.side === side && word.value === null : word.value === seen;
    edited.words = [...edited.words.filter((word) => !isOver(word)), { side, value }];
    if (value !== null) edited.values.add(value);
    this.#edited.set(key, edited);
    return edited;
  }

  #newEdited(key: string): Edited {
    const before = this.#base.get(key);
    const values = new Set(before === undefined ? [] : [before.value]);
    return { words: [], values, visits: new Set(), wasDeleted: false };
  }

  #problemsOf(key: string, edited: Edited, thing: Thing | undefined): string[] {
    const said = edited.words.map(({ side, value }) => `${side}: ${value ?? 'deleted'}`).join(', ');
    const value = thing?.value ?? null;
    const isWord = edited.words.some((word) => word.value === value);
    const isBack = this.#hasBegunAnew && edited.wasDeleted && edited.values.has(value ?? '');
    if (!isWord && !isBack) return [`${key} is ${value}, and not ${said}`];
    if (thing === undefined || edited.wasDeleted) return [];
    const missing = [...edited.visits].filter((date) => !thing.visits.includes(date));
    return missing.length === 0 ? [] : [`${key} has lost visits: ${missing.join(', ')}`];
  }

  #isUndone(key: string, held: readonly Thing[]): boolean {
    const value = held.find((thing) => thing.key === key)?.value ?? null;
    const words = this.#edited.get(key)?.words ?? [];
    return words.length > 0 && !words.some((word) => word.value === value);
  }
}

function unchanged(before: Thing, now: Thing | undefined): string[] {
  if (now === undefined) return [`${before.key} is gone`];
  if (now.value !== before.value) return [`${before.key} is ${now.value}, not ${before.value}`];
  const [newest] = before.visits;
  if (newest === undefined || now.visits.includes(newest)) return [];
  return [`${before.key} has lost its newest visit`];
}

/** Where two sides do not hold the same things; of visits the newest are compared. */
export function differences(a: readonly Thing[], b: readonly Thing[]): string[] {
  const [inA, inB] = [textsOf(a), textsOf(b)];
  const keys = new Set([...inA.keys(), ...inB.keys()]);
  return [...keys].filter((key) => inA.get(key) !== inB.get(key));
}

/** Fewer than a device sends. */
const VISITS_COMPARED = 8;

function textsOf(things: readonly Thing[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const { key, value, visits } of things) {
    const text = JSON.stringify([value, visits.slice(0, VISITS_COMPARED)]);
    texts.set(key, `${texts.get(key) ?? ''}${text}`);
  }
  return texts;
}
