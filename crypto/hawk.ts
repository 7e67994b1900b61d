// Hawk: how a request to a Sync 1.5 storage server is signed, as a header.
// The caller brings the time and the nonce, and keeps the key made ready: that is half of the work.
// Nothing here knows of retries or clocks.

import { encodeBase64 } from './bytes.ts';
import { CryptoError } from './error.ts';
import { type HmacKey, hmac, hmacKey } from './hmac.ts';
import { sha256 } from './sha256.ts';
import { encodeUtf8 } from './utf8.ts';

export interface HawkCredentials {
  readonly id: string;
  readonly key: HmacKey;
}

export interface HawkRequest {
  readonly method: string;
  /** Absolute, percent-encoded, an international host in its ASCII form. */
  readonly url: string;
  readonly timeSeconds: number;
  /** ASCII, like `ext`. */
  readonly nonce: string;
  /** What `hawkPayloadHash` answers; absent, the body is not signed. */
  readonly hash?: string;
  readonly ext?: string;
}

/** A key for many requests; the token server's `key` is used as the text that it is. */
export function hawkKey(key: string): HmacKey {
  return hmacKey(encodeUtf8(key));
}

/** The value of the `Authorization` header. Throws `CryptoError` `badUrl`. */
export function hawkHeader({ id, key }: HawkCredentials, request: HawkRequest): string {
  const { timeSeconds, nonce, hash, ext } = request;
  const signed = hash === undefined ? '' : `, hash="${hash}"`;
  const extra = ext === undefined ? '' : `, ext="${escapeHeader(ext)}"`;
  const mac = hawkMac(key, request);
  return `Hawk id="${id}", ts="${timeSeconds}", nonce="${nonce}"${signed}${extra}, mac="${mac}"`;
}

/** The signature of a request, base64. Throws `CryptoError` `badUrl`. */
export function hawkMac(key: HmacKey, request: HawkRequest): string {
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
    request.ext?.replace(/\\/g, '\\\\').replace(/\n/g, '\\n') ?? '',
  ];
  return encodeBase64(hmac(key, textOfLines(lines)));
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
