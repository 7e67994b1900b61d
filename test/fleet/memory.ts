// Memory of each process over a run: what it was at ten points, and whether the last quarter needs
// more than the first.

/** The last quarter may have so much more than the first, on average. */
const GROWTH_MAX = 1.2;
const GROWTH_BYTES_MAX = 16 * 1024 * 1024;
const POINTS = 10;

export class Memory {
  readonly #samples = new Map<string, number[]>();

  add(name: string, bytes: number | null): void {
    if (bytes === null || bytes === 0) return;
    const samples = this.#samples.get(name) ?? [];
    samples.push(bytes);
    this.#samples.set(name, samples);
  }

  lines(): string[] {
    return [...this.#samples].map(([name, samples]) => {
      const points = Array.from({ length: POINTS }, (_, n) =>
        inMiB(samples[Math.floor(((n + 1) * samples.length) / POINTS) - 1]),
      );
      const { first, last } = quarters(samples);
      const growth = `${inMiB(first)} to ${inMiB(last)}`;
      return `${name.padEnd(20)}  ${points.join(' ')}   first to last quarter ${growth}`;
    });
  }

  /** Which processes have grown. */
  problems(): string[] {
    return [...this.#samples].flatMap(([name, samples]) => {
      const { first, last } = quarters(samples);
      const isFlat = last <= first * GROWTH_MAX + GROWTH_BYTES_MAX;
      return isFlat ? [] : [`${name} has grown from ${inMiB(first)} to ${inMiB(last)} MiB`];
    });
  }
}

function quarters(samples: readonly number[]): { first: number; last: number } {
  const count = Math.max(1, Math.floor(samples.length / 4));
  return { first: mean(samples.slice(0, count)), last: mean(samples.slice(-count)) };
}

function mean(samples: readonly number[]): number {
  return samples.reduce((sum, one) => sum + one, 0) / samples.length;
}

function inMiB(bytes: number | undefined): string {
  const mebibytes = (bytes ?? 0) / 1_048_576;
  return mebibytes.toFixed(mebibytes < 10 ? 2 : 0);
}

/** In words, for whoever reads the lines. */
export const BOUND = `at most ${Math.round((GROWTH_MAX - 1) * 100)} % and ${
  GROWTH_BYTES_MAX / 1_048_576
} MiB more in the last quarter than in the first`;
