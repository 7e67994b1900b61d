import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../test/support/ports.ts';
import { findHost, openConnection } from './doctor-network.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A server that says this to whoever connects. */
async function port(says = ''): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.end(says);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('the name of a server', () => {
  it('may be an address', async () => {
    expect(await findHost(new URL('http://127.0.0.1:8000'))).toBe('127.0.0.1 is an address');
    expect(await findHost(new URL('http://[::1]/'))).toBe('::1 is an address');
  });

  it('leads to addresses, or nowhere', async () => {
    expect(await findHost(new URL('http://localhost/'))).toMatch(
      /^localhost is (127\.0\.0\.1|::1)/,
    );
    await expect(findHost(new URL('https://none.invalid/'))).rejects.toMatchObject({
      code: 'offline',
      message: 'the name of the server leads nowhere',
      shown: { cause: expect.stringMatching(/^E\w+ none\.invalid$/) },
    });
  });
});

describe('a connection', () => {
  it('is taken, unencrypted where the address says so', async () => {
    const at = `127.0.0.1:${await port()}`;
    expect(await openConnection(new URL(`http://${at}/`))).toBe(
      `${at} takes connections, unencrypted`,
    );
  });

  it('is refused where nobody is', async () => {
    const closed = await freePort();
    await expect(openConnection(new URL(`http://127.0.0.1:${closed}/`))).rejects.toMatchObject({
      code: 'offline',
      message: 'no connection can be made',
      shown: { cause: `ECONNREFUSED 127.0.0.1:${closed}` },
    });
  });

  it('is none where a server without encryption is asked with it', async () => {
    const at = await port('HTTP/1.1 400 Bad Request\r\n\r\n');
    await expect(openConnection(new URL(`https://127.0.0.1:${at}/`))).rejects.toMatchObject({
      code: 'offline',
      message: 'no connection can be made',
      shown: { cause: expect.stringMatching(/^E\w+ 127\.0\.0\.1:\d+$/) },
    });
  });
});
