// The command `kitsync serve` as a process, and a device of its user that writes over the network.

import { type AccountClient, accountClient } from '../../emulator/servers/account-client.ts';
import { keyFingerprint } from '../../emulator/servers/sync-keys.ts';
import { type Pass, type StorageClient, storageClient } from '../../emulator/servers/testing.ts';
import { startCommand } from '../../platform/node/cli/testing.ts';

/** Resolves when it has said where it is, or has ended. */
export async function startServers(...args: string[]) {
  const command = startCommand(['serve', ...args]);
  await Promise.race([command.saw('password'), command.ended]);
  const [, url = ''] = /^origin +(\S+)$/m.exec(command.printed()) ?? [];
  const [, port = ''] = /^port +(\d+)$/m.exec(command.printed()) ?? [];
  return { ...command, url, port: Number(port || new URL(url || 'http://localhost').port) };
}

/** Of the host. */
export const realClock = {
  get nowMs() {
    return Date.now();
  },
};

type Send = (request: Request) => Promise<Response>;

/** The account manager of a device of the account's user. `url`: the origin of the servers. */
export function deviceAt(url: string, kB: string, send: Send = fetch): AccountClient {
  const credentials = { email: 'user@example.test', kB };
  return accountClient({ fetch: send, baseUrl: `${url}/accounts`, credentials, nowMs: Date.now });
}

/** What the user of the account proves itself with. `url`: the origin of the servers. */
export async function proofAt(url: string, kB: string, send: Send = fetch) {
  const device = deviceAt(url, kB, send);
  const { token, keysChangedAtMs } = await device.accessToken(false);
  return {
    Authorization: `Bearer ${token}`,
    'X-KeyID': `${keysChangedAtMs}-${keyFingerprint(kB)}`,
  };
}

/** The storage of the account's user. */
export async function storageAt(
  url: string,
  kB: string,
  send: Send = fetch,
): Promise<StorageClient> {
  const headers = await proofAt(url, kB, send);
  const pass = await send(new Request(`${url}/token/1.0/sync/1.5`, { headers }));
  return storageClient({ fetch: send }, (await pass.json()) as Pass, Date.now);
}

/** Asks for one record of a collection: the status of the answer. */
export async function writerTo(url: string, kB: string) {
  const storage = await storageAt(url, kB);
  return async (method: 'GET' | 'PUT', id: string): Promise<number> => {
    const options = method === 'PUT' ? { body: { payload: id } } : {};
    return (await storage(method, `storage/col/${id}`, options)).status;
  };
}
