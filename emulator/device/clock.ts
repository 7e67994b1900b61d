// Time as the device sees it: a queue of events in the order in which they are due.
// In virtual time nothing waits: time moves by the work that is charged (`spend`) and jumps to the
// next event when the device is idle, so a run depends on its inputs alone. The real-time clock has
// the same queue and does wait; it is for servers outside of this process.

export interface DeviceClock {
  /** Time since the clock was made, in nanoseconds. Never goes back. */
  nowNs(): number;
  /** The device worked, or waited for its own hardware, for so long. */
  spend(durationNs: number): void;
  /**
   * `run` is called once, not before `dueNs`; events due at one instant run in the order of these
   * calls.
   */
  at(dueNs: number, run: () => void | Promise<void>): void;
  /**
   * What the work of somebody outside of the device resolves to, or `late`. Real time passes
   * meanwhile, and ends after `limitNs`; virtual time stands still, so there nobody is late.
   */
  within<T>(work: Promise<T>, limitNs: number): Promise<T | 'late'>;
  /** Runs the next event to its end. False: there is none. What the event throws, this throws. */
  step(): Promise<boolean>;
  /** Forgets all events, as a loss of power does. */
  clear(): void;
}

export const NS_PER_MS = 1_000_000;

/** Time that moves by charged work and by waiting for events only. */
export function virtualClock(): DeviceClock {
  let nowNs = 0;
  return clockOf({
    nowNs: () => nowNs,
    spend(durationNs) {
      nowNs += Math.max(0, durationNs);
    },
    async waitUntil(dueNs) {
      nowNs = Math.max(nowNs, dueNs);
    },
    within: (work) => work,
  });
}

/** Time of the machine that runs the emulator; charged work takes no time of its own. */
export function realClock(): DeviceClock {
  const startMs = performance.now();
  const nowNs = () => (performance.now() - startMs) * NS_PER_MS;
  return clockOf({
    nowNs,
    spend() {},
    async waitUntil(dueNs) {
      const delayMs = Math.ceil((dueNs - nowNs()) / NS_PER_MS);
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    },
    async within(work, limitNs) {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<'late'>((resolve) => {
        timer = setTimeout(() => resolve('late'), Math.ceil(limitNs / NS_PER_MS));
      });
      return Promise.race([work, late]).finally(() => clearTimeout(timer));
    },
  });
}

interface TimeSource {
  nowNs(): number;
  spend(durationNs: number): void;
  waitUntil(dueNs: number): Promise<void>;
  within<T>(work: Promise<T>, limitNs: number): Promise<T | 'late'>;
}

interface Event {
  readonly dueNs: number;
  readonly order: number;
  readonly run: () => void | Promise<void>;
}

function clockOf(source: TimeSource): DeviceClock {
  let order = 0;
  const queue: Event[] = [];
  return {
    nowNs: source.nowNs,
    spend: source.spend,
    within: source.within,
    at(dueNs, run) {
      // Never in the past: an event of now comes after those that were already due.
      push(queue, { dueNs: Math.max(dueNs, source.nowNs()), order: order++, run });
    },
    async step() {
      const event = pop(queue);
      if (event === undefined) return false;
      await source.waitUntil(event.dueNs);
      await event.run();
      return true;
    },
    clear() {
      queue.length = 0;
    },
  };
}

function before(a: Event, b: Event): boolean {
  return a.dueNs < b.dueNs || (a.dueNs === b.dueNs && a.order < b.order);
}

/** Binary heap: the earliest event is the first entry. */
function push(heap: Event[], event: Event): void {
  let index = heap.push(event) - 1;
  while (index > 0) {
    const parentIndex = (index - 1) >> 1;
    const parent = heap[parentIndex];
    if (parent === undefined || before(parent, event)) break;
    heap[index] = parent;
    index = parentIndex;
  }
  heap[index] = event;
}

function pop(heap: Event[]): Event | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (first === undefined || last === undefined || heap.length === 0) return first;
  let index = 0;
  for (;;) {
    const leftIndex = 2 * index + 1;
    const left = heap[leftIndex];
    if (left === undefined) break;
    const right = heap[leftIndex + 1];
    const child = right !== undefined && before(right, left) ? right : left;
    if (before(last, child)) break;
    heap[index] = child;
    index = child === left ? leftIndex : leftIndex + 1;
  }
  heap[index] = last;
  return first;
}
