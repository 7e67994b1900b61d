// The agent's ports over a host function that a test answers by hand.

import type { Change } from '../../platform/ports.ts';
import { createHostPlatform, type Send, sendWhole } from '../../platform/quickjs/host.ts';
import { unpack } from '../../platform/quickjs/values.ts';

interface Call {
  readonly op: string;
  readonly id: number;
  readonly head: string;
  readonly text: string;
  readonly bytes: ArrayBuffer | null;
}

type Reply = Partial<{
  error: string;
  head: string;
  text: string;
  bytes: ArrayBuffer | null;
}>;

export function setUp(
  now: Readonly<Record<string, string | number | ArrayBuffer>> = {},
  send: Send = sendWhole,
) {
  const calls: Call[] = [];
  const { platform, deliver } = createHostPlatform(
    (op, id, head, text, bytes) => {
      calls.push({ op, id, head, text, bytes });
      return now[op];
    },
    true,
    send,
  );
  /** Lets the agent run until it waits for the device. */
  const settle = () => new Promise(setImmediate);
  const answer = async (call: Call | undefined, reply: Reply = {}): Promise<void> => {
    const { error = '', head = '', text = '', bytes = null } = reply;
    deliver(call?.id ?? -1, error, head, text, bytes);
    await settle();
  };
  const last = (op: string): Call | undefined => calls.filter((call) => call.op === op).at(-1);
  return { platform, deliver, calls, settle, answer, last };
}

export function bufferOf(...bytes: number[]): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

/** What a device reads out of `commit` and `more`. */
export function changesOf({ head, text, bytes }: Call): Change[] {
  const entries: [key: string, length: number][] = JSON.parse(head);
  const lengths = entries.map(([, length]) => length);
  const values = unpack(lengths, text, new Uint8Array(bytes ?? new ArrayBuffer(0)));
  return entries.map(([key], at): Change => [key, values[at] ?? null]);
}
