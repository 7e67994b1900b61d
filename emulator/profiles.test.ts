import { describe, expect, test } from 'vitest';
import {
  checkProfile,
  DEFAULT_PROFILE,
  loadProfile,
  ProfileError,
  profileNames,
} from './profiles.ts';

test('there is a television and there are two phones', () => {
  expect(profileNames()).toEqual(['firefox-os-phone-128mb', 'kaios-256mb', 'panasonic-cx700']);
});

test.each(profileNames())(
  '%s is complete, carries its own name and says what is assumed',
  (name) => {
    const profile = loadProfile(name);
    expect(profile.name).toBe(name);
    expect(profile.assumptions).toContain('assumptions');
  },
);

test('the television is the default and has 2 MiB, the small phone 1 MiB', () => {
  expect(loadProfile(DEFAULT_PROFILE).ramCapBytes).toBe(2 * 1024 * 1024);
  expect(loadProfile('firefox-os-phone-128mb').ramCapBytes).toBe(1024 * 1024);
});

test.each(profileNames())('the longest record of %s is what its cap has room for', (name) => {
  const { ramCapBytes, agent } = loadProfile(name);
  // The program and a pass take 600,000 bytes; a character of a record that is changed and sent
  // takes up to 7.
  const most = Math.floor((ramCapBytes - 600_000) / 7);
  expect(agent.recordCharsMax).toBeLessThanOrEqual(most);
  expect(agent.recordCharsMax).toBeGreaterThan(most - 1_000);
});

describe('a profile is refused', () => {
  const good = () =>
    structuredClone(loadProfile(DEFAULT_PROFILE)) as unknown as Record<string, unknown>;
  const complaint = (change: (profile: Record<string, unknown>) => unknown) => {
    const profile = good();
    change(profile);
    try {
      checkProfile(profile);
    } catch (error) {
      return (error as ProfileError).message;
    }
    return 'accepted';
  };

  test('by a name that does not exist', () => {
    expect(() => loadProfile('../../package')).toThrow(ProfileError);
    expect(() => loadProfile('toaster')).toThrow(/unknown profile "toaster"; there are firefox/);
  });

  test('for a missing, wrong or unknown figure, which is named', () => {
    expect(complaint((p) => delete p.ramCapBytes)).toBe(
      'profile.ramCapBytes must be a whole number above 0, not undefined',
    );
    expect(
      complaint((p) => Object.assign(p, { flash: { ...(p.flash as object), readUs: -1 } })),
    ).toBe('profile.flash.readUs must be a number above 0, not -1');
    expect(complaint((p) => Object.assign(p, { flash: 5 }))).toBe(
      'profile.flash must be an object',
    );
    expect(complaint((p) => Object.assign(p, { turbo: true }))).toBe('profile.turbo is not known');
  });
});
