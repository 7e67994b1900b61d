// How long an exchange is waited for: one timer that whoever makes progress sets anew.

export interface Patience {
  /** Rejects when the time is over, with what `late` makes, or as `end` says. Never resolves. */
  readonly over: Promise<never>;
  /** From now on the time is over after so long. */
  set(limitMs: number): void;
  /** It is over, whatever time is left. */
  end(error: unknown): void;
  /** Nobody waits: no time runs. */
  rest(): void;
  /** What the work resolves to, unless the time is over before. */
  within<T>(work: Promise<T>, limitMs: number): Promise<T>;
}

/** `late` is called when the time is over. */
export function createPatience(late: () => unknown): Patience {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let reject: (error: unknown) => void = () => undefined;
  const over = new Promise<never>((_, rejected) => {
    reject = rejected;
  });
  // Whoever waits when it happens is told; nobody has to.
  over.catch(() => undefined);
  const patience: Patience = {
    over,
    set(limitMs) {
      clearTimeout(timer);
      timer = setTimeout(() => patience.end(late()), limitMs);
    },
    end(error) {
      clearTimeout(timer);
      reject(error);
    },
    rest: () => clearTimeout(timer),
    async within(work, limitMs) {
      patience.set(limitMs);
      try {
        return await Promise.race([work, over]);
      } finally {
        patience.rest();
      }
    },
  };
  return patience;
}
