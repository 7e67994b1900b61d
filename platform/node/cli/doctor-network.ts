// The steps to a server below HTTP: its name, and a connection, encrypted where its address says
// so. Each says what it found in words; errors are SyncErrors `offline` with the system's code as
// their cause, as those of a sync.

import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { SyncError } from '../../../agent/index.ts';

const STEP_MS_MAX = 10_000;

/** Asks for the addresses of a host. */
export async function findHost(url: URL): Promise<string> {
  const host = hostOf(url);
  if (isIP(host) !== 0) return `${host} is an address`;
  try {
    const found = await lookup(host, { all: true });
    return `${host} is ${found.map(({ address }) => address).join(', ')}`;
  } catch (error) {
    throw failure(error, host, 'the name of the server leads nowhere');
  }
}

/** Connects, and ends the connection. */
export async function openConnection(url: URL): Promise<string> {
  const isTls = url.protocol === 'https:';
  const host = hostOf(url);
  const port = Number(url.port || (isTls ? 443 : 80));
  const name = isIP(host) === 0 ? { servername: host } : {};
  const socket = isTls ? connectTls({ host, port, ...name }) : connect({ host, port });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(isTls ? 'secureConnect' : 'connect', resolve).once('error', reject);
      const late = Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' });
      socket.setTimeout(STEP_MS_MAX, () => reject(late));
    });
    return isTls ? aboutTls(socket as TLSSocket) : `${url.host} takes connections, unencrypted`;
  } catch (error) {
    throw failure(error, url.host, 'no connection can be made');
  } finally {
    socket.destroy();
  }
}

function aboutTls(socket: TLSSocket): string {
  const { valid_to } = socket.getPeerCertificate();
  const until = new Date(valid_to).toLocaleDateString('sv-SE');
  return `${socket.getProtocol()}, with a certificate that is good until ${until}`;
}

/** A code of the system and a host: nothing of that is secret. */
function failure(error: unknown, host: string, message: string): SyncError {
  const { code = 'UNKNOWN' } = error as NodeJS.ErrnoException;
  return new SyncError('offline', message, { cause: `${code} ${host}` });
}

function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1');
}
