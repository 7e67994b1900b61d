import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it, test } from 'vitest';
import { bodyOf } from './http.ts';
import { readBody, refuse, sendResponse, toRequest } from './node-http.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

type Answer = (incoming: IncomingMessage, outgoing: ServerResponse) => unknown;

async function listening(answer: Answer): Promise<number> {
  const server = createServer((incoming, outgoing) => void answer(incoming, outgoing));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const ask = (port: number, init: RequestInit = {}) => fetch(`http://127.0.0.1:${port}/`, init);

/** What comes back for these bytes, until the connection ends. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  let text = '';
  for await (const chunk of socket) text += chunk;
  return text;
}

describe('the body of a request', () => {
  const reading = async (bytes: number, hasRoom?: (more: number) => boolean) => {
    let found: unknown;
    const port = await listening(async (incoming, outgoing) => {
      const body = await readBody(incoming, 10, hasRoom);
      found = typeof body === 'string' ? body : body.length;
      outgoing.end();
      incoming.resume();
    });
    await ask(port, { method: 'POST', body: 'x'.repeat(bytes) });
    return found;
  };

  it('is read up to its limit, while there is room for it', async () => {
    expect([await reading(0), await reading(10), await reading(11)]).toEqual([0, 10, 'too long']);
    const told: number[] = [];
    expect(await reading(4, (more) => told.push(more) > 0)).toBe(4);
    expect(told.reduce((sum, more) => sum + more, 0)).toBe(4);
    expect(await reading(4, () => false)).toBe('no room');
  });
});

describe('what a handler gets', () => {
  const requestFor = (method: string, headers: IncomingMessage['headers'] = {}) =>
    toRequest({ method, headers } as IncomingMessage, 'https://h/path', Buffer.from('body'));

  it('has the method, the headers and the body, if there can be one', async () => {
    const post = requestFor('POST', { 'x-a': 'b', 'set-cookie': ['c', 'd'], 'x-none': undefined });
    expect([post?.method, post?.url, await post?.text()]).toEqual([
      'POST',
      'https://h/path',
      'body',
    ]);
    expect([...(post?.headers ?? [])].filter(([name]) => name !== 'content-type')).toEqual([
      ['set-cookie', 'c, d'],
      ['x-a', 'b'],
    ]);
    for (const method of ['GET', 'HEAD']) expect(requestFor(method)?.body).toBeNull();
  });

  test.each(['CONNECT', 'TRACE', 'track'])('is nothing for %s', (method) => {
    expect(requestFor(method)).toBeNull();
  });
});

describe('an answer', () => {
  async function* pieces(...texts: string[]) {
    for (const text of texts) yield Buffer.from(text);
  }

  /** The answer as it arrives, and what sending it resolved to. */
  async function sent(response: Response, method = 'GET') {
    let outcome: unknown;
    const port = await listening(async (_, outgoing) => {
      outcome = await sendResponse(outgoing, response, { 'x-more': '1' }).catch(String);
    });
    const got = await ask(port, { method });
    return { status: got.status, headers: got.headers, text: await got.text(), outcome };
  }

  it('of one piece has a length, and of more comes as they do', async () => {
    const one = await sent(new Response('ä', { status: 201, headers: { 'x-a': 'b' } }));
    expect([one.status, one.text, one.outcome]).toEqual([201, 'ä', 2]);
    expect(['content-length', 'x-a', 'x-more'].map((name) => one.headers.get(name))).toEqual([
      '2',
      'b',
      '1',
    ]);
    const several = await sent(new Response(bodyOf(pieces('a', 'b', 'c'))));
    expect([several.text, several.outcome, several.headers.get('content-length')]).toEqual([
      'abc',
      3,
      null,
    ]);
  });

  it('without a body has the length 0, but where there is none to speak of', async () => {
    expect((await sent(new Response(null))).headers.get('content-length')).toBe('0');
    const none = await sent(new Response(null, { status: 204 }));
    expect(none.headers.get('content-length')).toBeNull();
    const head = await sent(new Response(null), 'HEAD');
    expect(head.headers.get('content-length')).toBeNull();
  });

  it('that breaks off ends its connection, so that nobody takes a part for the whole', async () => {
    async function* broken() {
      yield Buffer.from('a');
      yield Buffer.from('b');
      throw new Error('the storage broke');
    }
    let outcome: unknown;
    const port = await listening(async (_, outgoing) => {
      outcome = await sendResponse(outgoing, new Response(bodyOf(broken()))).catch(String);
    });
    await expect(ask(port).then((got) => got.text())).rejects.toThrow();
    expect(outcome).toBe('Error: the storage broke');
  });

  it('that nobody reads any more is not made any more', async () => {
    const seen = { made: 0, isEnded: false };
    async function* endless() {
      try {
        for (;;) {
          seen.made++;
          yield Buffer.alloc(65_536);
        }
      } finally {
        seen.isEnded = true;
      }
    }
    let outcome: unknown;
    const port = await listening(async (_, outgoing) => {
      outcome = await sendResponse(outgoing, new Response(bodyOf(endless()))).catch(String);
    });
    const got = await ask(port);
    await got.body?.cancel();
    for (let tries = 0; !seen.isEnded && tries < 100; tries++) await setTimeout(10);
    expect(seen.isEnded).toBe(true);
    await setTimeout(10);
    expect(String(outcome)).toContain('the client has gone');
  });
});

describe('a refusal', () => {
  const refusing = (status: number, text: string) =>
    listening((incoming, outgoing) => refuse(incoming, outgoing, status, text, { 'x-a': 'b' }));

  it('is a line of text, and the connection goes on where nothing more comes', async () => {
    const got = await ask(await refusing(421, 'no such name'));
    expect([got.status, await got.text(), got.headers.get('x-a')]).toEqual([
      421,
      'no such name\n',
      'b',
    ]);
    expect(got.headers.get('connection')).not.toBe('close');
    const empty = await ask(await refusing(403, ''));
    expect([empty.headers.get('content-length'), await empty.text()]).toEqual(['0', '']);
    const none = await ask(await refusing(204, ''));
    expect([none.headers.get('content-type'), none.headers.get('content-length')]).toEqual([
      null,
      null,
    ]);
  });

  it('is read by who still sends a body, and ends the connection after a second', async () => {
    const port = await refusing(413, 'too long');
    const began = Date.now();
    const answers = ['content-length: 400000', 'transfer-encoding: chunked'].map((framing) =>
      exchange(port, `POST / HTTP/1.1\r\nhost: h\r\n${framing}\r\n\r\n`),
    );
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*connection: close[\s\S]*too long\n/i);
    }
    expect(Date.now() - began).toBeLessThan(5_000);
  });
});
