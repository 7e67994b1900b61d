// Hawk: how a request to a Sync 1.5 storage server is signed, as a header.
// The caller brings the time and the nonce. The token server's `key` is used as the text that it
// is. Nothing here knows of retries or clocks.

import { encodeBase64 } from './bytes.ts';
import { CryptoError } from './error.ts';
import { hmac, hmacKey } from './hmac.ts';
import { sha256 } from './sha256.ts';
import { encodeUtf8 } from './utf8.ts';

export interface HawkCredentials {
  readonly id: string;
  readonly key: string;
}

export interface HawkRequest {
  readonly method: string;
  /** Absolute, percent-encoded, an international host in its ASCII form. */
  readonly url: string;
  readonly timeSeconds: number;
  readonly nonce: string;
  /** What `hawkPayloadHash` answers; absent, the body is not signed. */
  readonly hash?: string;
  readonly ext?: string;
}

/** The value of the `Authorization` header. Throws `CryptoError` `badUrl`. */
export function hawkHeader(credentials: HawkCredentials, request: HawkRequest): string {
  const { timeSeconds, nonce, hash, ext } = request;
  const fields: [string, string | undefined][] = [
    ['id', credentials.id],
    ['ts', String(timeSeconds)],
    ['nonce', nonce],
    ['hash', hash],
    ['ext', ext === undefined ? undefined : escapeHeader(ext)],
    ['mac', hawkMac(credentials.key, request)],
  ];
  const written = fields.filter(([, value]) => value !== undefined);
  return `Hawk ${written.map(([name, value]) => `${name}="${value}"`).join(', ')}`;
}

/** The signature of a request, base64. Throws `CryptoError` `badUrl`. */
export function hawkMac(key: string, request: HawkRequest): string {
  const { host, port, resource } = splitUrl(request.url);
  const lines = [
    'hawk.1.header',
    String(request.timeSeconds),
    request.nonce,
    request.method.toUpperCase(),
    resource,
    host,
    port,
    request.hash ?? '',
    (request.ext ?? '').replace(/\\/g, '\\\\').replace(/\n/g, '\\n'),
  ];
  return encodeBase64(hmac(hmacKey(encodeUtf8(key)), encodeUtf8(textOfLines(lines))));
}

/** The hash of a body, base64. Of the content type, parameters do not count. */
export function hawkPayloadHash(body: string, contentType = ''): string {
  const type = contentType.replace(/;.*$/s, '').trim().toLowerCase();
  return encodeBase64(sha256(encodeUtf8(textOfLines(['hawk.1.payload', type, body]))));
}

function textOfLines(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}

function escapeHeader(text: string): string {
  return text.replace(/[\\"]/g, '\\$&');
}

function splitUrl(url: string): { host: string; port: string; resource: string } {
  const match = /^(https?):\/\/([\w.-]+|\[[\da-f:.]+\])(?::(\d+))?([/?][!-~]*)?$/i.exec(url);
  if (match === null) throw new CryptoError('badUrl', 'no absolute http URL in ASCII');
  const [, scheme = '', host = '', port, rest = '/'] = match;
  const resource = rest.replace(/#.*$/, '');
  return {
    host: host.toLowerCase(),
    port: port ?? (scheme.toLowerCase() === 'https' ? '443' : '80'),
    resource: resource.startsWith('/') ? resource : `/${resource}`,
  };
}
