// A client of Marionette, Firefox's own remote protocol (version 3): packets of `<length>:<JSON>`
// over TCP, a command is `[0, id, name, parameters]` and its answer `[1, id, error, result]`.
// Speaks to loopback and nowhere else. Knows nothing of sync.

import { connect, type Socket } from 'node:net';

export interface Marionette {
  /** The answer of a command. Rejects with Firefox's own words, and when the connection is lost. */
  command(name: string, parameters?: object): Promise<unknown>;
  close(): void;
}

/** Connects, and waits for the greeting. Errors: those of connecting. */
export async function connectMarionette(port: number): Promise<Marionette> {
  const socket = connect({ port, host: '127.0.0.1' });
  const waiting = new Map<number, (answer: Answer) => void>();
  let count = 0;
  const greeting = new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    receive(socket, (packet) => {
      if (!Array.isArray(packet)) return resolve();
      const [, id, error, result] = packet as [1, number, Failure | null, unknown];
      waiting.get(id)?.({ error, result });
      waiting.delete(id);
    });
  });
  socket.on('close', () => {
    for (const answer of waiting.values()) answer({ error: LOST, result: null });
    waiting.clear();
  });
  await greeting;
  return {
    command: (name, parameters = {}) =>
      new Promise((resolve, reject) => {
        const id = ++count;
        waiting.set(id, ({ error, result }) => {
          if (error === null) resolve(result);
          else reject(new Error(`${name}: ${error.message}\n${error.stacktrace ?? ''}`));
        });
        socket.write(toPacket([0, id, name, parameters]));
      }),
    close: () => socket.destroy(),
  };
}

interface Failure {
  readonly message: string;
  readonly stacktrace?: string;
}

interface Answer {
  readonly error: Failure | null;
  readonly result: unknown;
}

const LOST: Failure = { message: 'the connection to Firefox is lost' };
const COLON = 0x3a;

function toPacket(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  return Buffer.concat([Buffer.from(`${json.length}:`), json]);
}

/** Hands out every packet that arrives, whole. */
function receive(socket: Socket, take: (packet: unknown) => void): void {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const from = pending.indexOf(COLON) + 1;
      const to = from + Number(pending.toString('latin1', 0, from - 1));
      if (from === 0 || pending.length < to) return;
      take(JSON.parse(pending.toString('utf8', from, to)));
      pending = pending.subarray(to);
    }
  });
}
