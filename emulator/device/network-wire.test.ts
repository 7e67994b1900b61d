import { describe, expect, it } from 'vitest';
import type { NetworkRequest } from '../../platform/ports.ts';
import { requestBytes, responseHeadBytes, toRequest } from './network-wire.ts';

const GET: NetworkRequest<string> = {
  method: 'GET',
  url: 'https://sync.example/v1/records?_limit=2',
  headers: [['accept', 'application/json']],
  ...{ timeoutMs: 1, windowMs: 1, windowBytesMin: 1, longestMs: 1 },
};
const POST: NetworkRequest<string> = { ...GET, method: 'POST', body: '"é"' };

const LINE = 'GET /v1/records?_limit=2 HTTP/1.1\r\n';
const HEADERS = 'host: sync.example\r\naccept: application/json\r\n';

describe('a request on the wire', () => {
  it('has a line, a host, its headers and an empty line', () => {
    expect(requestBytes(GET, 0)).toBe(`${LINE}${HEADERS}\r\n`.length);
  });

  it('has the length of its body, or comes in chunks', () => {
    const bytes = `P${LINE.replace('GET', 'OST')}${HEADERS}\r\n`.length;
    expect(requestBytes(POST, 4)).toBe(bytes + 'content-length: 4\r\n'.length + 4);
    const chunked = 'transfer-encoding: chunked\r\n'.length;
    const { body: _, ...streamed } = POST;
    expect(requestBytes(streamed, null)).toBe(bytes + chunked);
  });
});

it('counts the head of an answer without its body', () => {
  const answer = new Response('body', { status: 404, statusText: 'No', headers: { 'x-a': 'b' } });
  const head = 'HTTP/1.1 404 No\r\ncontent-type: text/plain;charset=UTF-8\r\nx-a: b\r\n\r\n';
  expect(responseHeadBytes(answer)).toBe(head.length);
});

describe('a request as a server in this process sees it', () => {
  it('has its method, headers and body, and follows no redirect', async () => {
    const request = toRequest(POST);
    expect([request.method, request.url, request.redirect]).toEqual(['POST', POST.url, 'manual']);
    expect(request.headers.get('accept')).toBe('application/json');
    expect(await request.text()).toBe('"é"');
    expect(toRequest(GET).body).toBeNull();
  });

  it('has a body that comes in pieces, with its length where that is known', async () => {
    const stream = () => new Blob(['streamed']).stream();
    const known = toRequest(POST, { body: stream(), lengthBytes: 8 });
    expect(known.headers.get('content-length')).toBe('8');
    expect(await known.text()).toBe('streamed');
    const open = toRequest(POST, { body: stream(), lengthBytes: null });
    expect(open.headers.get('content-length')).toBeNull();
  });
});
