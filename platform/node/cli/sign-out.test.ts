import { existsSync, lstatSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { secondDevice } from '../../../test/sim/second-device.ts';
import { credentialsOf, run, testTerminal } from '../../../test/support/commands.ts';
import { newPerson, type Person } from '../../../test/support/person.ts';
import { main } from './main.ts';

let at: Person;
beforeEach(async () => {
  at = await newPerson();
});
afterEach(() => at.serving.close());

describe('kitsync sign-out', () => {
  const other = (inMs = 0) => secondDevice({ world: at.serving.world, nowMs: Date.now() + inMs });
  const signOut = (...more: string[]) => run(['sign-out', '--data', at.data, ...more]);

  it('empties the folder, leaves the devices, and ends the sign-in', async () => {
    await at.signIn();
    await at.once();
    expect(other().live('clients').size).toBe(1);
    const result = await signOut('--credentials', at.credentials, '--yes');
    expect(result).toEqual({
      code: 0,
      out: '',
      complaints:
        `no data is left in ${at.data}\nthe accounts server has taken the sign-in back\n` +
        `${at.credentials} is kept\n`,
    });
    expect(readdirSync(at.data)).toEqual([]);
    expect(other(2_000).live('clients').size).toBe(0);
    expect(other().live('history').size).toBe(5);
    const again = await at.once();
    expect([again.code, again.complaints]).toEqual([1, expect.stringContaining('(signedOut)')]);
  });

  it('removes what killed processes have left, and says what is not its own', async () => {
    await at.signIn();
    await at.once();
    const draft = `${'A'.repeat(16)}.draft`;
    const leftovers = [`device.key.${draft}`, 'device.key.4711', `notes.json.${draft}`, 'lock.12'];
    for (const name of leftovers) writeFileSync(join(at.data, name), '');
    writeFileSync(`${at.credentials}.${draft}`, 'token');
    await at.once();
    expect(readdirSync(at.data).sort()).toEqual(['device.key', 'notes.json', 'store']);
    expect(existsSync(`${at.credentials}.${draft}`)).toBe(false);

    for (const name of [...leftovers, 'photo.jpg']) writeFileSync(join(at.data, name), '');
    writeFileSync(`${at.credentials}.${draft}`, 'token');
    const { complaints } = await signOut('--credentials', at.credentials, '--yes');
    expect(complaints).toContain(
      `nothing of Kitsync is left in ${at.data}; not removed: photo.jpg\n`,
    );
    expect(readdirSync(at.data)).toEqual(['photo.jpg']);
    expect(existsSync(`${at.credentials}.${draft}`)).toBe(false);

    // Also where a first sync was killed before it kept any data.
    writeFileSync(join(at.data, 'device.key'), '');
    expect((await signOut('--yes')).code).toBe(0);
    expect(readdirSync(at.data)).toEqual(['photo.jpg']);
  });

  it('removes the credentials where it is told to', async () => {
    await at.signIn();
    const args = ['--credentials', at.credentials, '--forget-credentials', '--yes'];
    expect((await signOut(...args)).complaints).toContain(`${at.credentials} is removed`);
    expect(existsSync(at.credentials)).toBe(false);
    await at.signIn();
    const link = join(at.folder, 'link');
    symlinkSync(at.credentials, link);
    await signOut('--credentials', link, '--forget-credentials', '--yes');
    expect([lstatSync(link, { throwIfNoEntry: false }), existsSync(at.credentials)]).toEqual([
      undefined,
      false,
    ]);
    expect((await signOut('--forget-credentials')).complaints).toContain(
      '--credentials is missing',
    );
  });

  it('asks first, and says what would be lost', async () => {
    await credentialsOf(at.serving, at.credentials);
    await at.once();
    await run(['put', 'history', '{"url":"https://new.example/"}', '--data', at.data]);
    expect(await signOut()).toMatchObject({
      code: 2,
      complaints: expect.stringContaining('--yes'),
    });
    const terminal = testTerminal({ input: async () => 'no\n' });
    const here = Object.assign(terminal, { isInteractive: true });
    expect(await main(['sign-out', '--data', at.data], here)).toBe(1);
    expect(terminal.complaints).toContain('Not sent yet, and lost then: 1 of your changes.');
    expect((await run(['status', '--data', at.data])).out).toMatch(/history .* 1 to send/);
  });

  it('works without any server', async () => {
    await at.signIn();
    await at.once();
    await at.serving.close();
    const { code, complaints } = await signOut('--credentials', at.credentials, '--yes');
    expect([code, complaints]).toEqual([
      0,
      expect.stringContaining('the accounts server still knows the sign-in: '),
    ]);
    expect(readdirSync(at.data)).toEqual([]);
  });

  it('is refused while a sync runs, and with the credentials of somebody else', async () => {
    await credentialsOf(at.serving, at.credentials);
    const terminal = testTerminal();
    const sync = ['sync', '--token-server', at.serving.world.urls.token, '--data', at.data];
    const ended = main([...sync, '--credentials', at.credentials], terminal);
    await terminal.saw('in sync');
    expect(await signOut('--yes')).toMatchObject({
      code: 1,
      complaints: `kitsync: ${at.data} is in use\n`,
    });
    terminal.stop();
    await ended;
    writeFileSync(at.credentials, JSON.stringify({ ...at.read(), email: 'other@example.test' }));
    const { code, complaints } = await signOut('--credentials', at.credentials, '--yes');
    expect([code, complaints]).toEqual([1, expect.stringContaining('not of other@example.test')]);
    expect(readdirSync(at.data)).toContain('store');
  });
});
