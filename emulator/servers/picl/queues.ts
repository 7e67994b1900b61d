// The writers of each log in this process, one after the other. Who waited while another one wrote
// is judged by the end that this one has left, before the storage is asked: so the log was while
// the writer waited, and of a hundred for one head ninety-nine are refused by it.

import { Locks } from '../storage/locks.ts';

interface Queue<End> {
  writers: number;
  /** How many have written. */
  written: number;
  /** What the last of them has left. */
  end: End | null;
}

export class Queues<End> {
  readonly #locks = new Locks();
  /** Of logs that somebody writes to. */
  readonly #queues = new Map<string, Queue<End>>();

  /** Runs `work` when all before it are done, unless `check` throws. Errors: those of both. */
  async run<T>(
    name: string,
    check: (end: End) => void,
    work: () => Promise<{ readonly result: T; readonly end: End }>,
  ): Promise<T> {
    const queue: Queue<End> = this.#queues.get(name) ?? { writers: 0, written: 0, end: null };
    this.#queues.set(name, queue);
    const { written } = queue;
    queue.writers++;
    try {
      return await this.#locks.run(name, async () => {
        if (queue.end !== null && queue.written > written) check(queue.end);
        const { result, end } = await work();
        queue.end = end;
        queue.written++;
        return result;
      });
    } finally {
      if (--queue.writers === 0) this.#queues.delete(name);
    }
  }
}
