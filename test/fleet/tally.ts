// What is counted of a run, in the words in which it is printed.

export class Tally {
  readonly #counts = new Map<string, number>();

  add(what: string, count = 1): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + count);
  }

  of(what: string): number {
    return this.#counts.get(what) ?? 0;
  }

  /** All that begin with this, without it, the most frequent first; `none` where there are none. */
  all(prefix: string): string {
    const found = [...this.#counts].filter(([what, count]) => what.startsWith(prefix) && count > 0);
    found.sort((a, b) => b[1] - a[1]);
    const texts = found.map(([what, count]) => `${what.slice(prefix.length)} ${count}`);
    return texts.length === 0 ? 'none' : texts.join(', ');
  }
}
