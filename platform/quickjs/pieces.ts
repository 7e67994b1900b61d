// A request whose body crosses the bridge piece by piece (BRIDGE.md, "A body in pieces"): the next
// one is made when the device has sent the one before. For a device that cannot do that, a short
// text is put together. Only firmware whose remotes stream has it.

import { openPieces } from '../body-pieces.ts';
import type { NetworkRequest, PortErrorCode, StreamedBody } from '../ports.ts';
import { type Answer, type Line, type Send, sendWhole } from './host.ts';

/**
 * Characters of a body that is put together: as many as the agent holds of what comes down. It is
 * in memory twice then, of a heap of 1 MiB.
 */
export const JOINED_CHARS_MAX = 48_000;

/**
 * Also where the body is one text, or there is none. Errors: `unsupported` for bytes, or more than
 * `JOINED_CHARS_MAX` characters, where the device takes no pieces; those of the source.
 */
export const sendPieces: Send = async (line, { body, ...request }) => {
  if (typeof body === 'object') {
    const { bodies } = JSON.parse(`${line.call('config')}`) as { readonly bodies?: unknown };
    if (bodies === 'streamed') return stream(line, request, body);
    return sendWhole(line, { ...request, body: await joined(body) });
  }
  return sendWhole(line, { ...request, ...(body !== undefined && { body }) });
};

async function stream(line: Line, request: NetworkRequest, body: StreamedBody): Promise<Answer> {
  const pieces = openPieces(body);
  const id = line.newId();
  const { lengthBytes } = body;
  const head = JSON.stringify({ ...request, body: 'pieces', lengthBytes });
  let isAnswered = false;
  const answered = line.ask('request', { head }, id).finally(() => {
    isAnswered = true;
  });
  const ask = (piece: string | Uint8Array | null): Promise<Answer> => {
    if (piece === null) return line.ask('piece', { head: `${id} end` });
    const what = typeof piece === 'string' ? { text: piece } : { bytes: piece };
    return line.ask('piece', { head: `${id}`, ...what });
  };
  const sendAll = async (): Promise<void> => {
    while (!isAnswered) {
      const piece = await pieces.next();
      if (isAnswered) return;
      await ask(piece);
      if (piece === null) return;
    }
  };
  return new Promise((resolve, reject) => {
    answered.then(resolve, reject);
    sendAll().catch((error: unknown) => {
      reject(error);
      // What has left until now must not look whole.
      if (!isAnswered) line.ask('piece', { head: `${id} broken` }).catch(() => undefined);
    });
  });
}

async function joined(body: StreamedBody): Promise<string> {
  const pieces = openPieces(body);
  const texts: string[] = [];
  let chars = 0;
  for (let piece = await pieces.next(); piece !== null; piece = await pieces.next()) {
    chars += piece.length;
    if (typeof piece !== 'string') throw lacking('bytes');
    if (chars > JOINED_CHARS_MAX) throw lacking(`more than ${JOINED_CHARS_MAX} characters`);
    texts.push(piece);
  }
  return texts.join('');
}

function lacking(what: string): Error {
  const message = `request: the body has ${what}, and this device has no operation \`piece\``;
  const code: PortErrorCode = 'unsupported';
  return Object.assign(new Error(message), { code });
}
