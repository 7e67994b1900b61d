// Requests as they are, over a socket: no library adds a header, follows a redirect or refuses a
// method. And the other end: a server on loopback that answers with a function.

import { request as ask, createServer } from 'node:http';
import { listenOnLoopback } from '../../emulator/servers/loopback.ts';
import { readBody, sendResponse, toRequest } from '../../emulator/servers/node-http.ts';
import type { Answered, Sent } from './case.ts';

/** Said of every answer, and nothing about it; or the wire's own. */
const UNTOLD = new Set([
  ...['connection', 'content-length', 'date', 'keep-alive', 'server', 'transfer-encoding', 'via'],
]);

/** Rejects when the connection ends without an answer. */
export function send(origin: string, { method, target, headers, body }: Sent): Promise<Answered> {
  const { hostname, port } = new URL(origin);
  const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const options = { hostname, port, method, path: target, agent: false };
    const asked = ask({ ...options, headers: { ...length, ...headers } }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const told = Object.entries(answer.headersDistinct)
          .filter(([name]) => !UNTOLD.has(name))
          .map(([name, values = []]) => [name, values.join(', ')] as const)
          .sort(([one], [two]) => (one < two ? -1 : 1));
        const text = Buffer.concat(chunks).toString('utf8');
        const status = answer.statusCode ?? 0;
        resolve({ status, headers: Object.fromEntries(told), body: text });
      });
    });
    asked.setTimeout(ANSWER_MS_MAX, () => asked.destroy(new Error('no answer came')));
    asked.on('error', reject);
    asked.end(body);
  });
}

const ANSWER_MS_MAX = 30_000;
const BODY_BYTES_MAX = 67_108_864;

interface Listening {
  readonly url: string;
  close(): void;
}

/** `answerTo` is given the origin; null hangs up. */
export async function listen(
  answerTo: (request: Request, origin: string) => Promise<Response | null>,
): Promise<Listening> {
  const server = createServer();
  const port = await listenOnLoopback(server, 0);
  const url = `http://127.0.0.1:${port}`;
  server.on('request', (incoming, outgoing) => {
    const answered = async () => {
      const body = await readBody(incoming, BODY_BYTES_MAX);
      if (!Buffer.isBuffer(body)) throw new RangeError(body);
      const request = toRequest(incoming, url + (incoming.url ?? '/'), body);
      const response = request && (await answerTo(request, url));
      if (response === null) outgoing.destroy();
      else await sendResponse(outgoing, response);
    };
    answered().catch(() => outgoing.destroy());
  });
  return {
    url,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
