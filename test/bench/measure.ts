// How long something takes, and how often it can be done: for what is measured over a network. And
// how a line of results is printed.

import { once } from 'node:events';
import { type Agent, type IncomingMessage, request } from 'node:http';

const ASK_MS = 1_500;
const QUESTIONS = 30;

/** As `fetch`, which opens as many connections as it likes. */
export async function send(agent: Agent, asked: Request): Promise<Response> {
  const { method, url } = asked;
  const outgoing = request(url, { method, agent, headers: Object.fromEntries(asked.headers) });
  outgoing.end(Buffer.from(await asked.arrayBuffer()));
  const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  const status = incoming.statusCode ?? 0;
  const headers = new Headers();
  const { etag } = incoming.headers;
  if (etag !== undefined) headers.set('etag', etag);
  return new Response(status === 204 ? null : Buffer.concat(chunks), { status, headers });
}

/**
 * Successes a second of so many clients, for a while: who pauses when it ends does not make it any
 * longer. Errors: Error for any other answer than those that are let pass, which count for nothing.
 */
export async function rateOf(
  clients: number,
  ask: (client: number) => Promise<{ readonly status: number }>,
  { letPass = [], forMs = ASK_MS }: { letPass?: readonly number[]; forMs?: number } = {},
): Promise<number> {
  const startMs = performance.now();
  let answers = 0;
  let spentMs = forMs;
  const one = async (client: number): Promise<void> => {
    while (performance.now() - startMs < forMs) {
      const { status } = await ask(client);
      if (status === 200 || status === 204) {
        answers++;
        spentMs = Math.max(spentMs, performance.now() - startMs);
      } else if (!letPass.includes(status)) throw new Error(`an answer was ${status}`);
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => one(client)));
  return (answers / spentMs) * 1_000;
}

export async function medianOf(ask: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let count = 0; count < QUESTIONS; count++) times.push(await timeOf(ask));
  return times.sort((a, b) => a - b)[QUESTIONS / 2] ?? Number.NaN;
}

export async function timeOf(ask: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now();
  await ask();
  return performance.now() - startMs;
}

/** Prints a line of a table. */
export function row(...cells: readonly (string | number | undefined)[]): void {
  const [first = '', ...rest] = cells.map(String);
  console.log(first.padEnd(22) + rest.map((cell) => `  ${cell.padStart(14)}`).join(''));
}
