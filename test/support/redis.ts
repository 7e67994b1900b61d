// A Redis of the tests' own: Debian's `redis-server` on loopback, which keeps nothing on the disk.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { freePort } from './ports.ts';

interface Redis {
  readonly child: ChildProcess;
  readonly port: number;
  readonly url: string;
}

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** `port`: by default one that is free. It ends with this process at the latest. */
export async function startRedis(folder: string, port?: number): Promise<Redis> {
  const at = port ?? (await freePort());
  const args = ['--port', `${at}`, '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  const child = spawn('redis-server', args);
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('close', () => process.off('exit', end));
  for await (const text of child.stdout) if (`${text}`.includes('Ready to accept')) break;
  return { child, port: at, url: `redis://127.0.0.1:${at}` };
}
