import { expect, test } from 'vitest';
import { Room } from './room.ts';

test('who finds no room is sent away, and what ended is free again, however it ended', async () => {
  const room = new Room(10);
  let end = (): void => undefined;
  const first = room.share(async ({ take }) => {
    take(4);
    take(4);
    await new Promise<void>((resolve) => {
      end = resolve;
    });
  });
  const three = () => room.share(async ({ take }) => take(3));
  await expect(three()).rejects.toMatchObject({ status: 503 });
  await room.share(async ({ take }) => take(2));
  end();
  await first;
  await three();
  const failing = room.share(async ({ take }) => {
    take(10);
    throw new Error('broken');
  });
  await expect(failing).rejects.toThrow('broken');
  await room.share(async ({ take }) => take(10));
});
