// Which addresses of servers a computer takes: http or https, nothing secret in them, and without
// encryption only this machine itself, unless its user says otherwise. What is refused is named,
// and never shown where it may hold a password.

import { parsedUrl } from '../parsed-url.ts';
import type { Fetch } from '../web/fetch-network.ts';

/** The message names what was refused, in one line. */
export class ServerUrlRefused extends Error {}

interface ServerUrlRules {
  /** Other machines may be asked without encryption. */
  readonly allowHttp: boolean;
  /** A complaint may show what was typed, if that holds no password. */
  readonly mayShow?: boolean;
}

/**
 * The URL of a server, without a slash at its end. `name`: what people call it, such as an option.
 * Errors: `ServerUrlRefused`.
 */
export function serverUrlOf(
  name: string,
  text: string,
  { allowHttp, mayShow = false }: ServerUrlRules,
): string {
  const url = parsedUrl(text);
  const isWeb = url !== null && /^https?:$/.test(url.protocol);
  if (isWeb ? url.username + url.password !== '' : text.includes('@')) {
    throw new ServerUrlRefused(`${name} must hold no user name and no password`);
  }
  if (!isWeb) {
    const shown = mayShow ? `, not "${text}"` : '';
    throw new ServerUrlRefused(`${name} must be an http or https URL${shown}`);
  }
  if (/[?#]/.test(text)) {
    throw new ServerUrlRefused(`${name} must have no query ("?") and no fragment ("#")`);
  }
  if (!allowHttp && !isSafe(url)) throw new ServerUrlRefused(`${name}: ${notEncrypted(url)}`);
  return url.href.replace(/\/+$/, '');
}

/**
 * A fetch that asks no other machine without encryption, wherever the address comes from: a server
 * may name another one. `refused` is told first, in a line for people. Rejects with an Error whose
 * code is `ENOTENCRYPTED`.
 */
export function encryptedFetch(fetch: Fetch, refused?: (line: string) => void): Fetch {
  return async (request) => {
    const url = new URL(request.url);
    if (isSafe(url)) return fetch(request);
    const line = notEncrypted(url);
    refused?.(line);
    throw Object.assign(new Error(line), { code: 'ENOTENCRYPTED' });
  };
}

/** Takes what could be a user name and a password out of a line that is shown. */
export function withoutUserInfo(line: string): string {
  return line.replace(/(\/\/)[^/\s"]*@/g, '$1(hidden)@');
}

function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || LOOPBACK.test(hostname);
}

/** As URLs write them: an IPv4 address in any other form has become this one. */
const LOOPBACK = /^((.+\.)?localhost|127(\.\d+){3}|\[::1\])$/;

function notEncrypted({ host }: URL): string {
  return `http://${host} is not encrypted: use https, or allow it with --allow-http`;
}
