import { describe, expect, it } from 'vitest';
import { type AppsUnderTest, appsContract } from '../../test/contract/apps.ts';
import { MemoryApps } from './apps.ts';

appsContract('in memory', async () => under(new MemoryApps()));

function under(apps: MemoryApps): AppsUnderTest {
  return {
    apps,
    person: async (origin, app) => apps.person(origin, app),
    told: async () => undefined,
    reopen: async () => under(apps.fork()),
    close: async () => undefined,
  };
}

describe('apps in memory that lose their power', () => {
  const app = { manifest: { name: 'a' } };

  it('have done the call or not, and answer nothing more', async () => {
    for (const when of ['before', 'after'] as const) {
      const apps = new MemoryApps().fork({ atCall: 2, when });
      await apps.list('', 1);
      await expect(apps.install('http://a', app)).rejects.toMatchObject({ code: 'failed' });
      await expect(apps.list('', 1)).rejects.toMatchObject({ code: 'failed' });
      expect([...apps.fork().snapshot().keys()]).toEqual(when === 'before' ? [] : ['http://a']);
    }
  });
});
