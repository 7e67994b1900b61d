// What is advised fits what is wrong. Errors come out of a sync with a server that answers like
// this; codes that a sync does not end with are asked for directly.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Serving } from '../../../emulator/servers/serve.ts';
import { credentialsOf, serveAccount, testTerminal } from '../../../test/support/commands.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import type { Fetch } from '../../web/fetch-network.ts';
import { ADVICE_BY_CODE, adviceFor } from './advice.ts';
import { main } from './main.ts';

let serving: Serving;
let credentials: string;

beforeAll(async () => {
  serving = await serveAccount(5);
  credentials = await credentialsOf(serving, join(temporaryFolder(), 'credentials.json'));
});
afterAll(() => serving.close());

/**
 * The complaint of one sync of which the token server, or what comes behind it, answers something
 * else.
 */
async function complaintWith(where: 'token' | 'storage', answer: () => Response, protocol: string) {
  const { token, syncto } = serving.world.urls;
  const url = protocol === 'sync15' ? token : syncto;
  const through: Fetch = async (request) => {
    const isFirst = request.url.startsWith(url);
    return isFirst === (where === 'token') ? answer() : fetch(request);
  };
  const terminal = testTerminal({ machine: { fetch: through } });
  const args = ['--token-server', url, '--protocol', protocol, '--credentials', credentials];
  const data = join(temporaryFolder(), 'data');
  expect(await main(['sync', '--once', ...args, '--data', data], terminal)).toBe(1);
  return terminal.complaints;
}

const page = () => new Response('<html>Welcome</html>', { headers: { 'X-Timestamp': '1' } });
const status = (code: number) => () => new Response('', { status: code });
const moved = () =>
  new Response('', { status: 302, headers: { Location: 'https://elsewhere.example' } });
const WRONG_SERVER = /--token-server is the address of a token server/;

describe('the advice for an answer', () => {
  test.each([
    ['token', 'a page', page, /a web page answers instead of the server/],
    ['token', 'status 404', status(404), WRONG_SERVER],
    ['token', 'status 405', status(405), WRONG_SERVER],
    ['token', 'a redirect', moved, /sends to another address/],
    ['token', 'status 403', status(403), /ask its owner whether the user may sync there/],
    ['token', 'status 410', status(410), /choose another --token-server/],
    ['token', '{}', () => Response.json({}), WRONG_SERVER],
    ['storage', 'a page', page, /a web page answers instead of the server/],
    ['storage', 'status 418', status(418), /tell its owner/],
    ['storage', 'a redirect', moved, /sends to another address/],
    ['storage', 'status 401', status(401), /one secret and one time/],
    ['storage', 'not JSON', () => new Response('{'), /tell its owner/],
  ] as const)('of the %s: %s', async (where, _, answer, advice) => {
    const complaint = await complaintWith(where, answer, 'sync15');
    expect(complaint).toMatch(advice);
    if (!advice.source.includes('token-server')) expect(complaint).not.toContain('--token-server');
  });

  test.each([
    ['a page', page, /a web page answers instead of the server/],
    ['status 404', status(404), /with syncto, check --token-server;/],
  ] as const)('of a Syncto server: %s', async (_, answer, advice) => {
    expect(await complaintWith('token', answer, 'syncto')).toMatch(advice);
  });
});

test('each code has an advice, or is one that passes by itself or that says all', () => {
  const silent = Object.entries(ADVICE_BY_CODE).filter(([, advice]) => advice === null);
  expect(silent.map(([code]) => code)).toEqual([
    ...['truncated', 'backoff', 'unavailable', 'conflict', 'storageReset'],
    ...['badInput', 'notFound', 'aborted'],
  ]);
  for (const [code, advice] of Object.entries(ADVICE_BY_CODE)) {
    const error = { code: code as keyof typeof ADVICE_BY_CODE, message: 'so' };
    expect(adviceFor(error)).toBe(advice);
    // Nothing but where the address may be wrong has to do with it.
    const namesServer = advice?.includes('--token-server') === true;
    expect(namesServer).toBe(['unauthorized', 'serviceGone', 'noSyncData'].includes(code));
  }
});

test('what lies below an error is worth more than its code', () => {
  const error = { code: 'offline', message: 'the server cannot be reached' } as const;
  expect(adviceFor({ ...error, cause: 'ECONNREFUSED h:1' })).toContain('nothing listens there');
  expect(adviceFor({ ...error, cause: 'EWHATEVER h' })).toBe(ADVICE_BY_CODE.offline);
});
