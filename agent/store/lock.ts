// One at a time: tasks run in the order in which they asked.
// Guards read-merge-commit on the store against the local API. Never nest it.

export interface Lock {
  run<T>(task: () => Promise<T>): Promise<T>;
}

export function createLock(): Lock {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    run(task) {
      const turn = tail.then(task);
      tail = turn.catch(() => undefined);
      return turn;
    },
  };
}
