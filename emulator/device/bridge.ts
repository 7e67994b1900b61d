// The device's side of platform/quickjs/BRIDGE.md: answers what the agent asks at once, and starts
// what it asks for later. Every crossing goes into the trace, in both directions. It never calls
// into the agent by itself: `Agent` is what the device gives it for that.

import type { Connection } from '../../platform/ports.ts';
import { type DeviceClock, NS_PER_MS } from './clock.ts';
import type { Answer, Operations } from './operations.ts';
import type { Random } from './random.ts';
import { describeCall, type HostCall, type Trace } from './trace.ts';

/** What the agent's script has given to the device; each call is one slice of the processor. */
interface Agent {
  deliver(id: number, error: string, head: string, text: string, bytes: Uint8Array | null): void;
  command(id: number, name: string, text: string): void;
}

export interface Reply {
  /** Empty, or the code of the agent's error. */
  readonly error: string;
  /** JSON. */
  readonly text: string;
}

interface BridgeOptions {
  readonly clock: DeviceClock;
  /** Device time at the clock's zero, in milliseconds since 1970. */
  readonly epochMs: number;
  /** JSON of the agent's configuration. */
  readonly config: string;
  readonly random: Random;
  readonly connection: () => Connection;
  readonly operations: Operations;
  readonly trace: Trace;
  /**
   * Called before every use of the clock inside a slice, so that time includes the work done so
   * far.
   */
  readonly settle: () => void;
  readonly onEvent: (json: string) => void;
  /** Closes a network stream. */
  readonly onClose: (stream: number) => void;
}

export interface Bridge {
  /** The agent's `host` function. Returns text, a number, bytes, or undefined for nothing. */
  host(call: HostCall): string | number | Uint8Array | undefined;
  /** Must be called before the first answer is due. */
  connect(agent: Agent): void;
  /** Hands a command in; `done` is called with the agent's reply. */
  command(name: string, text: string, done: (reply: Reply) => void): void;
}

export function createBridge(options: BridgeOptions): Bridge {
  const { clock, trace, operations } = options;
  const replies = new Map<number, (reply: Reply) => void>();
  let agent: Agent | null = null;
  let commandCount = 0;

  const immediate = new Map<string, (call: HostCall) => string | number | Uint8Array | undefined>([
    ['config', () => options.config],
    ['now', () => options.epochMs + Math.floor(clock.nowNs() / NS_PER_MS)],
    ['random', (call) => options.random.bytes(Number(call.head))],
    ['connection', () => options.connection()],
    ['status', () => undefined],
    ['event', (call) => options.onEvent(call.text) as undefined],
    ['close', (call) => options.onClose(Number(call.head)) as undefined],
    [
      'reply',
      (call) => {
        const done = replies.get(call.id);
        replies.delete(call.id);
        done?.({ error: call.head, text: call.text });
        return undefined;
      },
    ],
  ]);

  function deliver(call: HostCall, answer: Answer): void {
    const { error = '', head = '', text = '', bytes = null } = answer;
    trace('answer', {
      op: call.op,
      id: call.id,
      ...(error === '' ? {} : { error }),
      ...(text === '' ? {} : { chars: text.length }),
      ...(bytes === null ? {} : { bytes: bytes.length }),
      ...answerDetail(call.op, head),
    });
    agent?.deliver(call.id, error, head, text, bytes);
  }

  return {
    host(call) {
      options.settle();
      trace(call.op, describeCall(call));
      const answerNow = immediate.get(call.op);
      if (answerNow !== undefined) return answerNow(call);
      const operation = operations.get(call.op);
      if (operation === undefined) throw new TypeError(`the bridge has no operation ${call.op}`);
      operation(call, (answer) => deliver(call, answer));
      return undefined;
    },
    connect(connected) {
      agent = connected;
    },
    command(name, text, done) {
      const id = ++commandCount;
      replies.set(id, done);
      clock.at(clock.nowNs(), () => {
        trace('command', { id, name, chars: text.length });
        agent?.command(id, name, text);
      });
    },
  };
}

function answerDetail(op: string, head: string): { status?: number; stream?: number; end?: true } {
  if (head === '') return {};
  if (op === 'read') return { end: true };
  if (op !== 'request') return {};
  const { status, stream } = JSON.parse(head) as { status: number; stream: number };
  return { status, stream };
}
