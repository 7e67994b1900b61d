import { expect, test, vi } from 'vitest';
import { syncKeyBundle } from '../crypto/keys.ts';
import { corpusAccount, testDevice, testServers } from '../test/support/device.ts';

vi.mock('../crypto/keys.ts', { spy: true });

test('the user’s key is derived in a slice of its own', async () => {
  const servers = testServers(corpusAccount());
  const seen: string[] = [];
  const { agent, platform } = testDevice(servers, {
    protocol: 'sync15',
    fetch: (request) => {
      seen.push(new URL(request.url).pathname);
      return servers.world.fetch(request);
    },
  });
  const { pause } = platform.clock;
  platform.clock.pause = () => {
    seen.push('pause');
    return pause();
  };
  await agent.start();
  vi.mocked(syncKeyBundle).mockImplementationOnce((key) => {
    seen.push('derived');
    vi.mocked(syncKeyBundle).mockRestore();
    return syncKeyBundle(key);
  });
  expect(await agent.enable()).toMatchObject({ ok: true });
  const derived = seen.indexOf('derived');
  expect(derived).toBeGreaterThan(0);
  expect(seen[derived + 1]).toBe('pause');
  expect(seen[derived + 2]).toMatch(/crypto\/keys$/);
});
