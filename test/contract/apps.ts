// What every device's apps must do, as one suite that takes the implementation as an argument. It
// promises to test the words of platform/ports.ts (interface Apps) and nothing about how a system
// keeps its apps. Each test gets a system without any.

import { afterEach, describe, expect, it } from 'vitest';
import type { Apps, SystemApp } from '../../platform/ports.ts';

/** One system under test. `reopen` gives what is found when the device is switched on again. */
export interface AppsUnderTest {
  readonly apps: Apps;
  /** What the device's user does, past the agent. Null: removes the app. */
  person(origin: string, app: SystemApp | null): Promise<void>;
  /** Resolves when what the system has to tell has been told. */
  told(isTold: () => boolean): Promise<void>;
  reopen(): Promise<AppsUnderTest>;
  close(): Promise<void>;
}

const A = 'http://a.example';
const B = 'https://b.example:8080';
const APP: SystemApp = {
  manifest: JSON.parse('{"name":"Grüße \u{1f9a6}","icons":{"16":"/16.png"},"__proto__":{"x":[1]}}'),
  manifest_url: `${A}/m.webapp`,
  install_data: { receipts: ['a~b', 'c'] },
  install_origin: 'https://store.example',
  install_time: 1_316_550_000.25,
};

export function appsContract(name: string, make: () => Promise<AppsUnderTest>): void {
  describe(`the apps contract: ${name}`, () => {
    let opened: AppsUnderTest[] = [];
    const open = async (from: () => Promise<AppsUnderTest> = make): Promise<AppsUnderTest> => {
      const made = await from();
      opened.push(made);
      return made;
    };
    afterEach(async () => {
      for (const one of opened) await one.close();
      opened = [];
    });

    it('has what was installed, with all its members, and nothing else', async () => {
      const { apps } = await open();
      expect(await apps.list('', 100)).toEqual([]);
      expect(await apps.read(A)).toBeNull();
      const tag = await apps.install(A, APP);
      expect(tag).toMatch(/^[!-~]{1,64}$/);
      expect(await apps.list('', 100)).toEqual([{ origin: A, tag }]);
      expect(JSON.stringify(await apps.read(A))).toBe(JSON.stringify(APP));
      await apps.install(B, { manifest: { name: 'b' } });
      expect(await apps.read(B)).toEqual({ manifest: { name: 'b' } });
    });

    it('lists by origin in ASCII order, so many at a time', async () => {
      const { apps } = await open();
      const origins = [
        'https://b',
        'http://b',
        'http://a:81',
        'http://a',
        'http://a.b',
        'http://a-b',
      ];
      for (const origin of origins) await apps.install(origin, { manifest: { name: origin } });
      const sorted = origins.sort((a, b) => (a < b ? -1 : 1));
      expect((await apps.list('', 100)).map(({ origin }) => origin)).toEqual(sorted);
      const found: string[] = [];
      for (let after = ''; ; ) {
        const page = await apps.list(after, 4);
        found.push(...page.map(({ origin }) => origin));
        after = found.at(-1) ?? '';
        if (page.length < 4) break;
      }
      expect(found).toEqual(sorted);
      expect(await apps.list('https://b', 4)).toEqual([]);
      expect((await apps.list('http://a.a', 1)).map(({ origin }) => origin)).toEqual([
        'http://a.b',
      ]);
      for (const limit of [0, 101, 1.5]) {
        await expect(apps.list('', limit)).rejects.toThrow('limit: not an integer from 1 to 100');
      }
    });

    it('gives another tag with what has changed, and the same one where nothing has', async () => {
      const { apps } = await open();
      const first = await apps.install(A, APP);
      const second = await apps.install(A, { ...APP, install_data: { receipts: ['a~b'] } });
      expect(second).not.toBe(first);
      expect(await apps.install(A, { ...APP, install_data: { receipts: ['a~b'] } })).toBe(second);
      expect(await apps.list('', 1)).toEqual([{ origin: A, tag: second }]);
      expect((await apps.read(A))?.install_data).toEqual({ receipts: ['a~b'] });
      const again = await apps.install(A, { manifest: APP.manifest });
      expect(again).not.toBe(second);
      expect(await apps.read(A)).toEqual({ manifest: APP.manifest });
    });

    it.each<[why: string, origin: string, app: SystemApp]>([
      ['a manifest without a name', A, { manifest: {} }],
      ['a manifest whose name is no text', A, { manifest: { name: 7 } }],
      ['a manifest that is no object', A, { manifest: 'x' as never }],
      ['a manifest that is a list', A, { manifest: [] as never }],
      ['an origin with a path that leads elsewhere', '../../x', APP],
      ['an origin with a space', 'http://a b', APP],
      ['an origin that is too long', `http://${'a'.repeat(200)}`, APP],
    ])('refuses %s, and has what it had', async (_, origin, app) => {
      const { apps } = await open();
      const tag = await apps.install(A, APP);
      await expect(apps.install(origin, app)).rejects.toMatchObject({ code: 'refused' });
      expect(await apps.list('', 100)).toEqual([{ origin: A, tag }]);
      expect(await apps.read(A)).toEqual(APP);
    });

    it('removes an app, and nothing where there is none', async () => {
      const { apps } = await open();
      await apps.install(A, APP);
      await apps.install(B, APP);
      await apps.uninstall(A);
      await apps.uninstall(A);
      expect((await apps.list('', 100)).map(({ origin }) => origin)).toEqual([B]);
      expect(await apps.read(A)).toBeNull();
    });

    it('has all of it after a reboot, under the same tags', async () => {
      const before = await open();
      await before.apps.install(A, APP);
      await before.apps.install(B, APP);
      await before.apps.uninstall(B);
      const listed = await before.apps.list('', 100);
      const { apps } = await open(() => before.reopen());
      expect(await apps.list('', 100)).toEqual(listed);
      expect(await apps.read(A)).toEqual(APP);
      expect(await apps.install(A, APP)).toBe(listed[0]?.tag);
    });

    it('tells that its user has installed, changed or removed something', async () => {
      const { apps, person, told } = await open();
      let calls = 0;
      apps.changed(() => {
        throw new Error('the listener before');
      });
      apps.changed(() => calls++);
      const seen = async (work: () => Promise<void>): Promise<void> => {
        const before = calls;
        await work();
        await told(() => calls > before);
        expect(calls).toBeGreaterThan(before);
      };
      await seen(() => person(A, APP));
      const [installed] = await apps.list('', 1);
      expect(await apps.read(A)).toEqual(APP);
      await seen(() => person(A, { ...APP, manifest: { name: 'two' } }));
      const [changed] = await apps.list('', 1);
      expect(changed?.tag).not.toBe(installed?.tag);
      expect((await apps.read(A))?.manifest).toEqual({ name: 'two' });
      await seen(() => person(A, null));
      expect(await apps.list('', 1)).toEqual([]);
    });

    it('takes an app of 64 KB, and one of the longest origin', async () => {
      const { apps } = await open();
      const long = { manifest: { name: 'long', text: 'ü'.repeat(32_000) } };
      const origin = `https://${'a'.repeat(192)}`;
      await apps.install(A, long);
      await apps.install(origin, APP);
      expect(await apps.read(A)).toEqual(long);
      expect((await apps.list('', 9)).map((one) => one.origin)).toEqual([A, origin]);
    });
  });
}
