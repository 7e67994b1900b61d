import { describe, expect, test } from 'vitest';
import type { Body } from './collection.ts';
import { generic } from './generic.ts';

const NOW_MS = 1_795_323_276_914;
const notes = generic('my.notes', { sealed: false });

/** The local change is `youngerMs` younger than the server's. */
function merge(mine: Body | null, theirs: Body | null, youngerMs: number) {
  return notes.merge({
    local: { body: mine, changedAtMs: NOW_MS - 10_000 },
    mirror: null,
    incoming: { body: theirs, modifiedMs: NOW_MS - 10_000 - youngerMs },
    serverNowMs: NOW_MS,
    deviceNowMs: NOW_MS,
  });
}

describe('a collection of an app', () => {
  test('is what its name and options say, in storage keys of its own', () => {
    expect(notes).toMatchObject({ sealed: false, letter: 'gmy~notes' });
    expect(generic('notes')).toMatchObject({ sealed: true });
    for (const name of ['', 'a/b', 'x'.repeat(33)]) expect(() => generic(name)).toThrow('name');
  });

  test('keeps the younger version, with what only the other has', () => {
    const [mine, theirs] = [
      { id: 'a', x: 1, mine: 1 },
      { id: 'a', x: 2, theirs: 2 },
    ];
    expect(merge(mine, theirs, 1)).toEqual({
      mirror: 'asIs',
      local: { id: 'a', x: 1, mine: 1, theirs: 2 },
    });
    expect(merge(mine, theirs, -1)).toEqual({
      mirror: 'asIs',
      local: { id: 'a', x: 2, mine: 1, theirs: 2 },
    });
    expect(merge(mine, null, 1)).toEqual({ mirror: null, local: 'keep' });
    expect(merge(null, theirs, 1)).toEqual({ mirror: 'asIs', local: 'keep' });
    expect(merge(null, theirs, -1)).toEqual({ mirror: 'asIs', local: 'none' });
  });

  test('has nothing to send when the server has it already, as after a lost answer', () => {
    expect(merge({ id: 'a', x: 1 }, { id: 'a', x: 1 }, 1)).toEqual({
      mirror: 'asIs',
      local: 'none',
    });
    expect(merge({ id: 'twin', x: 1 }, { id: 'a', x: 1, y: 1 }, 1).local).toBe('none');
    expect(merge(null, null, 1).local).toBe('none');
  });

  test('takes any members but a tombstone’s', () => {
    const input = JSON.parse('{"__proto__":{"x":1},"deleted":true,"z":[1]}') as Body;
    const result = notes.prepare(input, { id: 'a', kept: 1 }, 'new', NOW_MS);
    expect(JSON.stringify(result)).toBe(
      '{"ok":true,"id":"a","body":{"id":"a","kept":1,"__proto__":{"x":1},"z":[1]}}',
    );
    expect(notes.prepare({ id: 'é' }, null, 'new', NOW_MS).ok).toBe(false);
  });
});
