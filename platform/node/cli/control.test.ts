import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { temporaryFolder } from '../../../test/support/folders.ts';
import { Failure } from './complaint.ts';
import { connectControl } from './control.ts';

const opened = new Set<() => void>();
afterEach(() => {
  for (const close of opened) close();
});

/** What answers as a sync does that is killed: `onQuestion` gets the line that asks. */
async function listen(onQuestion: (socket: Socket) => void): Promise<string> {
  const path = join(temporaryFolder(), 'control');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => onQuestion(socket));
  });
  opened.add(() => server.close());
  server.listen(path);
  await once(server, 'listening');
  return path;
}

it.each<[how: string, onQuestion: (socket: Socket) => void]>([
  ['closes the line', (socket) => void socket.end()],
  ['breaks it', (socket) => void socket.destroy()],
  ['breaks it within an answer', (socket) => void socket.write('{"res', () => socket.destroy())],
])('a sync that ends while it is asked, and %s, is one plain failure', async (_, onQuestion) => {
  const api = await connectControl(await listen(onQuestion));
  const asked = api?.status();
  await expect(asked).rejects.toThrow(Failure);
  await expect(asked).rejects.toThrow('the running sync has ended');
  // The line is gone: what is asked then says so, too.
  await expect(api?.status()).rejects.toThrow('the running sync has ended');
  api?.close();
});
