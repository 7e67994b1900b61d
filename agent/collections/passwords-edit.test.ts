// Logins as apps edit them.

import { describe, expect, test } from 'vitest';
import { ID, login, NOW_MS } from '../../test/support/logins.ts';
import type { Body } from './collection.ts';
import { passwords } from './passwords.ts';

describe('an edit by an app', () => {
  const prepare = (input: object, existing: Body | null = null, nowMs = NOW_MS) =>
    passwords.prepare(input as Body, existing, ID, nowMs);
  const form = { origin: 'https://x', formActionOrigin: 'https://y', password: 'p' };

  test('is completed with id, texts and times', () => {
    expect(prepare(form)).toEqual({
      ok: true,
      id: ID,
      body: {
        id: ID,
        hostname: 'https://x',
        formSubmitURL: 'https://y',
        httpRealm: null,
        username: '',
        password: 'p',
        usernameField: '',
        passwordField: '',
        timeCreated: NOW_MS,
        timePasswordChanged: NOW_MS,
        timeLastUsed: NOW_MS,
        timesUsed: 1,
      },
    });
  });

  test('may use the names of the record, and may give its times and id', () => {
    const given = login({ id: 'mine', timesUsed: 7, timeLastUsed: NOW_MS - 5 });
    expect(prepare(given)).toEqual({ ok: true, id: 'mine', body: given });
    const shown = passwords.view('mine', given);
    const again = prepare(shown);
    expect(again.ok && passwords.view(again.id, again.body)).toEqual(shown);
  });

  test('is laid over the existing login', () => {
    const existing = login({ later: 1, timesUsed: 7, timeLastUsed: NOW_MS - 5 });
    expect(prepare({ usernameField: 'u' }, existing)).toEqual({
      ok: true,
      id: ID,
      body: { ...existing, usernameField: 'u' },
    });
    expect(prepare({ password: 'new' }, existing)).toMatchObject({
      body: { password: 'new', timePasswordChanged: NOW_MS, timeCreated: existing.timeCreated },
    });
    const shown = { ...passwords.view(ID, existing), password: 'new' };
    expect(prepare(shown, existing)).toMatchObject({ body: { timePasswordChanged: NOW_MS } });
  });

  test('makes a changed password later than the old one, even when the clock went back', () => {
    const existing = login({ timePasswordChanged: NOW_MS });
    const body = { timePasswordChanged: NOW_MS + 1 };
    expect(prepare({ password: 'new' }, existing, 5)).toMatchObject({ body });
  });

  test('may move a login from a form to a realm', () => {
    expect(prepare({ httpRealm: 'r' }, login())).toMatchObject({
      body: { formSubmitURL: null, httpRealm: 'r', usernameField: '' },
    });
  });

  test('has origins, not URLs', () => {
    const input = { ...form, origin: 'https://u:pw@x:1/path?q', formActionOrigin: 'HTTP://y/#z' };
    expect(prepare(input)).toMatchObject({
      body: { hostname: 'https://x:1', formSubmitURL: 'HTTP://y' },
    });
    for (const [formActionOrigin, formSubmitURL] of [
      ['', ''],
      ['.', ''],
      ['javascript:', 'javascript:'],
    ]) {
      expect(prepare({ ...form, formActionOrigin })).toMatchObject({ body: { formSubmitURL } });
    }
  });

  test('may have line breaks in user name and password, as in Firefox', () => {
    expect(prepare({ ...form, username: 'a\nb', password: 'c\r\nd' }).ok).toBe(true);
  });

  test('cannot make a tombstone', () => {
    const result = prepare({ ...form, deleted: true });
    expect(result.ok && Object.keys(result.body)).not.toContain('deleted');
  });

  test.each([
    ['origin', { ...form, origin: '' }],
    ['origin', { ...form, origin: 'x' }],
    ['origin', { ...form, origin: 7 }],
    ['origin', { ...form, origin: 'chrome://FirefoxAccounts' }],
    ['origin', { ...form, origin: 'https://x\n' }],
    ['password', { ...form, password: '' }],
    ['password', { ...form, password: undefined }],
    ['password', { ...form, password: 'a\0b' }],
    ['username', { ...form, username: '\0' }],
    ['username', { ...form, username: 7 }],
    ['usernameField', { ...form, usernameField: '.' }],
    ['usernameField', { ...form, usernameField: 'a\rb' }],
    ['exactly one', { origin: 'https://x', password: 'p' }],
    ['exactly one', { ...form, httpRealm: 'r' }],
    ['httpRealm', { origin: 'https://x', httpRealm: 'a\nb', password: 'p' }],
    ['id', { ...form, id: 'é' }],
    ['id', { ...form, id: 'x'.repeat(65) }],
    ['id', { ...form, guid: '' }],
  ])('is refused with the name of the bad field: %s', (field, input) => {
    const result = prepare(input);
    expect(result.ok ? null : result.complaint).toContain(field);
  });
});
