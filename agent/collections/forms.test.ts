// What people typed into forms: one record for a field and a value, whoever made it.

import { describe, expect, test } from 'vitest';
import type { Body } from './collection.ts';
import { forms } from './forms.ts';

const NOW_MS = 1_795_323_276_914;

describe('a form entry', () => {
  const prepare = (input: Body, existing: Body | null = null) =>
    forms.prepare(input, existing, 'abcdefghijkl', NOW_MS);

  test('needs a name and a value', () => {
    for (const [field, input] of [
      ['name', { value: 'x' }],
      ['name', { name: '', value: 'x' }],
      ['value', { name: 'q' }],
      ['value', { name: 'q', value: 7 }],
      ['id', { id: '', name: 'q', value: 'x' }],
    ] as const) {
      const result = prepare(input);
      expect(result.ok ? '' : result.complaint).toMatch(new RegExp(`^${field}: `));
    }
    expect(prepare({ name: 'q', value: 'x' })).toEqual({
      ok: true,
      id: 'abcdefghijkl',
      body: { id: 'abcdefghijkl', name: 'q', value: 'x' },
    });
  });

  test('keeps members that it does not know', () => {
    const edited = prepare(
      { value: 'y', deleted: true },
      { id: 'a', name: 'q', value: 'x', later: 1 },
    );
    expect(edited.ok && edited.body).toEqual({ id: 'a', name: 'q', value: 'y', later: 1 });
  });
});

describe('two form entries', () => {
  const entry = (name: string, value: string): Body => ({ id: 'a', name, value });
  const { things } = forms;

  test('are one thing if they have the same field and value, to the letter', () => {
    expect(things?.same(entry('q', 'x'), { ...entry('q', 'x'), id: 'b' })).toBe(true);
    for (const [name, value] of [
      ['q', 'X'],
      ['Q', 'x'],
      ['q', 'x '],
      ['q\nx', ''],
    ] as const) {
      expect(things?.same(entry('q', 'x'), entry(name, value))).toBe(false);
    }
  });

  test('that are one thing share an entry of the index, which tells nothing of the value', () => {
    const [byName, byValue] = forms.index(entry('card number', '4111 1111'), NOW_MS);
    expect(byName).toBe('ucard%20number');
    expect(byValue).toMatch(/^v[0-9a-f]{4}$/);
    expect(things?.key(entry('card number', '4111 1111'))).toBe(byValue);
    expect(things?.key(entry('card number', '4111 1112'))).not.toBe(byValue);
  });

  test('are found by the start of the field', () => {
    expect(forms.matches(entry('address-line', 'x'), 'address')).toBe(true);
    expect(forms.matches(entry('address-line', 'x'), 'line')).toBe(false);
    expect(forms.index(entry('address-line', 'x'), 0)[0]).toMatch(forms.addressPrefix('address'));
  });
});

test('a form entry of another client is usable if it has both', () => {
  expect(forms.check({ id: 'a', name: 'q', value: 'x', later: 1 })).toBeNull();
  expect(forms.check({ id: 'a', name: 'q' })).toBe('value: not a text');
  expect(forms.check({ id: 'a', name: 7, value: 'x' })).toBe('name: not a text');
});
