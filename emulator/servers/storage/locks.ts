// Locks by name, within one process: who asks first has it first.

export class Locks {
  /** What was asked last for each name that is held or waited for. */
  readonly #held = new Map<string, Promise<unknown>>();

  /** Runs `work` when all that asked for the name before are done, however they ended. */
  async run<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.#held.get(name);
    const turn = (async () => {
      await before;
      return work();
    })();
    const settled = turn.catch(() => undefined);
    this.#held.set(name, settled);
    await settled;
    if (this.#held.get(name) === settled) this.#held.delete(name);
    return turn;
  }

  /** Resolves when what was asked so far is done. */
  async idle(): Promise<void> {
    await Promise.all(this.#held.values());
  }
}
