// Gateway processes that find each other's credentials in a Redis of their own: Debian's
// `redis-server` on loopback, where there is one.

import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { killCommands, startCommand } from '../../../platform/node/cli/testing.ts';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { hasRedis, startRedis } from '../../../test/support/redis.ts';

const folder = temporaryFolder();
const RECORDS = `/v1/buckets/${'0'.repeat(32)}/collections/history/records`;
const HAWK_KEY = 'the-key-of-the-storage';

let asked = 0;
const server = createServer((incoming, answer) => {
  const isToken = incoming.url?.startsWith('/1.0/') ?? false;
  if (isToken) asked++;
  const access = {
    ...{ uid: 1, id: 'the-id', key: HAWK_KEY, hashalg: 'sha256' },
    api_endpoint: `${origin()}/1.5/1`,
  };
  answer.end(JSON.stringify(isToken ? access : []));
});
const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await startCommand(['gateway', '--help']).ended;
});
afterEach(killCommands);
afterAll(() => server.close());

async function startGateway(redis: string, secret: string) {
  const path = join(folder, `secret-${secret}`);
  writeFileSync(path, secret.repeat(32), { mode: 0o600 });
  const args = ['--token-server', origin(), '--redis', redis, '--secret-file', path];
  const command = startCommand(['gateway', ...args]);
  await Promise.race([command.saw('"isUp"'), command.ended]);
  await Promise.race([command.saw('"listening"'), command.ended]);
  expect(command.complained()).toBe('');
  const [, port] = /"port":(\d+)/.exec(command.printed()) ?? [];
  const headers = { Authorization: 'Bearer the-token' };
  return {
    ...command,
    ask: async () => (await fetch(`http://127.0.0.1:${port}${RECORDS}`, { headers })).status,
  };
}

/** Every word of Redis's answer to a command. */
function tell(port: number, command: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    socket.on('data', (bytes) => {
      heard += bytes;
    });
    socket.once('close', () => resolve(heard));
    socket.end(`${command}\r\n`);
  });
}

test.skipIf(!hasRedis)(
  'what one process was given, another one finds, and nobody else reads',
  async () => {
    const redis = await startRedis(folder);
    const [first, second] = [
      await startGateway(redis.url, 'ab'),
      await startGateway(redis.url, 'ab'),
    ];
    asked = 0;
    expect([await first.ask(), await second.ask()]).toEqual([200, 200]);
    expect(asked).toBe(1);
    const [, name = ''] = /(credentials_\w{64})/.exec(await tell(redis.port, 'KEYS *')) ?? [];
    const kept = await tell(redis.port, `GET ${name}`);
    expect(kept.length).toBeGreaterThan(100);
    const words = [HAWK_KEY, 'the-token', '127.0.0.1', '0'.repeat(32)];
    const [, sealed = ''] = kept.split('\r\n');
    for (const text of [name, sealed, Buffer.from(sealed, 'base64').toString('latin1')])
      for (const word of words) expect(text).not.toContain(word);
    expect(Number(/:(\d+)/.exec(await tell(redis.port, `TTL ${name}`))?.[1])).toBeLessThanOrEqual(
      300,
    );

    // Another secret, an entry that was changed, a Redis that is gone: all cost a question.
    expect(await (await startGateway(redis.url, 'cd')).ask()).toBe(200);
    expect(asked).toBe(2);
    const flipped = Buffer.from(sealed, 'base64');
    flipped.writeUInt8(flipped.readUInt8(40) ^ 1, 40);
    await tell(redis.port, `SET ${name} ${flipped.toString('base64')}`);
    expect([await second.ask(), asked]).toEqual([200, 3]);
    redis.child.kill('SIGKILL');
    await first.saw('"isUp":false');
    expect([await first.ask(), asked]).toEqual([200, 4]);
  },
);
