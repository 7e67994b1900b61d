// An emulated Kinto that listens on the loopback, with users who have names and passwords, for
// tests of the commands.

import { createServer } from 'node:http';
import { join } from 'node:path';
import { createKinto, type KintoServer } from '../../emulator/servers/kinto/kinto.ts';
import { listenOnLoopback } from '../../emulator/servers/loopback.ts';
import { readBody, sendResponse, toRequest } from '../../emulator/servers/node-http.ts';
import { type Run, run } from './commands.ts';
import { temporaryFolder } from './folders.ts';
import { freePort } from './ports.ts';

const BODY_BYTES_MAX = 8 * 1024 * 1024;

export interface ServedKinto {
  readonly url: string;
  readonly server: KintoServer;
  /** By name. Tokens are `token of NAME`, without spaces. */
  readonly passwords: Map<string, string>;
  /** What the server answers instead, to requests that it is given. */
  instead: (request: Request) => Response | null | Promise<Response | null>;
  /** As of `createKinto`. */
  health: ReturnType<NonNullable<Parameters<typeof createKinto>[0]['health']>>;
  isReadOnly: boolean;
  readonly requests: string[];
  close(): Promise<void>;
}

export async function serveKinto(): Promise<ServedKinto> {
  const http = createServer(async (incoming, outgoing) => {
    const body = await readBody(incoming, BODY_BYTES_MAX);
    if (typeof body === 'string') throw new Error(body);
    const request = toRequest(incoming, `${kinto.url}${incoming.url}`, body);
    if (request === null) throw new Error('no request');
    kinto.requests.push(`${request.method} ${new URL(request.url).pathname}`);
    const answer = (await kinto.instead(request)) ?? (await kinto.server.fetch(request));
    await sendResponse(outgoing, answer);
  });
  const url = `http://127.0.0.1:${await listenOnLoopback(http, await freePort())}`;
  const passwords = new Map([
    ['bob', 'secret'],
    ['eve', 'secret too'],
  ]);
  const userOf = (given: string): string | null => {
    const [kind = '', text = ''] = given.split(' ');
    if (kind === 'Bearer') return text.startsWith('token-of-') ? `openid:${text.slice(9)}` : null;
    const [name = '', password] = Buffer.from(text, 'base64').toString('utf8').split(/:(.*)/s);
    return passwords.get(name) === password ? `account:${name}` : null;
  };
  const kinto: ServedKinto = {
    ...{ url, passwords, requests: [], health: {}, isReadOnly: false, instead: () => null },
    server: createKinto({
      ...{ url, userOf, nowMs: Date.now },
      health: () => kinto.health,
      isReadOnly: () => kinto.isReadOnly,
    }),
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return kinto;
}

/** A computer of a user of this Kinto: a credentials file, and a folder of data. */
export function computerOf({ url }: Pick<ServedKinto, 'url'>, user = 'bob') {
  const folder = temporaryFolder();
  const credentials = join(folder, 'kinto.json');
  const data = join(folder, 'data');
  const on = (command: string, ...more: string[]): Promise<Run> =>
    run([command, '--data', data, ...more]);
  return {
    ...{ folder, credentials, data, on },
    /** What is typed at it: a password, then a code where there is one. */
    signIn: (input: string, ...more: string[]): Promise<Run> =>
      run(
        ['sign-in', '--kinto', url, '--user', user, '--credentials', credentials, ...more],
        input,
      ),
    sync: (...more: string[]): Promise<Run> =>
      on(
        ...['sync', '--once', '--protocol', 'kinto', '--credentials', credentials],
        ...['--collections', 'generic(notes)', ...more],
      ),
    async notes(): Promise<unknown[]> {
      const { out } = await on('list', 'notes', '--json');
      return JSON.parse(out).map(({ text }: { readonly text: string }) => text);
    },
  };
}
