// How an inspection proves itself to a PiCL server: Hawk, as docs/picl.md has it, for requests
// without a body.

import { createHmac, randomBytes } from 'node:crypto';

export interface HawkPass {
  readonly id: string;
  readonly key: string;
}

/** The header of a request. `nonce`: a new one by default. */
export function hawkHeader(
  method: string,
  url: string,
  { id, key }: HawkPass,
  timeSeconds: number,
  nonce: string = randomBytes(9).toString('base64url'),
): string {
  const { pathname, search, hostname, port, protocol } = new URL(url);
  const lines = [
    ...['hawk.1.header', timeSeconds, nonce, method, pathname + search],
    ...[hostname, port || (protocol === 'https:' ? '443' : '80'), '', ''],
  ];
  const mac = macOf(key, lines);
  return `Hawk id="${id}", ts="${timeSeconds}", nonce="${nonce}", mac="${mac}"`;
}

/**
 * The server's time in seconds, of the challenge to a header whose time was too far from it; null:
 * it says none, or one that it does not prove.
 */
export function challengedTime(challenge: string | null, { key }: HawkPass): number | null {
  const member = (name: string) => new RegExp(`\\b${name}="([^"]*)"`).exec(challenge ?? '')?.[1];
  const time = member('ts') ?? '';
  const isTime = /^\d{1,12}$/.test(time);
  return isTime && member('tsm') === macOf(key, ['hawk.1.ts', time]) ? Number(time) : null;
}

function macOf(key: string, lines: readonly (string | number)[]): string {
  const text = lines.map((line) => `${line}\n`).join('');
  return createHmac('sha256', key).update(text).digest('base64');
}
