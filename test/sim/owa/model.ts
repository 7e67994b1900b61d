// What a story of devices with apps has to end with, out of when things were really done: it knows
// neither stamps nor merges nor what was lost on the way. The last word on an app counts, by the
// time that it was said at, whatever the clock of the device was; receipts are those of all that
// was said since the app was last deleted anywhere, and maybe some of before.

interface Told {
  /** Null: it is deleted. */
  readonly version: string | null;
  readonly atMs: number;
}

/** What an app ends as. */
interface End {
  /** Null: it is deleted. */
  readonly version: string | null;
  /** It has these receipts. */
  readonly receipts: readonly string[];
  /** And no others than these. */
  readonly allowed: readonly string[];
  readonly wasDeleted: boolean;
}

export class Model {
  readonly #told = new Map<string, Told[]>();

  /** Each version has a receipt, which is called as it is. */
  says(origin: string, version: string | null, atMs: number): void {
    const told = this.#told.get(origin) ?? [];
    told.push({ version, atMs });
    this.#told.set(origin, told);
  }

  ends(): ReadonlyMap<string, End> {
    return new Map([...this.#told].map(([origin, told]) => [origin, endOf(told)]));
  }
}

function endOf(told: readonly Told[]): End {
  const byTime = [...told].sort((a, b) => a.atMs - b.atMs);
  const deletedMs = Math.max(
    ...byTime.map(({ version, atMs }) => (version === null ? atMs : -Infinity)),
  );
  const receiptsOf = (some: readonly Told[]) =>
    some.flatMap(({ version }) => (version === null ? [] : [version])).sort();
  return {
    version: byTime[byTime.length - 1]?.version ?? null,
    receipts: receiptsOf(byTime.filter(({ atMs }) => atMs > deletedMs)),
    allowed: receiptsOf(byTime),
    wasDeleted: deletedMs > -Infinity,
  };
}
