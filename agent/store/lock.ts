// One at a time: tasks run in the order in which they asked.
// Guards read-merge-commit on the store against the local API. Promises that a task of which the
// caller was told that it failed has ended, or never begins. Never nest it.

export interface Lock {
  run<T>(task: () => Promise<T>): Promise<T>;
}

export function createLock(): Lock {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    run(task) {
      let isQueued = false;
      // An engine that has no memory for the next line throws: nobody would wait for this task.
      const turn = tail.then(() => (isQueued ? task() : undefined)) as ReturnType<typeof task>;
      tail = turn.catch(() => undefined);
      isQueued = true;
      return turn;
    },
  };
}
