import { describe, expect, it } from 'vitest';
import { Op } from './binary.ts';
import { capExports, capModule } from './cap.ts';
import { ModuleEditor } from './module.ts';
import { readQuickJs, readSqlite, smallModule } from './testing.ts';

describe('the rewriting', () => {
  it('refuses a module that is not QuickJS, and says what it missed', async () => {
    const sqlite = await readSqlite();
    expect(() => capModule(sqlite)).toThrow(/^cap: \w+ was found \d+ times, not once$/);
    expect(() => capModule(smallModule(Op.localGet, 0))).toThrow('no section 9');
  });

  it('refuses to be done twice, because blocks would be counted twice', async () => {
    const once = capModule(await readQuickJs());
    expect(() => capModule(once)).toThrow(/^cap: /);
  });

  it('changes some functions and adds some, and exports the counters', async () => {
    const before = new ModuleEditor(await readQuickJs());
    const after = new ModuleEditor(capModule(await readQuickJs()));
    expect(after.bodies.length - before.bodies.length).toBe(8);
    const names = after.exports.slice(before.exports.length).map(({ name }) => name);
    expect(names.sort()).toEqual(Object.values(capExports).sort());
  });
});
