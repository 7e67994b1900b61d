// A server of Open Web Apps before anything is synced with it: whether it is one, and whom it takes
// an assertion for. A sign-in asks that, and `doctor`. It is told no id of a client, so nobody is
// counted among the user's devices by it.

import { fromPort, isObject, jsonOf, SyncError } from '../../../agent/index.ts';
import type { Machine } from '../platform.ts';
import { originOf } from './service.ts';
import { printable } from './terminal.ts';

/**
 * Resolves to who it says the user is; empty where it does not say. `url`: of its login. Errors:
 * `unauthorized`, `badResponse` (no such server answers there), `unavailable`, those of the
 * network.
 */
export async function owaHello(machine: Machine, url: string, assertion: string): Promise<string> {
  const fields = Object.entries({ assertion, audience: originOf(url) });
  const form = fields.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&');
  const { status, text } = await posted(machine, url, form);
  if (status === 429 || status >= 500) {
    throw new SyncError('unavailable', `verify: the server answered with status ${status}`);
  }
  const said = jsonOf(text);
  if (!isObject(said) || typeof said.status !== 'string') {
    const what = 'verify: what answers is no server of Open Web Apps';
    throw new SyncError('badResponse', `${what} (status ${status})`, { status });
  }
  if (said.status === 'okay') return typeof said.email === 'string' ? said.email : '';
  const reason = typeof said.reason === 'string' ? printable(said.reason).slice(0, 100) : 'refused';
  throw new SyncError('unauthorized', `verify: ${reason}`);
}

/** Such a server says less. */
const ANSWER_CHARS_MAX = 32_768;
const LIMITS = {
  ...{ timeoutMs: 60_000, longestMs: 120_000 },
  ...{ windowMs: 60_000, windowBytesMin: 1 },
};
const HEADERS = [
  ['Accept', 'application/json'],
  ['Content-Type', 'application/x-www-form-urlencoded'],
] as const;

/** Of a longer answer nothing. Errors: those of the network. */
async function posted(
  { network }: Machine,
  url: string,
  body: string,
): Promise<{ readonly status: number; readonly text: string }> {
  try {
    const request = { method: 'POST', url, headers: HEADERS, body, ...LIMITS } as const;
    const { status, read, cancel } = await network.request(request);
    let text = '';
    for (let piece = await read(); piece !== null; piece = await read()) {
      text += piece;
      if (text.length <= ANSWER_CHARS_MAX) continue;
      cancel();
      return { status, text: '' };
    }
    return { status, text };
  } catch (error) {
    throw fromPort(error);
  }
}
