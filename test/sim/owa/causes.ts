// What a story has to end with where no clock can be believed, out of who knew what when something
// was said: the last word on an app is one that nobody has said anything after, and a receipt may
// be gone only with a deletion that its app was not installed after. It knows neither stamps nor
// merges.

/** Something that was said of an app: it is there in this version, or deleted. */
export interface Said {
  readonly origin: string;
  /** Each has its own, and a receipt that is called as it is; null: it is deleted. */
  readonly version: string | null;
  /** What whoever said it knew of the app. */
  readonly after: ReadonlySet<Said>;
  /** A server that was set back has forgotten it, and no device had heard of it. */
  isForgotten: boolean;
}

export class Causes {
  readonly #said = new Map<string, Said[]>();

  /** `knows`: what whoever says it has heard of the app. */
  says(origin: string, version: string | null, knows: Iterable<Said>): Said {
    const after = new Set<Said>();
    for (const one of knows) {
      after.add(one);
      for (const before of one.after) after.add(before);
    }
    const said: Said = { origin, version, after, isForgotten: false };
    this.#said.set(origin, [...(this.#said.get(origin) ?? []), said]);
    return said;
  }

  /** Undefined: nobody has said it. */
  of(origin: string, version: unknown): Said | undefined {
    return this.#said.get(origin)?.find((one) => one.version === version);
  }

  all(): Said[] {
    return [...this.#said.values()].flat();
  }

  /** What an app may end as. */
  lastOf(origin: string): ReadonlySet<string | null> {
    const all = this.#said.get(origin) ?? [];
    const isLast = (one: Said) => !all.some((other) => !other.isForgotten && other.after.has(one));
    return new Set(all.filter(isLast).map(({ version }) => version));
  }

  /** The receipts that an app has, if it is not deleted. */
  owedOf(origin: string): string[] {
    const all = this.#said.get(origin) ?? [];
    const deletions = all.filter(({ version }) => version === null);
    return all
      .filter(({ isForgotten, after }) => !isForgotten && deletions.every((one) => after.has(one)))
      .flatMap(({ version }) => version ?? []);
  }
}
